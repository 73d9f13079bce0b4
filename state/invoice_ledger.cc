#include "state/invoice_ledger.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <tuple>

#include "state/assertion.h"

namespace rfm {
namespace {

bool in_window(EventTime time, const Rules& rules, EventTime now) {
  return time >= window_start(rules, now);
}

bool is_least(Money amount) { return amount.units == std::numeric_limits<std::int64_t>::min(); }

// Of two snapshots of one number the higher holds.
auto rank(const LedgerInvoice& i) {
  const Money amount = i.type == InvoiceType::kCredit ? magnitude(i.amount) : i.amount;
  return std::tuple(i.revision, i.time, i.is_void, amount, i.original_hash, i.country_bits);
}

}  // namespace

class InvoiceLedger::Recount {
 public:
  Recount(const InvoiceLedger& ledger, InvoiceSums& sums)
      : ledger_(ledger), sums_(sums), first_(sums.first_purchase), last_(sums.last_purchase) {}

  void take_out(std::size_t index) {
    const Share share = ledger_.share_of(index);
    sums_.purchases = sums_.purchases - share.purchases;
    sums_.credits = sums_.credits - share.credits;
    if (!share.counts) return;
    --sums_.frequency;
    const EventTime time = ledger_.entries_.time(index);
    first_lost_ |= time == first_;
    last_lost_ |= time == last_;
  }

  void put_in(std::size_t index) {
    const Share share = ledger_.share_of(index);
    sums_.purchases = sums_.purchases + share.purchases;
    sums_.credits = sums_.credits + share.credits;
    if (!share.counts) return;
    ++sums_.frequency;
    const EventTime time = ledger_.entries_.time(index);
    sums_.first_purchase = std::min(sums_.first_purchase, time);
    sums_.last_purchase = std::max(sums_.last_purchase, time);
  }

  void finish(EventTime start) {
    if (first_lost_ && sums_.first_purchase == first_)
      sums_.first_purchase = ledger_.first_counting(std::max(first_, start), sums_);
    if (last_lost_ && sums_.last_purchase == last_)
      sums_.last_purchase = ledger_.last_counting(last_, sums_);
  }

