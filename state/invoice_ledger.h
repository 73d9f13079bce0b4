// A customer's invoices, 24 bytes each, and what they add up to. Pure and commutative: records may
// come in any order. A change costs about the same in a short ledger and in a long one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "state/event_time.h"
#include "state/ledger_entries.h"
#include "state/money.h"
#include "state/rules.h"

namespace rfm {

// What the oldest invoices were folded into when the ledger was full.
struct FoldedInvoices {
  std::uint32_t count = 0;  // Those that count in F.
  Money purchases;
  Money credits;
  EventTime first_purchase = kNever;
  EventTime last_purchase = kBeforeAll;
  EventTime newest = kBeforeAll;  // What is new and not later cannot be proved new.

  friend bool operator==(const FoldedInvoices&, const FoldedInvoices&) = default;
};

// Sums over the invoices that count. first_purchase and last_purchase are meaningful if frequency >
// 0.
struct InvoiceSums {
  EventTime first_purchase = kNever;
  EventTime last_purchase = kBeforeAll;
  std::uint32_t frequency =
      0;  // Distinct invoices with a sale that their named credits do not reach.
  Money purchases;
  Money credits;  // >= 0.

  friend bool operator==(const InvoiceSums&, const InvoiceSums&) = default;
};

enum class LedgerOutcome : std::uint8_t {
  kApplied,
  kDuplicate,
  kSuperseded,
  kBeyondHorizon,
  kOverflow,
  kFull
};
constexpr bool is_refused(LedgerOutcome outcome) {
  return outcome >= LedgerOutcome::kBeyondHorizon;
}

// What a record would do to the ledger it was planned for.
struct LedgerChange {
  LedgerOutcome outcome = LedgerOutcome::kApplied;
  LedgerInvoice to;       // The entry afterwards, if it is applied.
  std::size_t known = 0;  // The entry of that number now; the number of entries if there is none.
};

// Whatever is before it has left the window.
inline EventTime window_start(const Rules& rules, EventTime now) {
  return !rules.window || now < kBeforeAll + *rules.window ? kBeforeAll : now - *rules.window;
}

class InvoiceLedger {
 public:
  // A snapshot keyed by its type and number: equal content is a duplicate; else the higher revision
  // wins, without it the higher (time, void, amount). `now` is the row's clock.
  LedgerChange plan_put(const LedgerInvoice& given, const Rules& rules, EventTime now) const;

  // A settled line invoice: adds to the entry of the same type and number, if there is one.
  LedgerChange plan_add(const LedgerInvoice& given, const Rules& rules, EventTime now) const;

  // Takes a plan whose outcome is kApplied; since it was made only `refresh` may have been called.
  void apply(const LedgerChange& change, const Rules& rules, EventTime now);

  LedgerOutcome put(const LedgerInvoice& given, const Rules& rules, EventTime now) {
    return apply_planned(plan_put(given, rules, now), rules, now);
  }
  LedgerOutcome add(const LedgerInvoice& given, const Rules& rules, EventTime now) {
    return apply_planned(plan_add(given, rules, now), rules, now);
  }

  // The sums as of the last change or refresh; maintained, so this is cheap.
  const InvoiceSums& sums() const { return sums_; }

  // The same as of `now`, from the entries: the definition. `now` matters for a finite window only.
  InvoiceSums recompute(const Rules& rules, EventTime now) const;

  // Brings the sums up to `now`: invoices have left the window.
  void refresh(const Rules& rules, EventTime now);

  // The first instant after `now` at which an invoice leaves the window; kNever for lifetime.
  EventTime next_exit(const Rules& rules, EventTime now) const;

  // `sums`, which are those as of `from`, as of `to` >= from if nothing more comes.
  InvoiceSums sums_if_silent(InvoiceSums sums, EventTime from, EventTime to,
                             const Rules& rules) const;

  std::vector<LedgerInvoice> invoices() const;
  // The entry of the same type and number; absent: none.
  std::optional<LedgerInvoice> find(const LedgerInvoice& invoice) const {
    const std::size_t known = entries_.find(invoice.number_hash, invoice.type);
    if (known == entries_.size()) return std::nullopt;
    return entries_.at(known);
  }
  const LedgerEntries& entries() const { return entries_; }
  const FoldedInvoices& folded() const { return folded_; }

  // For the codec: what was stored, in any order, of a row whose clock is `now`. False: it cannot
  // have been a ledger.
  [[nodiscard]] bool restore(const std::vector<LedgerEntry>& entries, const FoldedInvoices& folded,
                             const Rules& rules, EventTime now);

  friend bool operator==(const InvoiceLedger& a, const InvoiceLedger& b) {
    return a.entries_ == b.entries_ && a.folded_ == b.folded_ && a.sums_ == b.sums_;
  }

 private:
  // What one entry, with the credits that name it, adds to the sums while it is in the window.
  struct Share {
    Money purchases;
    Money credits;
    bool counts = false;
  };
  // Takes shares out of sums and puts them in; mends first and last purchase at the end.
  class Recount;

  Share share_of(std::size_t position) const;
  bool has_share(std::size_t position) const;
  // First and last purchase of those that count in `sums`, where none of the entries among them is
  // before and after these times.
  EventTime first_counting(EventTime from, const InvoiceSums& sums) const;
  EventTime last_counting(EventTime until, const InvoiceSums& sums) const;

  LedgerOutcome apply_planned(const LedgerChange& change, const Rules& rules, EventTime now) {
    if (change.outcome == LedgerOutcome::kApplied) apply(change, rules, now);
    return change.outcome;
  }
  LedgerOutcome check_room(const LedgerChange& change, const Rules& rules, EventTime now) const;
  // Entries that may fold, the oldest whole instants until they are `wanted` with extensions;
  // ascending.
  std::vector<std::size_t> foldable(const Rules& rules, EventTime now, std::size_t wanted) const;
  void fold(const Rules& rules, EventTime now);

  LedgerEntries entries_;
  FoldedInvoices folded_;
  InvoiceSums sums_;
  EventTime sums_at_ = kBeforeAll;  // What they are as of; matters for a finite window only.
};

}  // namespace rfm
