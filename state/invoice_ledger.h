// A customer's invoices, 24 bytes each, and what they add up to. Pure and commutative: records may
// come in any order.
#pragma once

#include <cstdint>
#include <vector>

#include "state/event_time.h"
#include "state/money.h"
#include "state/rules.h"

namespace rfm {

enum class InvoiceType : std::uint8_t { kInvoice, kCredit };

// What the ledger keeps of an invoice or credit.
struct LedgerInvoice {
  std::uint64_t number_hash = 0;
  Money amount;  // Signed sum of the lines. A credit counts as -|amount|.
  EventTime time{};
  InvoiceType type = InvoiceType::kInvoice;
  std::uint16_t country_bits =
      0;  // country_bits (hashes.h): only to tell a correction from a duplicate.
  std::uint64_t original_hash = 0;  // The invoice that a credit names; 0: none.
  std::int64_t revision = 0;        // 0: none.

  friend bool operator==(const LedgerInvoice&, const LedgerInvoice&) = default;
};

// Stored form. A credit that names its invoice, and an invoice with a revision, take a second entry
// (`is_extension`): {original_hash, revision}.
struct LedgerEntry {
  std::uint64_t hash = 0;
  std::int64_t amount = 0;
  std::uint64_t word =
      0;  // Time (43 bits), country (12 bits), credit, has extension, is extension.

  friend bool operator==(const LedgerEntry&, const LedgerEntry&) = default;
};
static_assert(sizeof(LedgerEntry) == 24);

// What the oldest invoices were folded into when the ledger was full.
struct FoldedInvoices {
  std::uint32_t count = 0;  // Those that count in F.
  Money purchases;
  Money credits;
  EventTime first_purchase = kNever;
  EventTime last_purchase = kBeforeAll;
  EventTime newest = kBeforeAll;  // A record at or before it cannot be proved new.

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
  kNegative,
  kOverflow
};

class InvoiceLedger {
 public:
  // A snapshot keyed by its number: equal content is a duplicate; else the higher revision wins,
  // without it the higher (time, amount).
  LedgerOutcome put(const LedgerInvoice& given, const Rules& rules, EventTime now);

  // A settled line invoice: adds to the entry of the same number and type, if there is one.
  LedgerOutcome add(const LedgerInvoice& invoice, const Rules& rules, EventTime now);

  // The sums as of `now`; maintained, so this is cheap.
  const InvoiceSums& sums() const { return sums_; }

  // The same from the entries: the definition. `now` matters for a finite window only.
  InvoiceSums recompute(const Rules& rules, EventTime now) const;

  // Recomputes the sums at `now`: invoices have left the window.
  void refresh(const Rules& rules, EventTime now) { sums_ = recompute(rules, now); }

  // The first instant after `now` at which an invoice leaves the window; kNever for lifetime.
  EventTime next_exit(const Rules& rules, EventTime now) const;

  std::vector<LedgerInvoice> invoices() const;
  const std::vector<LedgerEntry>& entries() const { return entries_; }
  const FoldedInvoices& folded() const { return folded_; }

  // For the codec: takes what was stored, the sums too.
  void restore(std::vector<LedgerEntry> entries, const FoldedInvoices& folded,
               const InvoiceSums& sums);

  friend bool operator==(const InvoiceLedger&, const InvoiceLedger&) = default;

 private:
  std::size_t find(std::uint64_t number_hash) const;  // entries_.size() if absent.
  LedgerInvoice at(std::size_t index) const;
  void append(const LedgerInvoice& invoice);
  void erase(std::size_t index);
  // Adds one more sale without a look at the rest, where that is exact; else recomputes.
  void count_new(const LedgerInvoice& invoice, const Rules& rules, EventTime now);
  void fold_oldest(const Rules& rules, EventTime now);

  std::vector<LedgerEntry> entries_;
  FoldedInvoices folded_;
  InvoiceSums sums_;
};

}  // namespace rfm
