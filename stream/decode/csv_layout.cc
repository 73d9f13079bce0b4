#include "stream/decode/csv_layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "state/assertion.h"
#include "stream/decode/csv_split.h"
#include "stream/text/utf8.h"

namespace rfm {

const std::string_view kOnlineRetailHeader =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country";

namespace {

enum class Use : std::uint8_t { kBoth, kLines, kOrders };

struct Column {
  Field field;
  std::string_view setting;
  std::string_view name;   // Of Online Retail, or our own.
  std::string_view other;  // Of Online Retail II, or our own.
  Use use = Use::kBoth;
};
constexpr std::array<Column, 15> kColumns = {{
    {Field::kInvoiceNo, "invoice_no", "InvoiceNo", "Invoice"},
    {Field::kStockCode, "stock_code", "StockCode", "", Use::kLines},
    {Field::kDescription, "description", "Description", "", Use::kLines},
    {Field::kQuantity, "quantity", "Quantity", "", Use::kLines},
    {Field::kInvoiceTime, "invoice_time", "InvoiceDate", "invoice_time"},
    {Field::kUnitPrice, "unit_price", "UnitPrice", "Price", Use::kLines},
    {Field::kTotal, "total", "total", "", Use::kOrders},
    {Field::kCustomerId, "customer_id", "CustomerID", ""},
    {Field::kCountry, "country", "Country", ""},
    {Field::kCurrency, "currency", "currency", ""},
    {Field::kType, "type", "type", "", Use::kOrders},
    {Field::kOriginalInvoiceNo, "original_invoice_no", "original_invoice_no", "", Use::kOrders},
    {Field::kEventId, "event_id", "event_id", ""},
    {Field::kRevision, "revision", "revision", "", Use::kOrders},
    {Field::kConsent, "consent", "consent", "", Use::kOrders},
}};

struct Separator {
  char mark;
  std::string_view name;
};
constexpr std::array<Separator, 4> kSeparators = {
    {{',', "\",\""}, {';', "\";\""}, {'\t', "tabs"}, {'|', "\"|\""}}};

std::string shown_separator(char mark) {
  for (const Separator& separator : kSeparators) {
    if (separator.mark == mark) return std::string(separator.name);
  }
  return fmt::format("\"{}\"", mark);
}

// Letters and digits in lower case; whatever is not ASCII stays.
std::string folded(std::string_view name) {
  std::string result;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') result += static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80)
      result += c;
  }
  return result;
}

// Empty: its quotes are broken.
std::vector<std::string> names_of(std::string_view header, char separator) {
  std::vector<std::string> names;
  std::string scratch(header.size(), '\0');
  CsvColumns columns(header, separator, scratch.data());
  std::string_view column;
  for (;;) {
    const CsvColumns::Next next = columns.next(column);
    if (next == CsvColumns::Next::kEnd) return names;
    if (next == CsvColumns::Next::kBrokenQuotes) return {};
    names.emplace_back(trimmed(column));
  }
}

// The header's names with what they are found to be.
class HeaderReader {
 public:
  HeaderReader(std::vector<std::string> names, const CsvOptions& options)
      : names_(std::move(names)), options_(options), fields_(names_.size()) {
    for (const std::string& name : names_) folded_.push_back(folded(name));
    for (const Column& column : kColumns) {
      const std::string& chosen = options_.columns[static_cast<std::size_t>(column.field)];
      if (!chosen.empty() && !find(column, chosen, By::kSetting)) {
        note(fmt::format("has no column called {}, which input.columns.{} names", shown(chosen),
                         column.setting));
      }
    }
    for (const Column& column : kColumns) {
      if (!options_.columns[static_cast<std::size_t>(column.field)].empty()) continue;
      if (!find(column, column.name, By::kKnownName) && !column.other.empty())
        find(column, column.other, By::kKnownName);
    }
  }

  std::size_t found() const {
    return static_cast<std::size_t>(std::count_if(
        fields_.begin(), fields_.end(), [](const auto& field) { return field.has_value(); }));
  }
  std::size_t size() const { return names_.size(); }

