#include "stream/decode/event.h"

#include <array>

#include "state/assertion.h"

namespace rfm {

std::string_view name(IgnoredReason reason) {
  static constexpr std::array<std::string_view, kIgnoredReasonCount> kNames = {
      "no_customer", "superseded", "adjustment", "unrelated", "null_value"};
  return kNames[static_cast<std::size_t>(reason)];
}

std::string_view name(DeadLetterReason reason) {
  static constexpr std::array<std::string_view, kDeadLetterReasonCount> kNames = {
      "malformed",      "missing_field",    "invalid_field",   "wrong_currency",
      "key_missing",    "key_mismatch",     "wrong_partition", "future_event_time",
      "beyond_horizon", "negative_invoice", "amount_overflow", "oversized",
      "ledger_full"};
  return kNames[static_cast<std::size_t>(reason)];
}

Rejection rejection_of(LedgerOutcome refused, std::string_view invoice_no) {
  RFM_ASSERT(is_refused(refused));
  const std::string subject = "invoice_no " + std::string(invoice_no);
  switch (refused) {
    case LedgerOutcome::kBeyondHorizon:
      return {DeadLetterReason::kBeyondHorizon,
              subject +
                  ": not later than the customer's invoices that were folded together, so it "
                  "cannot be proved new"};
    case LedgerOutcome::kFull:
      return {DeadLetterReason::kLedgerFull,
              subject +
                  ": the customer has ledger.hard_max invoices that are too new to be folded "
                  "together"};
    default:
      return {DeadLetterReason::kAmountOverflow,
              subject + ": the customer's total would leave 64 bits of 10^-4"};
  }
}

}  // namespace rfm
