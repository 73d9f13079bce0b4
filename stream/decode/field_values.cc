#include "stream/decode/field_values.h"

#include <fmt/core.h>

#include <cstddef>

#include "stream/text/utf8.h"

namespace rfm {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_whole_number(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_text_or_number(const FieldText& field) {
  return field.form == FieldForm::kString || field.form == FieldForm::kNumber;
}

// Whole characters, at most `bytes_max`.
std::string_view cut_off(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

// Whether the digits of `text` have marks between them that other sheets have: "2,55", "1 200".
bool has_other_marks(std::string_view text, const NumberForm& form) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty() || !is_digit(text.front())) return false;
  for (const std::string_view mark : {",", ".", "'", " ", "\xc2\xa0", "\xe2\x80\xaf"}) {
    const std::size_t at = text.find(mark);
    if (at == std::string_view::npos || mark.front() == form.decimal_mark) continue;
    const std::string_view behind = text.substr(at + mark.size());
    return !behind.empty() && is_digit(behind.front()) &&
           behind.find_first_not_of("0123456789.,' \xc2\xa0\xe2\x80\xaf") == std::string_view::npos;
  }
  return false;
}

// Of the standard alphabet, and unlike a word: padded, or with capitals amid other letters.
bool looks_like_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return false;
  const bool is_padded = text.back() == '=';
  for (int i = 0; i < 2 && text.back() == '='; ++i) text.remove_suffix(1);
  bool has_capital = false;
  bool has_other = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool is_capital = c >= 'A' && c <= 'Z';
    const bool is_small = (c >= 'a' && c <= 'z') || is_digit(c) || c == '+' || c == '/';
    if (!is_capital && !is_small) return false;
    has_capital |= is_capital && i > 0;
    has_other |= is_small;
  }
  return is_padded || (has_capital && has_other);
}

}  // namespace

