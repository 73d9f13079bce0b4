// What a decoded input record says. Strings are views into the decoder's scratch space and live
// until its next call.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "state/event_time.h"
#include "state/invoice_ledger.h"
#include "state/money.h"
#include "state/sales_book.h"

namespace rfm {

// A whole invoice or credit: a snapshot keyed by its number.
struct InvoiceEvent {
  std::string_view customer_id;
  std::string_view event_id;  // Empty: none.
  std::string_view invoice_no;
  std::string_view original_invoice_no;  // Credits that name their invoice; empty: none.
  std::string_view country;              // Empty: unknown.
  EventTime invoice_time{};
  Money amount;  // Signed sum of the lines, or the total. A credit counts as -|amount|, so its sign
                 // means nothing.
  InvoiceType type = InvoiceType::kInvoice;
  std::int64_t revision = 0;  // 0: none.
  bool is_void = false;       // A cancelled order: counts in nothing; `amount` is 0.
  std::optional<bool> consent;
  std::span<const SoldLine> lines{};  // Where the record has them.
};

// One row of an invoice (UCI Online Retail fields).
struct LineEvent {
  std::string_view customer_id;
  std::string_view event_id;  // Empty: none.
  std::string_view invoice_no;
  std::string_view country;  // Empty: unknown.
  EventTime invoice_time{};
  Money amount;  // quantity * unit price, signed, rounded half away from zero.
  InvoiceType type = InvoiceType::kInvoice;
  std::string_view product{};      // Empty: unknown.
  std::string_view description{};  // The same.
  std::int64_t units = 0;          // Quantity in 10^-4.

  SoldLine sold() const {
    return {.product = product, .description = description, .units = units, .amount = amount};
  }
};

// Erase the customer.
struct Tombstone {
  std::string_view customer_id;
};

// A sale without a customer: in the sales book only.
struct AnonymousSale {
  EventTime invoice_time{};
  std::string_view country{};  // Empty: unknown.
  InvoiceType type = InvoiceType::kInvoice;
  Money amount;
  std::span<const SoldLine> lines{};
};

// A correction of the books (line formats, invoice number `A` and digits): nobody's purchase,
// ignored.
struct Adjustment {
  EventTime invoice_time{};
};

// Reasons why a good record changes nothing.
enum class IgnoredReason : std::uint8_t {
  kNoCustomer,
  kSuperseded,
  kAdjustment,
  kUnrelated,  // No invoice, as `input.types` says.
  kNullValue,  // A null value where the log is not keyed by customer.
};
inline constexpr int kIgnoredReasonCount = 5;
std::string_view name(IgnoredReason reason);

// Nobody's purchase and nothing else of ours.
struct IgnoredRecord {
  IgnoredReason reason = IgnoredReason::kUnrelated;
};

enum class DeadLetterReason : std::uint8_t {
  kMalformed,        // Not JSON, not CSV or not UTF-8.
  kMissingField,     //
  kInvalidField,     // A field of the wrong type, form or range.
  kWrongCurrency,    // One currency per application.
  kKeyMissing,       // A null key where the log is keyed by customer.
  kKeyMismatch,      // The key is not the customer's id.
  kWrongPartition,   // Not where `input.partitioner` would put the key.
  kFutureEventTime,  // Event time later than the record's own by more than `input.future_max`.
  kBeyondHorizon,    // Too old to be proved new.
  kNegativeInvoice,  // An invoice whose sum is negative.
  kAmountOverflow,   // An amount that an int64 of 10^-4 does not hold.
  kOversized,        // Longer than `input.record_max`.
  kLedgerFull,       // The customer has `ledger.hard_max` invoices that cannot be folded.
};
inline constexpr int kDeadLetterReasonCount = 13;
std::string_view name(DeadLetterReason reason);  // snake_case, for headers and counters.

struct Rejection {
  DeadLetterReason reason = DeadLetterReason::kMalformed;
  std::string message;  // Names the field and what is wrong with it.
  // A date that shows that those before it may have been misread: `input.date_order` has to be set.
  bool lacks_date_order = false;
};
// Why the ledger refuses an invoice.
Rejection rejection_of(LedgerOutcome refused, std::string_view invoice_no);

using DecodedEvent = std::variant<InvoiceEvent, LineEvent, Tombstone, AnonymousSale, Adjustment,
                                  IgnoredRecord, Rejection>;

}  // namespace rfm
