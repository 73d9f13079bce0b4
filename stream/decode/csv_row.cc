#include "stream/decode/csv_row.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "stream/text/utf8.h"

namespace rfm {
namespace {

constexpr std::size_t kColumnCount = 8;

struct Column {
  std::string_view name;
  std::optional<Field> field;
};
constexpr std::array<Column, kColumnCount> kColumns = {{
    {"InvoiceNo", Field::kInvoiceNo},
    {"StockCode", std::nullopt},
    {"Description", std::nullopt},
    {"Quantity", Field::kQuantity},
    {"InvoiceDate", Field::kInvoiceTime},
    {"UnitPrice", Field::kUnitPrice},
    {"CustomerID", Field::kCustomerId},
    {"Country", Field::kCountry},
}};

// Online Retail II has other names.
constexpr std::array<std::string_view, kColumnCount> kOtherNames = {
    "invoice",     "stockcode", "description", "quantity",
    "invoicedate", "price",     "customer id", "country"};

enum class SplitResult : std::uint8_t { kDone, kMore, kBrokenQuotes };

// Takes columns off the front of a row. Quoted ones are unescaped in place.
class Splitter {
 public:
  explicit Splitter(std::string& row) : next_(row.data()), end_(row.data() + row.size()) {}

  // kMore: a comma followed `column`.
  SplitResult next(std::string_view& column) {
    if (next_ != end_ && *next_ == '"') return next_quoted(column);
    const std::size_t rest = static_cast<std::size_t>(end_ - next_);
    const void* const comma = rest == 0 ? nullptr : std::memchr(next_, ',', rest);
    const std::size_t size =
        comma == nullptr ? rest : static_cast<std::size_t>(static_cast<const char*>(comma) - next_);
    column = {next_, size};
    next_ += size;
    return skip_comma();
  }

 private:
  SplitResult next_quoted(std::string_view& column) {
    char* to = ++next_;
    const char* const first = to;
    for (;; ++next_) {
      if (next_ == end_) return SplitResult::kBrokenQuotes;
      if (*next_ == '"') {
        ++next_;
        if (next_ == end_ || *next_ != '"') break;
      }
      *to++ = *next_;
    }
    column = {first, static_cast<std::size_t>(to - first)};
    if (next_ != end_ && *next_ != ',') return SplitResult::kBrokenQuotes;
    return skip_comma();
  }

  SplitResult skip_comma() {
    if (next_ == end_) return SplitResult::kDone;
    ++next_;
    return SplitResult::kMore;
  }

  char* next_;
  const char* end_;
};

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

std::string_view without_line_end(std::string_view row) {
  if (!row.empty() && row.back() == '\n') row.remove_suffix(1);
  if (!row.empty() && row.back() == '\r') row.remove_suffix(1);
  return row;
}

}  // namespace

std::optional<std::string> CsvRow::read(std::string_view row) {
  scratch_.assign(without_line_end(row));
  fields_.clear();
  Splitter splitter(scratch_);
  std::size_t count = 0;
  for (SplitResult result = SplitResult::kMore; result == SplitResult::kMore; ++count) {
    std::string_view text;
    result = splitter.next(text);
    if (result == SplitResult::kBrokenQuotes)
      return "a quoted column is not closed, or text follows it";
    if (count >= kColumnCount || !kColumns[count].field) continue;
    fields_[*kColumns[count].field] = {text, FieldForm::kString};
  }
  if (count != kColumnCount) return fmt::format("the row has {} columns, not 8", count);
  for (const Column& column : kColumns) {
    if (column.field && !is_utf8(fields_[*column.field].text))
      return fmt::format("{} is not UTF-8", column.name);
  }
  return std::nullopt;
}

bool is_uci_header(std::string_view row) {
  std::string text(without_line_end(row));
  Splitter splitter(text);
  std::size_t count = 0;
  for (SplitResult result = SplitResult::kMore; result == SplitResult::kMore; ++count) {
    std::string_view column;
    result = splitter.next(column);
    if (result == SplitResult::kBrokenQuotes || count >= kColumnCount) return false;
    const std::string name = lower_case(column);
    if (name != lower_case(kColumns[count].name) && name != kOtherNames[count]) return false;
  }
  return count == kColumnCount;
}

std::string_view csv_label(Field field) {
  for (const Column& column : kColumns) {
    if (column.field == field) return column.name;
  }
  return "";
}

}  // namespace rfm
