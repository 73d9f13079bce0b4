#include "tests/fake/record_mutator.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr std::int64_t kStart = 1'293'840'000'000;  // 2011-01-01
constexpr std::uint64_t kCustomerCount = 200;

// Put in place of a field's value as they are, so in JSON also where no value is.
constexpr std::array<std::string_view, 61> kExtremes = {
    "",
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "-1",
    "00",
    "+1",
    ".5",
    "5.",
    "1e5",
    "1E-400",
    "1e400",
    "0.00005",
    "-0.00005",
    "0.1234567890123456789",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "922337203685477.5807",
    "922337203685477.5808",
    "99999999999999999999999999999999999999999999",
    "NaN",
    "Infinity",
    "0x10",
    "nul",
    "truefalse",
    "{}",
    "[]",
    "[[[[[[[[1]]]]]]]]",
    "[1,]",
    "{\"a\":}",
    "{\"a\":{\"b\":[{}]}}",
    "\"\"",
    "\" \"",
    "\"0\"",
    "\"17850.0\"",
    "\"17850.00\"",
    "\"C1\"",
    "\"A1\"",
    "\"credit\"",
    "\"invoice\"",
    "\"EUR\"",
    "\"\\u0000\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud800\"",
    "\"\\udc00\\ud800\"",
    "\"\\x\"",
    "\"\\",
    "\"\n\"",
    "\"\xc3\xa9\"",
    "\"\xff\"",
    "\"\xed\xa0\x80\"",
    "\"2099-12-31T23:59:59Z\"",
    "\"1969-12-31T23:59:59Z\"",
    "\"2011-02-29T00:00:00Z\"",
    "\"2016-12-31T23:59:60Z\"",
    "\"9999-99-99T99:99:99Z\"",
    "\"2011-06-01T12:00:00.123456789+14:00\"",
};

std::string in_quotes(std::string_view text) { return std::string("\"").append(text).append("\""); }

std::string without_quotes(std::string text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    text = text.substr(1, text.size() - 2);
  return text;
}

}  // namespace

