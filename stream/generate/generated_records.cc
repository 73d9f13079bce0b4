#include "stream/generate/generated_records.h"

#include <fmt/format.h>

#include <utility>

#include "stream/text/time_text.h"

namespace rfm {

namespace {

constexpr std::uint64_t kFirstInvoiceNo = 500'000;
constexpr std::uint32_t kFirstCustomerId = 10'001;
constexpr std::uint64_t kBadStream = 2;

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string csv_text(std::string_view text) {
  if (text.find_first_of(",\"") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

void append(std::string& out, std::int64_t number) {
  const fmt::format_int digits(number);
  out.append(digits.data(), digits.size());
}

}  // namespace

GeneratedRecords::GeneratedRecords(const GeneratorOptions& history, RecordTextOptions text)
    : generator_(history), options_(std::move(text)), random_(history.seed, kBadStream) {
  const bool lower_case = options_.format == InputFormat::kInvoices;
  for (std::uint32_t i = 0; i < RetailCatalogue::kProducts; ++i) {
    const Product& product = generator_.catalogue().product(i);
    ProductText out;
    out.json =
        fmt::format("\"{}\":{},\"{}\":{},", lower_case ? "stock_code" : "StockCode",
                    json_text(product.stock_code), lower_case ? "description" : "Description",
                    json_text(product.description));
    out.csv = fmt::format(",{},{},", product.stock_code, csv_text(product.description));
    out.price = fmt::format("{}.{:02}", product.price_pence / 100, product.price_pence % 100);
    products_.push_back(std::move(out));
  }
  for (std::uint8_t i = 0; i < kCountries; ++i) countries_.push_back(json_text(country_name(i)));
}

void GeneratedRecords::begin_event() {
  const GeneratedEvent& event = *event_;
  next_line_ = 0;
  customer_id_ = std::to_string(kFirstCustomerId + event.customer);
  invoice_no_ = event.kind == GeneratedKind::kReturn ? "C" : "";
  append(invoice_no_, static_cast<std::int64_t>(kFirstInvoiceNo + event.number));
  if (options_.format == InputFormat::kCsv) {
    time_ = to_uci(event.time);
    tail_ = fmt::format(",{},{}", customer_id_, csv_text(country_name(event.country)));
    return;
  }
  time_ = to_rfc3339(event.time);
  head_ = fmt::format("{{\"InvoiceNo\":\"{}\",", invoice_no_);
  tail_ = fmt::format(",\"InvoiceDate\":\"{}\",\"CustomerID\":\"{}\",\"Country\":{}}}", time_,
                      customer_id_, countries_[event.country]);
}

void GeneratedRecords::write_line(const GeneratedLine& line) {
  const ProductText& product = products_[line.product];
  value_ = head_;
  value_ += product.json;
  value_ += event_->kind == GeneratedKind::kReturn ? "\"Quantity\":-" : "\"Quantity\":";
  append(value_, line.quantity);
  value_ += ",\"UnitPrice\":";
  value_ += product.price;
  value_ += tail_;
}

void GeneratedRecords::write_csv(const GeneratedLine& line) {
  const ProductText& product = products_[line.product];
  value_ = invoice_no_;
  value_ += product.csv;
  if (event_->kind == GeneratedKind::kReturn) value_ += '-';
  append(value_, line.quantity);
  value_ += ',';
  value_ += time_;
  value_ += ',';
  value_ += product.price;
  value_ += tail_;
}

void GeneratedRecords::write_invoice() {
  const GeneratedEvent& event = *event_;
  const bool credit = event.kind == GeneratedKind::kReturn;
  value_ = fmt::format("{{\"event_id\":\"evt-{}\",\"type\":\"{}\",\"invoice_no\":\"{}\",",
                       event.number, credit ? "credit" : "invoice", invoice_no_);
  if (credit && options_.credits == CreditReference::kNamed) {
    value_ += fmt::format("\"original_invoice_no\":\"{}\",", kFirstInvoiceNo + event.original);
  }
  value_ += fmt::format(
      "\"customer_id\":\"{}\",\"invoice_time\":\"{}\",\"currency\":\"{}\",\"country\":{},\"lines\":"
      "[",
      customer_id_, time_, options_.currency, countries_[event.country]);
  for (const GeneratedLine& line : event.lines) {
    const ProductText& product = products_[line.product];
    value_ += '{';
    value_ += product.json;
    value_ += "\"quantity\":";
    append(value_, line.quantity);
    value_ += ",\"unit_price\":";
    value_ += product.price;
    value_ += "},";
  }
  value_.back() = ']';
  value_ += '}';
}

// One record that must end as a dead letter.
void GeneratedRecords::write_bad() {
  const bool invoices = options_.format == InputFormat::kInvoices;
  const auto bad = [&](std::string_view time, std::string_view price, std::string_view currency) {
    if (invoices) {
      return fmt::format(
          "{{\"type\":\"invoice\",\"invoice_no\":\"{}\",\"customer_id\":\"{}\",\"invoice_time\":\"{"
          "}\","
          "\"currency\":\"{}\",\"lines\":[{{\"quantity\":1,\"unit_price\":{}}}]}}",
          invoice_no_, customer_id_, time, currency, price);
    }
    return fmt::format(
        "{{\"InvoiceNo\":\"{}\",\"StockCode\":\"X\",\"Quantity\":1,\"InvoiceDate\":\"{}\","
        "\"UnitPrice\":{},"
        "\"CustomerID\":\"{}\",\"currency\":\"{}\"}}",
        invoice_no_, time, price, customer_id_, currency);
  };
  switch (random_.below(7)) {
    case 0:
      value_ = bad(time_, "1.25", options_.currency);
      value_.resize(value_.size() / 2);  // Cut off.
      return;
    case 1:
      value_ = bad("2024-13-45T00:00:00Z", "1.25", options_.currency);
      return;
    case 2:
      value_ = bad(time_, "\"a lot\"", options_.currency);
      return;
    case 3:
      value_ = bad(time_, "1.25", options_.currency == "XTS" ? "XXX" : "XTS");
      return;
    case 4:
      value_ = bad("2099-01-01T00:00:00Z", "1.25", options_.currency);
      return;
    case 5:
      value_ =
          fmt::format(R"({{"{}":"{}"}})", invoices ? "customer_id" : "CustomerID", customer_id_);
      return;
    default:
      value_ = "\xff\xfenot an invoice";
  }
}

void GeneratedRecords::write_bad_csv() {
  switch (random_.below(4)) {
    case 0:
      value_ = fmt::format("{},X,short row", invoice_no_);
      return;
    case 1:
      value_ = fmt::format("{},X,bad date,1,13/45/2024 99:99,1.25{}", invoice_no_, tail_);
      return;
    case 2:
      value_ = fmt::format("{},X,bad price,1,{},a lot{}", invoice_no_, time_, tail_);
      return;
    default:
      value_ = fmt::format("{},X,far future,1,2099-01-01 00:00:00,1.25{}", invoice_no_, tail_);
  }
}

GeneratedRecord GeneratedRecords::record() const {
  return {customer_id_, value_, event_->emitted_at};
}

std::optional<GeneratedRecord> GeneratedRecords::next() {
  if (event_ && options_.bad_share > 0 && random_.uniform() < options_.bad_share) {
    options_.format == InputFormat::kCsv ? write_bad_csv() : write_bad();
    return record();
  }
  if (!event_ || next_line_ == event_->lines.size()) {
    do {
      event_ = generator_.next();
      if (!event_) return std::nullopt;
    } while (event_->kind == GeneratedKind::kErasure && options_.format == InputFormat::kCsv);
    begin_event();
    if (event_->kind == GeneratedKind::kErasure) {
      return GeneratedRecord{customer_id_, std::nullopt, event_->emitted_at};
    }
  }
  switch (options_.format) {
    case InputFormat::kInvoices:
      next_line_ = event_->lines.size();
      write_invoice();
      break;
    case InputFormat::kLines:
      write_line(event_->lines[next_line_++]);
      break;
    case InputFormat::kCsv:
      write_csv(event_->lines[next_line_++]);
      break;
  }
  return record();
}

}  // namespace rfm
