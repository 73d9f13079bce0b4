// What the fields of a record mean, one at a time, and what is wrong with the first that means
// nothing.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "state/event_time.h"
#include "stream/decode/decoder_options.h"
#include "stream/decode/event.h"
#include "stream/decode/record_fields.h"
#include "stream/text/decimal.h"
#include "stream/text/time_text.h"

namespace rfm {

// How ids are written.
enum class IdForm : std::uint8_t {
  kOpaque,
  kUci,  // \d+\.0+ is its integer part, since spreadsheets make decimals of numbers.
};

// An id must be 1 to 128 bytes without NUL.
inline constexpr std::size_t kIdBytesMax = 128;
// What these texts have beyond so many bytes is cut off, whole characters.
inline constexpr std::size_t kCountryBytesMax = 128;
inline constexpr std::size_t kProductBytesMax = 64;
inline constexpr std::size_t kDescriptionBytesMax = 128;
std::string_view without_zero_decimals(std::string_view id);

// `A` and digits: the number of Online Retail's corrections of the books.
bool is_adjustment(std::string_view invoice_no);

// `C` or `c` in front: the number of a cancellation in the line formats.
bool is_cancellation(std::string_view invoice_no);

// Reads fields in the order in which it is asked. After the first problem it only gives empty
// values, so that its user looks for the problem once, at the end. An empty string counts as a
// missing field.
class FieldValues {
 public:
  // All must outlive this.
  FieldValues(const RecordFields& fields, const std::array<std::string, kFieldCount>& labels,
              TimeReader& times, const NumberForm& numbers = {}, EpochUnit epoch = EpochUnit::kNone)
      : fields_(fields), labels_(labels), times_(times), numbers_(numbers), epoch_(epoch) {}

  bool has(Field field) const { return fields_[field].holds_something(); }
  std::string_view label(Field field) const { return labels_[static_cast<std::size_t>(field)]; }

  std::string_view required_id(Field field, IdForm form);
  std::string_view optional_id(Field field, IdForm form);  // Empty: missing.
  std::string_view optional_text(Field field);
  std::string_view required_text(Field field);
  std::string_view optional_country(Field field);  // At most kCountryBytesMax.
  // At most kProductBytesMax; as it is written if it is a number. Nothing else is wrong.
  std::string_view product() const;
  std::string_view description() const;  // At most kDescriptionBytesMax; empty: no text.
  EventTime required_time(Field field);
  Decimal required_decimal(Field field);
  // `text` as the value of `field`.
  Decimal decimal(Field field, const FieldText& text);
  // A whole number, or a time as its milliseconds; 0 if missing.
  std::int64_t optional_revision(Field field);
  std::optional<bool> optional_truth(Field field);
  void check_currency(std::string_view currency);
  void check_currency_if_present(std::string_view currency);

  // Notes a problem, unless there is one.
  void reject(const Rejection& rejection);
  void reject(DeadLetterReason reason, Field field, std::string_view what);
  const std::optional<Rejection>& rejection() const { return rejection_; }

 private:
  // Whether the field is there and nothing is wrong so far; notes that it is missing.
  bool require(Field field) {
    if (!rejection_ && has(field)) return true;
    reject(DeadLetterReason::kMissingField, field, "missing");
    return false;
  }
  void reject_value(Field field, std::string_view expected);
  void reject_time(Field field);
  std::optional<std::int64_t> epoch_ms(const FieldText& value) const;

  const RecordFields& fields_;
  const std::array<std::string, kFieldCount>& labels_;
  TimeReader& times_;
  NumberForm numbers_;
  EpochUnit epoch_;
  std::optional<Rejection> rejection_;
};

}  // namespace rfm
