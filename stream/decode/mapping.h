// How the records of other producers are read: the texts of the settings `input.fields.*` and
// `input.types`, taken apart.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace rfm {

// Where a field's value comes from: the first of the places that holds one, else the constant.
struct FieldSource {
  std::vector<std::string> pointers;  // JSON pointers (RFC 6901).
  std::optional<std::string> constant;
};

// "/order/id", "/after/id, /before/id", "=GBP", "/currency, =GBP". Empty: nothing is said.
absl::StatusOr<FieldSource> parse_field_source(std::string_view text);

// The keys that a pointer leads through, as they are written in a record.
absl::StatusOr<std::vector<std::string>> split_pointer(std::string_view pointer);

// What a record can be.
enum class RecordType : std::uint8_t {
  kInvoice,
  kCredit,
  kVoid,    // A cancelled order: the invoice is one no more.
  kIgnore,  // Nothing of ours.
};

// A line of `input.types`.
struct TypeRule {
  enum class Test : std::uint8_t {
    kAlways,
    kHolds,     // There, and not null, false or an empty text.
    kHoldsNot,  //
    kEquals,    // One of the values.
    kDiffers,   // None of them, or absent.
  };
  RecordType type = RecordType::kInvoice;
  Test test = Test::kAlways;
  std::string pointer;
  std::vector<std::string> values;
};

// "ignore if /test, void if /status = cancelled | failed, invoice": the first rule that fits holds.
// A value or pointer with one of `,|="` or spaces at an end is written in double quotes, where a
// backslash stands before each quote or backslash that is meant.
absl::StatusOr<std::vector<TypeRule>> parse_type_rules(std::string_view text);

// "0, guest": ids that mean nobody. Quotes as above.
absl::StatusOr<std::vector<std::string>> parse_ids(std::string_view text);

}  // namespace rfm
