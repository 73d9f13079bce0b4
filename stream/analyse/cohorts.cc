#include "stream/analyse/cohorts.h"

#include <algorithm>

#include "stream/analyse/money_sum.h"

namespace rfm {

std::vector<CohortMonth> Cohort::until(CalendarMonth last) const {
  std::vector<CohortMonth> all;
  auto next = months.begin();
  for (CalendarMonth at = month; at <= last; ++at) {
    while (next != months.end() && next->month < at) ++next;
    all.push_back(next != months.end() && next->month == at ? *next : CohortMonth{at, 0, {}});
  }
  return all;
}

void Cohorts::add(const CustomerFigures& figures) {
  const LedgerHistory& history = figures.history;
  if (!history.has_purchase()) {
    for (const BookedAmount& booking : history.bookings())
      add_to(without_purchase_, booking.amount);
    return;
  }
  const CalendarMonth cohort = calendar_month_of(history.first_purchase());
  ++customers_[cohort];
  for (const BookedAmount& booking : history.bookings()) {
    const CalendarMonth month = std::max(cohort, calendar_month_of(booking.time));
    add_to(cells_[{cohort, month}].revenue, booking.amount);
  }
  // The months in which he bought, each once: those of folded purchases are all months up to the
  // last of them.
  CalendarMonth counted = cohort - 1;
  if (const FoldedInvoices& folded = history.folded(); folded.count > 0) {
    const CalendarMonth last = calendar_month_of(folded.last_purchase);
    for (CalendarMonth month = calendar_month_of(folded.first_purchase); month <= last; ++month)
      ++cells_[{cohort, month}].buyers;
    counted = last;
  }
  for (const Purchase& purchase : history.purchases()) {
    const CalendarMonth month = calendar_month_of(purchase.time);
    if (month <= counted) continue;
    ++cells_[{cohort, month}].buyers;
    counted = month;
  }
}

void Cohorts::merge(const Cohorts& other) {
  for (const auto& [cohort, customers] : other.customers_) customers_[cohort] += customers;
  for (const auto& [key, from] : other.cells_) {
    Cell& cell = cells_[key];
    cell.buyers += from.buyers;
    add_to(cell.revenue, from.revenue);
  }
  add_to(without_purchase_, other.without_purchase_);
}

std::vector<Cohort> Cohorts::all() const {
  std::vector<Cohort> cohorts;
  for (const auto& [month, customers] : customers_)
    cohorts.push_back({.month = month, .customers = customers, .months = {}});
  auto cohort = cohorts.begin();
  for (const auto& [key, cell] : cells_) {
    while (cohort->month != key.first) ++cohort;
    cohort->months.push_back({key.second, cell.buyers, cell.revenue});
  }
  return cohorts;
}

}  // namespace rfm
