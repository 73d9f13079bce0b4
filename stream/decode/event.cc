#include "stream/decode/event.h"

#include <array>

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
      "beyond_horizon", "negative_invoice", "amount_overflow", "oversized"};
  return kNames[static_cast<std::size_t>(reason)];
}

}  // namespace rfm
