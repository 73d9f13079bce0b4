#include "stream/analyse/lost_customers.h"

#include <algorithm>

namespace rfm {

void LostCustomers::add(const CustomerFigures& figures) {
  const LedgerHistory& history = figures.history;
  if (!history.has_purchase()) return;
  EventTime last = history.folded().count > 0 ? history.folded().last_purchase
                                              : history.purchases().front().time;
  for (const Purchase& purchase : history.purchases()) {
    if (purchase.time - kLostAfter > last) {
      ++months_[calendar_month_of(last + kLostAfter)].lost;
      ++months_[calendar_month_of(purchase.time)].regained;
    }
    last = std::max(last, purchase.time);
  }
  if (figures.facts.at - kLostAfter >= last) ++months_[calendar_month_of(last + kLostAfter)].lost;
}

void LostCustomers::merge(const LostCustomers& other) {
  for (const auto& [month, counts] : other.months_) {
    months_[month].lost += counts.lost;
    months_[month].regained += counts.regained;
  }
}

std::vector<LostMonth> LostCustomers::all() const {
  std::vector<LostMonth> all;
  for (const auto& [month, counts] : months_) {
    while (!all.empty() && all.back().month + 1 < month)
      all.push_back({.month = all.back().month + 1});
    all.push_back({month, counts.lost, counts.regained});
  }
  return all;
}

}  // namespace rfm