 private:
  const InvoiceLedger& ledger_;
  InvoiceSums& sums_;
  EventTime first_;
  EventTime last_;
  bool first_lost_ = false;
  bool last_lost_ = false;
};

bool InvoiceLedger::has_share(std::size_t position) const {
  return !is_void(entries_[position]) && entries_.sale_of(position) == entries_.size();
}

InvoiceLedger::Share InvoiceLedger::share_of(std::size_t index) const {
  Share share;
  if (!has_share(index)) return share;
  const Money amount{entries_[index].amount};
  if (is_credit(entries_[index])) {
    share.credits = magnitude(amount);
    return share;
  }
  const LedgerEntries::Named named = entries_.named_credits(entries_[index].hash);
  share.credits = named.sum;
  if (amount < Money{}) {
    share.credits = share.credits + magnitude(amount);
  } else {
    share.purchases = amount;
    share.counts = !named.any || named.sum < amount;
  }
  return share;
}

EventTime InvoiceLedger::first_counting(EventTime from, const InvoiceSums& sums) const {
  if (sums.frequency == folded_.count) return folded_.first_purchase;
  for (std::size_t i = entries_.first_from(from); i < entries_.size(); i = entries_.after(i)) {
    if (share_of(i).counts) return std::min(folded_.first_purchase, entries_.time(i));
  }
  return folded_.first_purchase;
}

EventTime InvoiceLedger::last_counting(EventTime until, const InvoiceSums& sums) const {
  if (sums.frequency == folded_.count) return folded_.last_purchase;
  for (std::size_t i = entries_.first_from(until + Duration{1}); i > 0;) {
    i = entries_.before(i);
    if (share_of(i).counts) return std::max(folded_.last_purchase, entries_.time(i));
  }
  return folded_.last_purchase;
}

LedgerOutcome InvoiceLedger::check_room(const LedgerChange& change, const Rules& rules,
                                        EventTime now) const {
  std::size_t size = entries_.size() + entry_count(change.to);
  // Of all amounts that are kept, in the window or not, so that no sum of some of them overflows.
  Money others = folded_.purchases + folded_.credits + entries_.magnitude_sum();
  if (change.known < entries_.size()) {
    const LedgerInvoice known = entries_.at(change.known);
    size -= entry_count(known);
    others = others - magnitude(known.amount);
  }
  std::int64_t total = 0;
  if (__builtin_add_overflow(others.units, magnitude(change.to.amount).units, &total))
    return LedgerOutcome::kOverflow;
  if (size <= std::max<std::size_t>(rules.ledger_hard_max, entries_.size()))
    return LedgerOutcome::kApplied;
  std::size_t freed = 0;
  for (const std::size_t head : foldable(rules, now, size - rules.ledger_hard_max))
    freed += entries_.after(head) - head;
  return size - freed <= rules.ledger_hard_max ? LedgerOutcome::kApplied : LedgerOutcome::kFull;
}

LedgerChange InvoiceLedger::plan_put(const LedgerInvoice& given, const Rules& rules,
                                     EventTime now) const {
  LedgerChange change{.to = given, .known = entries_.find(given.number_hash, given.type)};
  LedgerInvoice& to = change.to;
  if (is_least(to.amount)) {
    change.outcome = LedgerOutcome::kOverflow;
    return change;
  }
  if (to.is_void) to.amount = {};
  if (to.type == InvoiceType::kInvoice) {
    to.original_hash = 0;
  } else {
    to.amount = -magnitude(to.amount);  // The sign of a credit says nothing.
  }
  if (change.known < entries_.size()) {
    const LedgerInvoice known = entries_.at(change.known);
    if (known == to) {
      change.outcome = LedgerOutcome::kDuplicate;
      return change;
    }
    if (rank(to) < rank(known)) {
      change.outcome = LedgerOutcome::kSuperseded;
      return change;
    }
  } else if (to.time <= folded_.newest) {
    change.outcome = LedgerOutcome::kBeyondHorizon;
    return change;
  }
  change.outcome = check_room(change, rules, now);
  return change;
}

LedgerChange InvoiceLedger::plan_add(const LedgerInvoice& given, const Rules& rules,
                                     EventTime now) const {
  LedgerChange change{.to = given, .known = entries_.find(given.number_hash, given.type)};
  LedgerInvoice& to = change.to;
  if (change.known < entries_.size()) {
    to = entries_.at(change.known);
    to.time = std::max(to.time, given.time);
    if (__builtin_add_overflow(to.amount.units, given.amount.units, &to.amount.units)) {
      change.outcome = LedgerOutcome::kOverflow;
      return change;
    }
  } else if (to.time <= folded_.newest) {
    change.outcome = LedgerOutcome::kBeyondHorizon;
    return change;
  }
  change.outcome = is_least(to.amount) ? LedgerOutcome::kOverflow : check_room(change, rules, now);
  return change;
}

// What depends on the entry leaves the sums, and comes back as it is then: a sale with the credits
// that name it is one share, wherever its sale is here.
void InvoiceLedger::apply(const LedgerChange& change, const Rules& rules, EventTime now) {
  RFM_ASSERT(change.outcome == LedgerOutcome::kApplied);
  refresh(rules, now);
  const LedgerInvoice& to = change.to;
  std::optional<LedgerInvoice> from;
  if (change.known < entries_.size()) from = entries_.at(change.known);
  Recount recount(*this, sums_);
  const auto take_out = [&](std::size_t i) {
    if (in_window(entries_.time(i), rules, now)) recount.take_out(i);
  };
  const auto put_in = [&](std::size_t i) {
    if (in_window(entries_.time(i), rules, now)) recount.put_in(i);
  };
  const auto replace = [&] {
    if (from) entries_.erase(change.known);
    return entries_.insert(to);
  };
  if (to.type == InvoiceType::kInvoice) {
    if (from) {
      take_out(change.known);
    } else {
      entries_.for_each_naming(to.number_hash, take_out);
    }
    put_in(replace());
  } else {
    const auto or_else = [&](std::size_t sale, std::size_t credit) {
      return sale < entries_.size() ? sale : credit;
    };
    const bool renamed = !from || from->original_hash != to.original_hash;
    if (from) take_out(or_else(entries_.sale(from->original_hash), change.known));
    if (const std::size_t sale = entries_.sale(to.original_hash); renamed && sale < entries_.size())
      take_out(sale);
    const std::size_t credit = replace();
    put_in(or_else(entries_.sale(to.original_hash), credit));
    if (from && renamed) {
      const std::size_t sale = entries_.sale(from->original_hash);
      if (sale < entries_.size()) put_in(sale);
    }
  }
  recount.finish(window_start(rules, now));
  fold(rules, now);
}

InvoiceSums InvoiceLedger::recompute(const Rules& rules, EventTime now) const {
  InvoiceSums sums{.first_purchase = folded_.first_purchase,
                   .last_purchase = folded_.last_purchase,
                   .frequency = folded_.count,
                   .purchases = folded_.purchases,
                   .credits = folded_.credits};
  Recount recount(*this, sums);
  const std::size_t start = entries_.first_from(window_start(rules, now));
  for (std::size_t i = start; i < entries_.size(); i = entries_.after(i)) recount.put_in(i);
  return sums;
}

void InvoiceLedger::refresh(const Rules& rules, EventTime now) {
  if (!rules.window) return;
  sums_ = now < sums_at_ ? recompute(rules, now) : sums_if_silent(sums_, sums_at_, now, rules);
  sums_at_ = now;
}

InvoiceSums InvoiceLedger::sums_if_silent(InvoiceSums sums, EventTime from, EventTime to,
                                          const Rules& rules) const {
  const EventTime start = window_start(rules, to);
  Recount recount(*this, sums);
  std::size_t i = entries_.first_from(window_start(rules, from));
  for (; i < entries_.size() && entries_.time(i) < start; i = entries_.after(i))
    recount.take_out(i);
  recount.finish(start);
  return sums;
}

EventTime InvoiceLedger::next_exit(const Rules& rules, EventTime now) const {
  if (!rules.window) return kNever;
  std::size_t i = entries_.first_from(window_start(rules, now));
  while (i < entries_.size() && !has_share(i)) i = entries_.after(i);
  return i < entries_.size() ? entries_.time(i) + *rules.window + Duration{1} : kNever;
}

}  // namespace rfm