  absl::StatusOr<CsvLayout> layout(char separator) const {
    CsvLayout layout{.separator = separator, .columns = fields_};
    if (!problem_.empty()) return absl::InvalidArgumentError(with_names(problem_, separator));
    const bool has_total = has(Field::kTotal);
    const bool has_lines = has(Field::kQuantity) && has(Field::kUnitPrice);
    const bool total_is_chosen = !options_.columns[static_cast<std::size_t>(Field::kTotal)].empty();
    if (has_total && (total_is_chosen || !has_lines)) layout.rows = CsvRows::kOrders;
    if (found() == 0) {
      return absl::InvalidArgumentError(fmt::format(
          "begins with {}, which names none of the columns that are needed; add a header such as "
          "{}, or say with input.columns what its columns are called",
          shown(fmt::format("{}", fmt::join(names_, std::string_view(&separator, 1)))),
          kOnlineRetailHeader));
    }
    std::string missing;
    for (const Column& column : kColumns) {
      if (!is_required(column.field, layout.rows) || has(column.field)) continue;
      missing += fmt::format("{}{} ({}{}{})", missing.empty() ? "" : ", ", column.setting,
                             column.name, column.other.empty() ? "" : " or ", column.other);
    }
    if (!missing.empty()) {
      const std::string_view total =
          layout.rows == CsvRows::kLines ? " (total, where a row is a whole order)" : "";
      return absl::InvalidArgumentError(with_names(
          fmt::format("has no column for {}{}; name what stands for it in "
                      "[input.columns]",
                      missing, missing.find("unit_price") == std::string::npos ? "" : total),
          separator));
    }
    const Use other_use = layout.rows == CsvRows::kLines ? Use::kOrders : Use::kLines;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      std::optional<Field>& field = layout.columns[i];
      if (field && use_of(*field) == other_use) field.reset();
      if (field) layout.labels[static_cast<std::size_t>(*field)] = names_[i];
      if (!field && !names_[i].empty()) layout.unread.push_back(names_[i]);
    }
    for (const Column& column : kColumns) {
      std::string& label = layout.labels[static_cast<std::size_t>(column.field)];
      if (label.empty()) label = column.name;
    }
    return layout;
  }

 private:
  static Use use_of(Field field) {
    for (const Column& column : kColumns) {
      if (column.field == field) return column.use;
    }
    return Use::kBoth;
  }

  static bool is_required(Field field, CsvRows rows) {
    switch (field) {
      case Field::kInvoiceNo:
      case Field::kInvoiceTime:
      case Field::kCustomerId:
        return true;
      case Field::kQuantity:
      case Field::kUnitPrice:
        return rows == CsvRows::kLines;
      default:
        return false;
    }
  }

  bool has(Field field) const {
    return std::find(fields_.begin(), fields_.end(), field) != fields_.end();
  }

  enum class By : std::uint8_t { kSetting, kKnownName };

  // Takes the column called `name`. Known names leave alone what a setting has taken.
  bool find(const Column& column, std::string_view name, By by) {
    const std::string wanted = folded(name);
    std::optional<std::size_t> place;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (folded_[i] != wanted || (fields_[i] && by == By::kKnownName)) continue;
      if (place) note(fmt::format("has two columns called {}", shown(names_[i])));
      if (fields_[i])
        note(fmt::format("has one column {}, which input.columns names twice", shown(names_[i])));
      place = i;
    }
    if (place) fields_[*place] = column.field;
    return place.has_value();
  }

  void note(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
  }

  std::string with_names(std::string_view problem, char separator) const {
    constexpr std::size_t kNamesMax = 20;
    const auto shown_names = std::span(names_).first(std::min(names_.size(), kNamesMax));
    return fmt::format("{}; its header, split at {}, has {}{}", problem, shown_separator(separator),
                       fmt::join(shown_names, ", "), names_.size() > kNamesMax ? ", ..." : "");
  }

  std::vector<std::string> names_;
  const CsvOptions& options_;
  std::vector<std::string> folded_;
  std::vector<std::optional<Field>> fields_;
  std::string problem_;
};

}  // namespace

absl::StatusOr<CsvLayout> read_csv_header(std::string_view header, const CsvOptions& options) {
  header = without_line_end(header);
  std::string text(header.size() * kUtf8BytesPerByte, '\0');
  text.resize(to_utf8(header, options.encoding, text.data()));
  text = with_replacements(text);
  char best = ',';
  std::optional<HeaderReader> reader;
  for (const Separator& separator : kSeparators) {
    const char mark = options.separator == '\0' ? separator.mark : options.separator;
    HeaderReader tried(names_of(text, mark), options);
    const bool is_better = !reader || tried.found() > reader->found() ||
                           (tried.found() == reader->found() && tried.size() > reader->size());
    if (!is_better) continue;
    best = mark;
    reader.emplace(std::move(tried));
  }
  return reader->layout(best);
}

CsvLayout online_retail_layout() {
  absl::StatusOr<CsvLayout> layout = read_csv_header(kOnlineRetailHeader, CsvOptions{});
  RFM_ASSERT(layout.ok());
  return *std::move(layout);
}

std::string_view csv_setting(Field field) {
  for (const Column& column : kColumns) {
    if (column.field == field) return column.setting;
  }
  return "";
}

std::string describe(const CsvLayout& layout) {
  std::vector<std::string_view> read;
  for (const std::optional<Field>& field : layout.columns) {
    if (field) read.push_back(layout.labels[static_cast<std::size_t>(*field)]);
  }
  std::string text = fmt::format("columns split at {}: {}", shown_separator(layout.separator),
                                 fmt::join(read, ", "));
  if (!layout.unread.empty()) text += fmt::format("; not read: {}", fmt::join(layout.unread, ", "));
  if (layout.rows == CsvRows::kOrders) text += "; a row is a whole order";
  return text;
}

}  // namespace rfm