OwnedRecord RecordMutator::next() {
  const std::string customer = std::to_string(12'000 + below(kCustomerCount));
  OwnedRecord record{.key = customer, .value = std::nullopt};
  ++count_;

  Fields fields = invent_fields(customer);
  const std::uint64_t mutation_count = below(3) == 0 ? 0 : 1 + below(3);
  std::uint64_t byte_mutation_count = 0;
  for (std::uint64_t i = 0; i < mutation_count; ++i) {
    if (below(5) < 3) {
      mutate_field(fields);
    } else {
      ++byte_mutation_count;
    }
  }
  std::string text = write(fields);
  if (previous_value_.empty()) previous_value_ = text;
  std::string unspoiled = text;
  for (std::uint64_t i = 0; i < byte_mutation_count; ++i) mutate_bytes(text);
  record.value = std::move(text);
  previous_value_ = std::move(unspoiled);
  if (mutation_count > 0 && below(12) == 0) mutate_key(record);
  return record;
}

RecordMutator::Fields RecordMutator::invent_fields(const std::string& customer) {
  return format_ == InputFormat::kInvoices ? invent_invoice(customer) : invent_line(customer);
}

RecordMutator::Fields RecordMutator::invent_line(const std::string& customer) {
  const bool is_credit = below(20) == 0;
  const EventTime time =
      from_ms(kStart + count_ * 600'000 + static_cast<std::int64_t>(below(600'000)));
  const std::string quantity = std::to_string(1 + below(48));
  Fields fields = {
      {"InvoiceNo", in_quotes((is_credit ? "C" : "") + std::to_string(500'000 + count_))},
      {"StockCode", in_quotes(std::to_string(20'000 + below(5'000)))},
      {"Description", below(10) == 0 ? "\"\"" : "\"LANTERN, WHITE\""},
      {"Quantity", (is_credit ? "-" : "") + quantity},
      {"InvoiceDate", in_quotes(below(2) == 0 ? to_uci(time) : to_rfc3339(time))},
      {"UnitPrice", std::to_string(below(20)) + "." + std::to_string(10 + below(90))},
      {"CustomerID", below(8) == 0 ? "\"\"" : in_quotes(customer + (below(2) == 0 ? ".0" : ""))},
      {"Country", "\"United Kingdom\""}};
  if (format_ == InputFormat::kLines && below(3) == 0) {
    fields.insert(fields.begin(), {"event_id", in_quotes("e" + std::to_string(count_))});
    fields.emplace_back("currency", "\"GBP\"");
  }
  return fields;
}

RecordMutator::Fields RecordMutator::invent_invoice(const std::string& customer) {
  const bool is_credit = below(10) == 0;
  const EventTime time =
      from_ms(kStart + count_ * 600'000 + static_cast<std::int64_t>(below(600'000)));
  Fields fields = {{"event_id", in_quotes("e" + std::to_string(count_))},
                   {"type", is_credit ? "\"credit\"" : "\"invoice\""},
                   {"invoice_no", in_quotes(std::to_string(500'000 + count_))},
                   {"customer_id", below(8) == 0 ? "null" : in_quotes(customer)},
                   {"invoice_time", in_quotes(to_rfc3339(time))},
                   {"currency", "\"GBP\""},
                   {"country", "\"France\""},
                   {"lines", invent_lines()}};
  if (is_credit && below(2) == 0) {
    fields.emplace_back(
        "original_invoice_no",
        in_quotes(std::to_string(500'000 + below(static_cast<std::uint64_t>(count_) + 1))));
  }
  if (below(4) == 0) fields.emplace_back("total", std::to_string(below(500)) + ".50");
  if (below(6) == 0) fields.emplace_back("revision", std::to_string(1 + below(3)));
  if (below(4) == 0) fields.emplace_back("consent", below(2) == 0 ? "true" : "false");
  return fields;
}

std::string RecordMutator::invent_lines() {
  std::string lines = "[";
  for (std::uint64_t i = 1 + below(4); i > 0; --i) {
    const std::string price = below(40) == 0 ? extreme_value() : std::to_string(below(50)) + ".25";
    lines += R"({"stock_code":"22423","description":"CAKESTAND","quantity":)" +
             std::to_string(1 + below(12)) + R"(,"unit_price":)" + price + (i > 1 ? "}," : "}");
  }
  return lines + "]";
}

std::string RecordMutator::write(const Fields& fields) {
  std::string text;
  if (format_ == InputFormat::kCsv) {
    for (const auto& [name, value] : fields) {
      const std::string column = without_quotes(value);
      text += text.empty() && &name == &fields.front().first ? "" : ",";
      text += column.find(',') == std::string::npos ? column : in_quotes(column);
    }
    return text;
  }
  const std::string_view space = below(10) == 0 ? "\n\t " : "";
  for (const auto& [name, value] : fields) {
    text += text.empty() ? "{" : ",";
    text.append(space)
        .append(in_quotes(name))
        .append(space)
        .append(":")
        .append(space)
        .append(value)
        .append(space);
  }
  return text.empty() ? "{}" : text + "}";
}

std::string RecordMutator::extreme_value() {
  const std::uint64_t choice = below(kExtremes.size() + 5);
  if (choice < kExtremes.size()) return std::string(kExtremes[choice]);
  const std::size_t size = std::size_t{1} << below(13);
  if (choice == kExtremes.size()) {
    std::string digits(size, '9');
    return digits;
  }
  if (choice == kExtremes.size() + 1) return in_quotes(std::string(size, 'x'));
  if (choice == kExtremes.size() + 2)
    return std::string(size, '[') + std::string(below(2) * size, ']');
  if (choice == kExtremes.size() + 3) return "0." + std::string(size, '0') + "1";
  return in_quotes(std::to_string(below(1'000'000)) + ".0");
}

void RecordMutator::mutate_field(Fields& fields) {
  if (fields.empty()) return;
  const auto at = fields.begin() + static_cast<std::ptrdiff_t>(below(fields.size()));
  switch (below(8)) {
    case 0:
      fields.erase(at);
      return;
    case 1:
      fields.insert(fields.begin() + static_cast<std::ptrdiff_t>(below(fields.size())), *at);
      return;
    case 2:
      std::swap(*at, fields[below(fields.size())]);
      return;
    case 3:
      fields.insert(at, {"unknown", extreme_value()});
      return;
    case 4:
      at->first[below(at->first.size())] ^= 0x20;
      return;
    case 5:  // Numbers as text, text as numbers.
      at->second = at->second.front() == '"' ? without_quotes(at->second) : in_quotes(at->second);
      if (at->second.empty()) at->second = "null";
      return;
    default:
      at->second = extreme_value();
      return;
  }
}

void RecordMutator::mutate_bytes(std::string& text) {
  const std::size_t at = below(text.size() + 1);
  const std::size_t size = below(text.size() - at + 1);
  switch (below(8)) {
    case 0:
      text.resize(at);
      return;
    case 1:
      text.insert(at, text.substr(at, size));
      return;
    case 2:
      text = text.substr(0, at) + previous_value_.substr(std::min(at, previous_value_.size()));
      return;
    case 3:
      text.erase(at, below(4));
      return;
    case 4:
      text.insert(at, 1, static_cast<char>(below(256)));
      return;
    case 5:
      text += text;
      return;
    case 6:
      text.insert(at, below(2) == 0 ? " " : "\\");
      return;
    default:
      if (!text.empty()) {
        char& byte = text[below(text.size())];
        byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << below(8)));
      }
      return;
  }
}

void RecordMutator::mutate_key(OwnedRecord& record) {
  switch (below(6)) {
    case 0:
      record.key.reset();
      return;
    case 1:
      record.key = std::to_string(12'000 + below(kCustomerCount));
      return;
    case 2:
      mutate_bytes(*record.key);
      return;
    case 3:
      record.key = std::string(below(200), 'k');
      return;
    default:
      record.value.reset();
      if (below(3) == 0) mutate_bytes(*record.key);
      return;
  }
}

}  // namespace rfm