bool is_adjustment(std::string_view invoice_no) {
  return invoice_no.size() > 1 && invoice_no.front() == 'A' &&
         invoice_no.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

bool is_cancellation(std::string_view invoice_no) {
  return invoice_no.starts_with('C') || invoice_no.starts_with('c');
}

std::string_view without_zero_decimals(std::string_view id) {
  if (id.empty() || id.back() != '0') return id;
  std::size_t end = id.size();
  while (end > 0 && id[end - 1] == '0') --end;
  if (end < 2 || end == id.size() || id[end - 1] != '.') return id;
  const std::string_view whole = id.substr(0, end - 1);
  for (const char c : whole) {
    if (!is_digit(c)) return id;
  }
  return whole;
}

void FieldValues::reject(const Rejection& rejection) {
  if (!rejection_) rejection_ = rejection;
}

void FieldValues::reject(DeadLetterReason reason, Field field, std::string_view what) {
  if (!rejection_) rejection_ = {reason, fmt::format("{}: {}", label(field), what)};
}

void FieldValues::reject_value(Field field, std::string_view expected) {
  if (rejection_) return;
  reject(DeadLetterReason::kInvalidField, field,
         fmt::format("{} is not {}", shown(fields_[field].text), expected));
}

std::string_view FieldValues::required_id(Field field, IdForm form) {
  return require(field) ? optional_id(field, form) : std::string_view{};
}

std::string_view FieldValues::optional_id(Field field, IdForm form) {
  if (rejection_ || !has(field)) return {};
  const FieldText& value = fields_[field];
  const std::string_view id = form == IdForm::kUci ? without_zero_decimals(value.text) : value.text;
  if (value.form != FieldForm::kString &&
      !(value.form == FieldForm::kNumber && is_whole_number(id))) {
    reject_value(field, "an id, which is a string or a whole number");
    return {};
  }
  if (id.size() > kIdBytesMax) {
    reject(DeadLetterReason::kInvalidField, field,
           fmt::format("{} has {} bytes, more than {}", shown(id), id.size(), kIdBytesMax));
    return {};
  }
  if (id.find('\0') != std::string_view::npos) {
    reject_value(field, "an id, which has no NUL");
    return {};
  }
  return id;
}

std::string_view FieldValues::optional_text(Field field) {
  if (rejection_ || !has(field)) return {};
  if (fields_[field].form == FieldForm::kString) return fields_[field].text;
  reject_value(field, "a string");
  return {};
}

std::string_view FieldValues::required_text(Field field) {
  return require(field) ? optional_text(field) : std::string_view{};
}

std::string_view FieldValues::optional_country(Field field) {
  return cut_off(optional_text(field), kCountryBytesMax);
}

std::string_view FieldValues::product() const {
  const FieldText& code = fields_[Field::kStockCode];
  return is_text_or_number(code) ? cut_off(code.text, kProductBytesMax) : std::string_view{};
}

std::string_view FieldValues::description() const {
  const FieldText& text = fields_[Field::kDescription];
  return is_text_or_number(text) ? cut_off(text.text, kDescriptionBytesMax) : std::string_view{};
}

// Of a number, or digits in a text, where numbers stand for times. Finer digits are cut off.
std::optional<std::int64_t> FieldValues::epoch_ms(const FieldText& value) const {
  if (epoch_ == EpochUnit::kNone || !is_text_or_number(value)) return std::nullopt;
  const ParsedDecimal parsed =
      value.form == FieldForm::kNumber ? parse_json_decimal(value.text) : parse_decimal(value.text);
  if (parsed.error != DecimalError::kNone || parsed.value.coefficient < 0) return std::nullopt;
  constexpr int kMsDigits = 3;
  const int unit_digits = kMsDigits * (static_cast<int>(epoch_) - 1);  // Decimals of a second.
  std::int64_t ms = parsed.value.coefficient;
  int shift = kMsDigits - unit_digits - parsed.value.scale;
  for (; shift > 0; --shift) {
    if (__builtin_mul_overflow(ms, 10, &ms)) return std::nullopt;
  }
  for (; shift < 0; ++shift) ms /= 10;
  return ms;
}

EventTime FieldValues::required_time(Field field) {
  if (!require(field)) return {};
  const FieldText& value = fields_[field];
  if (const auto ms = epoch_ms(value)) {
    if (from_ms(*ms) < kLatestEventTime) return from_ms(*ms);
  } else if (value.form == FieldForm::kString) {
    if (const std::optional<EventTime> time = times_.read(value.text)) return *time;
  }
  if (value.form == FieldForm::kNumber && epoch_ == EpochUnit::kNone) {
    reject_value(field,
                 "a time like \"2010-12-01T08:26:00Z\"; if it counts from 1970, set input.epoch");
  }
  reject_time(field);
  return {};
}

void FieldValues::reject_time(Field field) {
  const std::string_view text = fields_[field].text;
  if (fields_[field].form == FieldForm::kString && times_.lacks_order(text)) {
    reject(DeadLetterReason::kInvalidField, field,
           fmt::format("{} can only be read when it is known what comes first: set "
                       "input.date_order to \"dmy\", \"mdy\" or \"ymd\"",
                       shown(text)));
    rejection_->lacks_date_order = true;
    return;
  }
  const std::optional<EventTime> day_number = read_day_number(text);
  reject_value(field, day_number ? fmt::format("a time but an Excel serial date number ({}); save "
                                               "the column as dates",
                                               to_uci(*day_number))
                                 : "a time like \"2010-12-01T08:26:00Z\" between 1970 and 2199");
}

Decimal FieldValues::required_decimal(Field field) {
  return require(field) ? decimal(field, fields_[field]) : Decimal{};
}

Decimal FieldValues::decimal(Field field, const FieldText& text) {
  const auto refuse = [&](std::string_view expected) {
    reject(DeadLetterReason::kInvalidField, field,
           fmt::format("{} is not {}", shown(text.text), expected));
    return Decimal{};
  };
  if (!is_text_or_number(text)) return refuse("a decimal number");
  const ParsedDecimal parsed = text.form == FieldForm::kNumber ? parse_json_decimal(text.text)
                                                               : parse_decimal(text.text, numbers_);
  if (parsed.error != DecimalError::kNone && has_other_marks(text.text, numbers_)) {
    return refuse(
        fmt::format("a decimal number like -12{}50; input.decimal and input.thousands say "
                    "which marks numbers have",
                    numbers_.decimal_mark));
  }
  switch (parsed.error) {
    case DecimalError::kNone:
      return parsed.value;
    case DecimalError::kTooLarge:
      reject(DeadLetterReason::kAmountOverflow, field,
             fmt::format("{} is too large", shown(text.text)));
      return {};
    case DecimalError::kTooPrecise:
      return refuse("a number of at most 18 digits");
    case DecimalError::kNotDecimal:
      break;
  }
  if (looks_like_base64(text.text)) {
    return refuse(
        "a decimal number but looks like the base64 in which Kafka Connect writes decimals; let "
        "the connector write text (decimal.handling.mode=string) or numbers "
        "(decimal.format=NUMERIC)");
  }
  return refuse("a decimal number like -12.50");
}

std::int64_t FieldValues::optional_revision(Field field) {
  if (rejection_ || !has(field)) return 0;
  const FieldText& value = fields_[field];
  if (const auto ms = epoch_ms(value)) return *ms;
  if (is_text_or_number(value)) {
    const ParsedDecimal parsed = value.form == FieldForm::kNumber ? parse_json_decimal(value.text)
                                                                  : parse_decimal(value.text);
    // As a plain number it has no decimal point, so that 1.0 is none.
    const bool is_whole =
        parsed.value.scale == 0 && (value.text.find('.') == value.text.npos ||
                                    value.text.find_first_of("eE") != value.text.npos);
    if (parsed.error == DecimalError::kNone && is_whole && parsed.value.coefficient >= 0)
      return parsed.value.coefficient;
  }
  if (value.form == FieldForm::kString) {
    if (const std::optional<EventTime> time = times_.read(value.text)) return to_ms(*time);
  }
  reject_value(field, "a whole number from 0 to 2^63 - 1, or a time");
  return 0;
}

std::optional<bool> FieldValues::optional_truth(Field field) {
  if (rejection_ || !has(field)) return std::nullopt;
  if (fields_[field].form == FieldForm::kTrue) return true;
  if (fields_[field].form == FieldForm::kFalse) return false;
  reject_value(field, "true or false");
  return std::nullopt;
}

void FieldValues::check_currency(std::string_view currency) {
  const std::string_view text = required_text(Field::kCurrency);
  if (!rejection_ && text != currency) {
    reject(DeadLetterReason::kWrongCurrency, Field::kCurrency,
           fmt::format("{} is not {}", shown(text), currency));
  }
}

void FieldValues::check_currency_if_present(std::string_view currency) {
  if (has(Field::kCurrency)) check_currency(currency);
}

}  // namespace rfm
