#include "stream/app/csv_events.h"

#include <algorithm>
#include <numeric>

#include "stream/decode/field_values.h"
#include "stream/text/json_text.h"
#include "stream/text/time_text.h"

namespace rfm {

namespace {

// As a JSON number with the same digits if it is one, else as text. JSON has no leading zeros.
void write_number(JsonText& out, std::string_view name, std::string_view text) {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  const bool leading_zero = digits.size() > 1 && digits[0] == '0' && digits[1] != '.';
  if (leading_zero) return out.key(name).text(text);
  out.key(name).raw(text);
}

// To the second, where no digits are lost by it.
std::string short_time(EventTime time) {
  constexpr std::string_view kNoMilliseconds = ".000Z";
  std::string text = to_rfc3339(time);
  if (text.ends_with(kNoMilliseconds)) text.erase(text.size() - kNoMilliseconds.size(), 4);
  return text;
}

std::string plain_number(std::string_view text, const NumberForm& numbers) {
  return numbers == NumberForm{} || text.empty() ? std::string(text)
                                                 : to_text(parse_decimal(text, numbers).value);
}

std::string_view type_name(InvoiceType type) {
  return type == InvoiceType::kCredit ? "credit" : "invoice";
}

}  // namespace

CsvSale csv_sale(const RecordFields& fields, const DecodedEvent& event, const NumberForm& numbers) {
  const auto text = [&](Field field) { return std::string(fields[field].text); };
  const auto id = [&](Field field) {
    return std::string(without_zero_decimals(fields[field].text));
  };
  CsvSale sale{.event_id = text(Field::kEventId),
               .invoice_no = id(Field::kInvoiceNo),
               .customer_id = id(Field::kCustomerId),
               .country = text(Field::kCountry),
               .stock_code = text(Field::kStockCode),
               .description = text(Field::kDescription),
               .quantity = plain_number(fields[Field::kQuantity].text, numbers),
               .unit_price = plain_number(fields[Field::kUnitPrice].text, numbers),
               .total = plain_number(fields[Field::kTotal].text, numbers),
               .original_invoice_no = id(Field::kOriginalInvoiceNo),
               .revision = text(Field::kRevision)};
  if (const auto* line = std::get_if<LineEvent>(&event)) {
    sale.type = line->type;
    sale.time = line->invoice_time;
    sale.amount = line->amount;
    sale.units = line->units;
  } else if (const auto* invoice = std::get_if<InvoiceEvent>(&event)) {
    sale.type = invoice->type;
    sale.time = invoice->invoice_time;
    sale.amount = invoice->amount;
    sale.consent = invoice->consent;
  } else if (const auto* anonymous = std::get_if<AnonymousSale>(&event)) {
    sale.customer_id.clear();
    sale.type = anonymous->type;
    sale.time = anonymous->invoice_time;
    sale.amount = anonymous->amount;
    for (const SoldLine& sold : anonymous->lines) sale.units += sold.units;
  } else if (const auto* adjustment = std::get_if<Adjustment>(&event)) {
    sale.customer_id.clear();
    sale.time = adjustment->invoice_time;
  }
  return sale;
}

CsvSale copy_of(const CsvSale& sale, int copy) {
  CsvSale out = sale;
  if (copy == 0) return out;
  const std::string suffix = "-" + std::to_string(copy);
  for (std::string* const text :
       {&out.event_id, &out.invoice_no, &out.customer_id, &out.original_invoice_no}) {
    if (!text->empty()) *text += suffix;
  }
  return out;
}

std::string line_event(const CsvSale& line) {
  TextBuffer buffer;
  JsonText out(buffer);
  out.begin_object();
  if (!line.event_id.empty()) out.key("event_id").text(line.event_id);
  out.key("InvoiceNo").text(line.invoice_no);
  out.key("StockCode").text(line.stock_code);
  out.key("Description").text(line.description);
  write_number(out, "Quantity", line.quantity);
  out.key("InvoiceDate").text(short_time(line.time));
  write_number(out, "UnitPrice", line.unit_price);
  if (!line.customer_id.empty()) out.key("CustomerID").text(line.customer_id);
  out.key("Country").text(line.country);
  out.end_object();
  return std::string(buffer.view());
}

std::string order_event(const CsvSale& order, std::string_view currency) {
  TextBuffer buffer;
  JsonText out(buffer);
  out.begin_object();
  if (!order.event_id.empty()) out.key("event_id").text(order.event_id);
  out.key("type").text(type_name(order.type));
  out.key("invoice_no").text(order.invoice_no);
  if (!order.original_invoice_no.empty())
    out.key("original_invoice_no").text(order.original_invoice_no);
  if (!order.customer_id.empty()) out.key("customer_id").text(order.customer_id);
  out.key("invoice_time").text(to_rfc3339(order.time));
  out.key("currency").text(currency);
  if (!order.country.empty()) out.key("country").text(order.country);
  write_number(out, "total", order.total);
  if (!order.revision.empty()) out.key("revision").text(order.revision);
  if (order.consent) out.key("consent").boolean(*order.consent);
  out.end_object();
  return std::string(buffer.view());
}

void GatheredInvoices::add(const CsvSale& line) {
  ++rows_;
  const auto [found, added] =
      index_.try_emplace({line.invoice_no, line.customer_id}, invoices_.size());
  if (added) {
    invoices_.push_back({.invoice_no = line.invoice_no,
                         .customer_id = line.customer_id,
                         .country = line.country,
                         .time = line.time,
                         .last_row = rows_,
                         .lines = ""});
  }
  Invoice& invoice = invoices_[found->second];
  if (line.time >= invoice.time) {
    invoice.time = line.time;
    invoice.country = line.country;
    invoice.last_row = rows_;
  }
  invoice.units += line.amount.units;
  TextBuffer buffer;
  JsonText out(buffer);
  out.begin_object();
  out.key("stock_code").text(line.stock_code);
  out.key("description").text(line.description);
  write_number(out, "quantity", line.quantity);
  write_number(out, "unit_price", line.unit_price);
  out.end_object();
  invoice.lines += buffer.view();
  invoice.lines += ',';
}

absl::Status GatheredInvoices::for_each(
    const std::function<absl::Status(const JsonEvent&)>& write) {
  std::vector<std::size_t> order(invoices_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(invoices_[a].time, invoices_[a].last_row) <
           std::pair(invoices_[b].time, invoices_[b].last_row);
  });
  for (const std::size_t i : order) {
    const Invoice& invoice = invoices_[i];
    const bool is_credit = is_cancellation(invoice.invoice_no) || invoice.units < 0;
    TextBuffer buffer;
    JsonText out(buffer);
    out.begin_object();
    out.key("type").text(type_name(is_credit ? InvoiceType::kCredit : InvoiceType::kInvoice));
    out.key("invoice_no").text(invoice.invoice_no);
    if (!invoice.customer_id.empty()) out.key("customer_id").text(invoice.customer_id);
    out.key("invoice_time").text(to_rfc3339(invoice.time));
    out.key("currency").text(currency_);
    out.key("country").text(invoice.country);
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
