#include "stream/analyse/ledger_history.h"

#include <algorithm>
#include <tuple>

#include "stream/analyse/money_sum.h"

namespace rfm {

void LedgerHistory::read(const InvoiceLedger& ledger) {
  purchases_.clear();
  bookings_.clear();
  folded_ = ledger.folded();
  if (const Money net = folded_.purchases - folded_.credits; folded_.newest != kBeforeAll) {
    bookings_.push_back({folded_.count > 0 ? folded_.last_purchase : folded_.newest, net});
  }
  const LedgerEntries& entries = ledger.entries();
  for (std::size_t i = 0; i < entries.size(); i = entries.after(i)) {
    const LedgerEntry& entry = entries[i];
    if (is_void(entry)) continue;
    const Money amount{entry.amount};
    if (is_credit(entry)) {
      const std::size_t sale = entries.sale_of(i);
      if (sale < entries.size() && is_void(entries[sale])) continue;
      bookings_.push_back({time_of(entry), -magnitude(amount)});
      continue;
    }
    bookings_.push_back({time_of(entry), amount});
    const LedgerEntries::Named named = entries.named_credits(entry.hash);
    if (amount < Money{} || (named.any && named.sum >= amount)) continue;
    purchases_.push_back({time_of(entry), amount - named.sum});
  }
  std::ranges::sort(purchases_, {}, [](const Purchase& p) { return std::tuple(p.time, p.value); });
}

EventTime LedgerHistory::first_purchase() const {
  const EventTime first = purchases_.empty() ? kNever : purchases_.front().time;
  return folded_.count > 0 ? std::min(first, folded_.first_purchase) : first;
}

Money LedgerHistory::net_spend(EventTime from, EventTime to) const {
  Money sum;
  for (const BookedAmount& booking : bookings_) {
    if (booking.time > from && booking.time <= to) add_to(sum, booking.amount);
  }
  return sum;
}

PastSums LedgerHistory::sums_before(EventTime at, const Rules& rules) const {
  PastSums sums;
  const EventTime from = window_start(rules, at);
  const auto is_in = [&](EventTime time) { return time >= from && time < at; };
  if (folded_.newest != kBeforeAll && folded_.newest < at && from == kBeforeAll) {
    sums.frequency = folded_.count;
    sums.first_purchase = folded_.first_purchase;
    sums.last_purchase = folded_.last_purchase;
  }
  for (const Purchase& purchase : purchases_) {
    if (!is_in(purchase.time)) continue;
    if (sums.frequency++ == 0) sums.first_purchase = purchase.time;
    sums.last_purchase = purchase.time;
  }
  for (const BookedAmount& booking : bookings_) {
    if (is_in(booking.time) && (rules.monetary == MonetaryKind::kNet || booking.amount > Money{}))
      add_to(sums.monetary, booking.amount);
  }
  return sums;
}

}  // namespace rfm
