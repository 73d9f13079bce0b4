// How a ledger is kept: the oldest invoices of a long one are folded into their sums; what is
// stored of it, and back.
#include <algorithm>
#include <vector>

#include "state/invoice_ledger.h"

namespace rfm {

// A sale and the credits that name it fold together: each decides what the other is worth.
std::vector<std::size_t> InvoiceLedger::foldable(const Rules& rules, EventTime now,
                                                 std::size_t wanted) const {
  std::vector<std::size_t> heads;
  if (now < kBeforeAll + rules.ledger_fold_age) return heads;
  EventTime limit = now - rules.ledger_fold_age;
  if (rules.window) limit = std::min(limit, window_start(rules, now));
  std::size_t count = 0;
  const auto take = [&](std::size_t head) {
    heads.push_back(head);
    count += entries_.after(head) - head;
  };
  EventTime instant = kBeforeAll;
  for (std::size_t i = 0; i < entries_.size(); i = entries_.after(i)) {
    const EventTime time = entries_.time(i);
    if (time >= limit || (count >= wanted && time != instant)) break;
    instant = time;
    if (is_credit(entries_[i])) {
      if (entries_.sale_of(i) == entries_.size()) take(i);
      continue;
    }
    bool all_old = true;
    entries_.for_each_naming(entries_[i].hash,
                             [&](std::size_t credit) { all_old &= entries_.time(credit) < limit; });
    if (!all_old) continue;
    take(i);
    entries_.for_each_naming(entries_[i].hash, take);
  }
  std::sort(heads.begin(), heads.end());
  return heads;
}

void InvoiceLedger::fold(const Rules& rules, EventTime now) {
  if (entries_.size() <= rules.ledger_entries_max) return;
  const std::vector<std::size_t> heads =
      foldable(rules, now, entries_.size() - rules.ledger_entries_max);
  if (heads.empty()) return;
  for (const std::size_t head : heads) {
    const EventTime time = entries_.time(head);
    folded_.newest = std::max(folded_.newest, time);
    if (rules.window) continue;  // It has left the window: it counts no more.
    const Share share = share_of(head);
    folded_.purchases = folded_.purchases + share.purchases;
    folded_.credits = folded_.credits + share.credits;
    if (!share.counts) continue;
    ++folded_.count;
    folded_.first_purchase = std::min(folded_.first_purchase, time);
    folded_.last_purchase = std::max(folded_.last_purchase, time);
  }
  entries_.erase(heads);
}

std::vector<LedgerInvoice> InvoiceLedger::invoices() const {
  std::vector<LedgerInvoice> result;
  for (std::size_t i = 0; i < entries_.size(); i = entries_.after(i))
    result.push_back(entries_.at(i));
  return result;
}

bool InvoiceLedger::restore(const std::vector<LedgerEntry>& entries, const FoldedInvoices& folded,
                            const Rules& rules, EventTime now) {
  *this = InvoiceLedger{};
  folded_ = folded;
  std::int64_t total = 0;
  if (folded.purchases < Money{} || folded.credits < Money{} || !entries_.restore(entries) ||
      __builtin_add_overflow(folded.purchases.units, folded.credits.units, &total) ||
      __builtin_add_overflow(total, entries_.magnitude_sum().units, &total))
    return false;
  sums_ = recompute(rules, now);
  sums_at_ = now;
  return true;
}

}  // namespace rfm
