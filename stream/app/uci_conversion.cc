#include "stream/app/uci_conversion.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "stream/decode/field_values.h"
#include "stream/text/decimal.h"
#include "stream/text/json_text.h"
#include "stream/text/utf8.h"

namespace rfm {

namespace {

// As a JSON number with the same digits if it is one, else as text: the decoder says what is wrong
// with it.
void write_number(JsonText& out, std::string_view name, std::string_view text) {
  const bool decimal = parse_decimal(text).error == DecimalError::kNone;
  // JSON has no leading zeros.
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  const bool leading_zero = digits.size() > 1 && digits[0] == '0' && digits[1] != '.';
  if (!decimal || leading_zero) return out.key(name).text(text);
  out.key(name).raw(text);
}

}  // namespace

absl::StatusOr<UciRow> read_uci_row(std::string_view text) {
  constexpr std::size_t kColumns = 8;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  std::array<std::string, kColumns> columns;
  std::size_t column = 0;
  std::size_t i = 0;
  for (; column < kColumns; ++column) {
    std::string& out = columns[column];
    if (i < text.size() && text[i] == '"') {
      for (++i;; ++i) {
        if (i == text.size()) return absl::InvalidArgumentError("a quote is not closed");
        if (text[i] == '"' && (i + 1 == text.size() || text[i + 1] != '"')) break;
        if (text[i] == '"') ++i;
        out += text[i];
      }
      ++i;
      if (i < text.size() && text[i] != ',') {
        return absl::InvalidArgumentError("text after a closing quote");
      }
    } else {
      const std::size_t end = std::min(text.find(',', i), text.size());
      out = text.substr(i, end - i);
      i = end;
    }
    if (i == text.size()) break;
    ++i;  // The comma.
  }
  if (column + 1 != kColumns) {
    return absl::InvalidArgumentError(
        column == kColumns ? fmt::format("more than {} columns", kColumns)
                           : fmt::format("{} columns, {} expected", column + 1, kColumns));
  }
  UciRow row{std::move(columns[0]), std::move(columns[1]), std::move(columns[2]),
             std::move(columns[3]), std::move(columns[4]), std::move(columns[5]),
             std::move(columns[6]), std::move(columns[7])};
  for (std::string* const id : {&row.invoice_no, &row.customer_id}) {
    if (!is_utf8(*id))
      return absl::InvalidArgumentError(fmt::format("{} is an id that is not UTF-8", shown(*id)));
    id->resize(without_zero_decimals(*id).size());
  }
  return row;
}

UciRow copy_of(const UciRow& row, int copy) {
  UciRow out = row;
  if (copy == 0) return out;
  const std::string suffix = fmt::format("-{}", copy);
  out.invoice_no += suffix;
  if (!out.customer_id.empty()) out.customer_id += suffix;
  return out;
}

std::string line_event(const UciRow& row) {
  TextBuffer buffer;
  JsonText out(buffer);
  out.begin_object();
  out.key("InvoiceNo").text(row.invoice_no);
  out.key("StockCode").text(with_replacements(row.stock_code));
  out.key("Description").text(with_replacements(row.description));
  write_number(out, "Quantity", row.quantity);
  out.key("InvoiceDate").text(with_replacements(row.invoice_date));
  write_number(out, "UnitPrice", row.unit_price);
  if (!row.customer_id.empty()) out.key("CustomerID").text(row.customer_id);
  out.key("Country").text(with_replacements(row.country));
  out.end_object();
  return std::string(buffer.view());
}

UciInvoices::UciInvoices(std::string currency, std::chrono::minutes utc_offset)
    : currency_(std::move(currency)), time_reader_(utc_offset) {}

absl::Status UciInvoices::add(const UciRow& row) {
  ++rows_;
  const std::optional<EventTime> time = time_reader_.read(row.invoice_date);
  if (!time)
    return absl::InvalidArgumentError(
        fmt::format("InvoiceDate \"{}\" is no time", row.invoice_date));
  const auto [found, added] =
      index_.try_emplace({row.invoice_no, row.customer_id}, invoices_.size());
  if (added) invoices_.push_back({row.invoice_no, row.customer_id, row.country, *time, rows_, ""});
  Invoice& invoice = invoices_[found->second];
  if (*time >= invoice.time) {
    invoice.time = *time;
    invoice.country = row.country;
    invoice.last_row = rows_;
  }
  TextBuffer buffer;
  JsonText out(buffer);
  out.begin_object();
  out.key("stock_code").text(with_replacements(row.stock_code));
  out.key("description").text(with_replacements(row.description));
  write_number(out, "quantity", row.quantity);
  write_number(out, "unit_price", row.unit_price);
  out.end_object();
  invoice.lines += buffer.view();
  invoice.lines += ',';
  return absl::OkStatus();
}

absl::Status UciInvoices::for_each(const std::function<absl::Status(const JsonEvent&)>& write) {
  std::vector<std::size_t> order(invoices_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(invoices_[a].time, invoices_[a].last_row) <
           std::pair(invoices_[b].time, invoices_[b].last_row);
  });
  for (const std::size_t i : order) {
    const Invoice& invoice = invoices_[i];
    const bool credit = !invoice.invoice_no.empty() && invoice.invoice_no.front() == 'C';
    TextBuffer buffer;
    JsonText out(buffer);
    out.begin_object();
    out.key("type").text(credit ? "credit" : "invoice");
    out.key("invoice_no").text(invoice.invoice_no);
    if (!invoice.customer_id.empty()) out.key("customer_id").text(invoice.customer_id);
    out.key("invoice_time").text(to_rfc3339(invoice.time));
    out.key("currency").text(currency_);
    out.key("country").text(with_replacements(invoice.country));
    out.key("lines").raw("[" + invoice.lines.substr(0, invoice.lines.size() - 1) + "]");
    out.end_object();
    JsonEvent event;
    if (!invoice.customer_id.empty()) event.key = invoice.customer_id;
    event.value = buffer.view();
    if (absl::Status status = write(event); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace rfm
