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

EventTime FieldValues::required_time(Field field) {
  if (!require(field)) return {};
  if (fields_[field].form == FieldForm::kString) {
    if (const std::optional<EventTime> time = times_.read(fields_[field].text)) return *time;
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
  if (!require(field)) return {};
  const FieldText& value = fields_[field];
  if (!is_text_or_number(value)) {
    reject_value(field, "a decimal number");
    return {};
  }
  const ParsedDecimal parsed = parse_decimal(value.text, numbers_);
  if (parsed.error == DecimalError::kNone) return parsed.value;
  if (has_other_marks(value.text, numbers_)) {
    reject_value(field,
                 fmt::format("a decimal number like -12{}50; input.decimal and input.thousands say "
                             "which marks numbers have",
                             numbers_.decimal_mark));
  } else if (parsed.error == DecimalError::kTooLarge) {
    reject(DeadLetterReason::kAmountOverflow, field,
           fmt::format("{} is too large", shown(value.text)));
  } else {
    const bool is_decimal = parsed.error == DecimalError::kTooPrecise;
    reject_value(field,
                 is_decimal ? "a number of at most 18 digits" : "a decimal number like -12.50");
  }
  return {};
}

std::int64_t FieldValues::optional_count(Field field) {
  if (rejection_ || !has(field)) return 0;
  const FieldText& value = fields_[field];
  if (is_text_or_number(value) && is_whole_number(value.text)) {
    const ParsedDecimal parsed = parse_decimal(value.text);
    if (parsed.error == DecimalError::kNone && parsed.value.coefficient >= 0)
      return parsed.value.coefficient;
  }
  reject_value(field, "a whole number from 0 to 2^63 - 1");
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
