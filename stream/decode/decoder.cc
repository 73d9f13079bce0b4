#include "stream/decode/decoder.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "state/assertion.h"
#include "stream/decode/byte_marks.h"
#include "stream/decode/csv_row.h"
#include "stream/decode/field_tree.h"
#include "stream/decode/field_values.h"
#include "stream/decode/input_review.h"
#include "stream/decode/json_fields.h"
#include "stream/decode/line_sum.h"
#include "stream/decode/mapping.h"
#include "stream/decode/record_type.h"
#include "stream/text/decimal.h"
#include "stream/text/time_text.h"
#include "stream/text/utf8.h"

namespace rfm {
namespace {

FieldTree field_tree(const DecoderOptions& options) {
  absl::StatusOr<FieldTree> tree = make_field_tree(options);
  RFM_ASSERT(tree.ok());
  return *std::move(tree);
}

TimeReader time_reader(const DecoderOptions& options) {
  if (options.format != InputFormat::kCsv) return TimeReader(options.utc_offset);
  return TimeReader(options.utc_offset, options.csv.date_order);
}

std::vector<std::string> anonymous_ids(const DecoderOptions& options) {
  absl::StatusOr<std::vector<std::string>> ids = parse_ids(options.anonymous);
  RFM_ASSERT(ids.ok());
  return *std::move(ids);
}

bool is_json_null(std::string_view value) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const std::size_t first = value.find_first_not_of(kSpaces);
  if (first == std::string_view::npos || value.substr(first, 4) != "null") return false;
  return value.find_first_not_of(kSpaces, first + 4) == std::string_view::npos;
}

}  // namespace

class Decoder::Implementation {
 public:
  explicit Implementation(DecoderOptions options) : Implementation(options, field_tree(options)) {}

  const RecordFields& csv_fields() const { return csv_.fields(); }

  DecodedEvent decode(const RecordView& record) {
    DecodedEvent event = decode_value(record);
    if (options_.review != nullptr) options_.review->add(record, event);
    return event;
  }

 private:
  DecodedEvent decode_value(const RecordView& record) {
    const bool is_null = !record.value || (options_.key_rule == KeyRule::kAny &&
                                           has_json_format() && is_json_null(*record.value));
    if (is_null && options_.key_rule == KeyRule::kAny)
      return IgnoredRecord{IgnoredReason::kNullValue};
    if (is_null) return decode_tombstone(record.key);
    if (record.value->size() > options_.record_bytes_max) {
      return Rejection{DeadLetterReason::kOversized,
                       fmt::format("the value has {} bytes, more than {}", record.value->size(),
                                   options_.record_bytes_max)};
    }
    switch (options_.format) {
      case InputFormat::kLines: {
        if (auto problem = json_.read(*record.value, [](const RecordFields&) {}))
          return malformed(*problem, *record.value);
        return decode_line(json_.fields(), record.key);
      }
      case InputFormat::kCsv: {
        if (auto problem = csv_.read(*record.value)) return malformed(*problem, *record.value);
        if (csv_.layout().rows == CsvRows::kOrders) return decode_order(record.key);
        return decode_line(csv_.fields(), record.key);
      }
      case InputFormat::kInvoices:
        break;
    }
    LineSum lines(sold_);
    const auto add_line = [this, &lines](const RecordFields& fields) {
      FieldValues values = values_of(fields);
      lines.add(values);
    };
    if (auto problem = json_.read(*record.value, add_line))
      return malformed(*problem, *record.value);
    return decode_invoice(lines, record.key);
  }

  Implementation(const DecoderOptions& options, FieldTree tree)
      : options_(options),
        types_(tree.types),
        anonymous_(anonymous_ids(options)),
        times_(time_reader(options)),
        csv_(options.csv_layout ? *options.csv_layout : online_retail_layout(),
             options.csv.encoding),
        labels_(options.format == InputFormat::kCsv ? csv_.layout().labels : tree.labels),
        json_(std::move(tree)) {
    if (options.format == InputFormat::kCsv) numbers_ = options.csv.numbers;
  }

  static Rejection malformed(std::string& problem, std::string_view value) {
    const std::string_view encoding = other_encoding(value);
    if (encoding.empty()) return {DeadLetterReason::kMalformed, std::move(problem)};
    return {DeadLetterReason::kMalformed, fmt::format("{}: it begins with {}", problem, encoding)};
  }

  bool has_line_format() const { return options_.format != InputFormat::kInvoices; }
  bool has_json_format() const { return options_.format != InputFormat::kCsv; }

  FieldValues values_of(const RecordFields& fields) {
    return {fields, labels_, times_, numbers_, options_.epoch};
  }

  // Empty: nobody.
  std::string_view read_customer(FieldValues& values, IdForm form) const {
    const std::string_view id = values.optional_id(Field::kCustomerId, form);
    return std::ranges::find(anonymous_, id) == anonymous_.end() ? id : std::string_view{};
  }

  DecodedEvent decode_tombstone(const std::optional<std::string_view>& key) {
    if (!key)
      return Rejection{DeadLetterReason::kKeyMissing, "key and value are null: nobody to erase"};
    if (key->empty() || key->size() > kIdBytesMax || key->find('\0') != std::string_view::npos ||
        !is_utf8(*key)) {
      return Rejection{
          DeadLetterReason::kInvalidField,
          fmt::format("key: {} is not a customer's id, so there is nobody to erase", shown(*key))};
    }
    if (has_line_format() && without_zero_decimals(*key) != *key) {
      return Rejection{DeadLetterReason::kKeyMismatch,
                       fmt::format("key: {} is the customer {} here", shown(*key),
                                   shown(without_zero_decimals(*key)))};
    }
    key_.assign(*key);
    return Tombstone{key_};
  }

  // What is wrong with the key of a record of `customer_id`, or nothing.
  std::optional<Rejection> judge_key(const std::optional<std::string_view>& key,
                                     std::string_view customer_id) const {
    if (options_.key_rule == KeyRule::kAny) return std::nullopt;
    if (!key) {
      if (options_.keys == KeyPolicy::kIfPresent) return std::nullopt;
      return Rejection{
          DeadLetterReason::kKeyMissing,
          fmt::format("the key is null, it must be the customer {}", shown(customer_id))};
    }
    if (*key == customer_id) return std::nullopt;
    return Rejection{DeadLetterReason::kKeyMismatch, fmt::format("key: {} is not the customer {}",
                                                                 shown(*key), shown(customer_id))};
  }

  DecodedEvent decode_line(const RecordFields& fields, const std::optional<std::string_view>& key) {
    FieldValues values = values_of(fields);
    DecodedEvent event(std::in_place_type<LineEvent>);  // Filled where it is, not copied there.
    LineEvent& line = *std::get_if<LineEvent>(&event);
    line.invoice_no = values.required_id(Field::kInvoiceNo, IdForm::kUci);
    line.invoice_time = values.required_time(Field::kInvoiceTime);
    const Decimal quantity = values.required_decimal(Field::kQuantity);
    const Decimal unit_price = values.required_decimal(Field::kUnitPrice);
    line.customer_id = read_customer(values, IdForm::kUci);
    line.country = values.optional_country(Field::kCountry);
    line.event_id = values.optional_id(Field::kEventId, IdForm::kOpaque);
    values.check_currency_if_present(options_.currency);
    const std::optional<Money> amount = multiply(quantity, unit_price);
    if (!amount)
      values.reject(DeadLetterReason::kAmountOverflow, Field::kUnitPrice,
                    "times quantity is too large");
    if (values.rejection()) return *values.rejection();

    line.amount = *amount;
    line.product = values.product();
    line.description = values.description();
    line.units = to_money(quantity).value_or(Money{}).units;
    if (is_cancellation(line.invoice_no)) line.type = InvoiceType::kCredit;
    if (line.customer_id.empty()) {
      if (is_adjustment(line.invoice_no)) return Adjustment{line.invoice_time};
      sold_.assign(1, line.sold());
      return AnonymousSale{.invoice_time = line.invoice_time,
                           .country = line.country,
                           .type = line.type,
                           .amount = line.amount,
                           .lines = sold_};
    }
    if (auto rejection = judge_key(key, line.customer_id)) event = *std::move(rejection);
    return event;
  }

  // What an invoice has besides its type and amount.
  InvoiceEvent read_invoice(FieldValues& values, Field number, IdForm form) const {
    InvoiceEvent invoice;
    invoice.invoice_no = values.required_id(number, form);
    invoice.original_invoice_no = values.optional_id(Field::kOriginalInvoiceNo, form);
    invoice.invoice_time = values.required_time(Field::kInvoiceTime);
    invoice.customer_id = read_customer(values, form);
    invoice.country = values.optional_country(Field::kCountry);
    invoice.event_id = values.optional_id(Field::kEventId, IdForm::kOpaque);
    invoice.revision = values.optional_revision(Field::kRevision);
    invoice.consent = values.optional_truth(Field::kConsent);
    return invoice;
  }

  DecodedEvent decode_invoice(const LineSum& lines, const std::optional<std::string_view>& key) {
    FieldValues values = values_of(json_.fields());
    const RecordType type = read_type(values);
    if (type == RecordType::kIgnore) return IgnoredRecord{IgnoredReason::kUnrelated};
    const bool is_credit = type == RecordType::kCredit;
    const bool has_own_number = is_credit && values.has(Field::kCreditNo);
    InvoiceEvent invoice = read_invoice(
        values, has_own_number ? Field::kCreditNo : Field::kInvoiceNo, IdForm::kOpaque);
    if (is_credit) invoice.type = InvoiceType::kCredit;
    invoice.is_void = type == RecordType::kVoid;
    if (is_credit && takes_back_all(values, invoice)) {
      invoice.invoice_no = invoice.original_invoice_no;
      invoice.type = InvoiceType::kInvoice;
      invoice.is_void = true;
    }
    if (invoice.is_void) {
      values.check_currency_if_present(options_.currency);
    } else {
      values.check_currency(options_.currency);
      read_amount(values, lines, invoice);
      invoice.lines = lines.sold();
    }
    return finish_invoice(invoice, values, key);
  }

  DecodedEvent finish_invoice(InvoiceEvent& invoice, const FieldValues& values,
                              const std::optional<std::string_view>& key) const {
    if (!values.rejection() && invoice.type == InvoiceType::kInvoice && invoice.amount < Money{}) {
      return Rejection{DeadLetterReason::kNegativeInvoice,
                       fmt::format("the invoice adds up to {}; a credit has type \"credit\"",
                                   to_text(invoice.amount))};
    }
    // Only now: what is wrong with the record itself comes before what is wrong with a line.
    if (values.rejection()) return *values.rejection();
    if (invoice.type == InvoiceType::kInvoice) invoice.original_invoice_no = {};
    if (invoice.customer_id.empty()) {
      return AnonymousSale{.invoice_time = invoice.invoice_time,
                           .country = invoice.country,
                           .type = invoice.type,
                           .amount = invoice.amount,
                           .lines = invoice.lines};
    }
    if (auto rejection = judge_key(key, invoice.customer_id)) return *std::move(rejection);
    return invoice;
  }

  // A row of a CSV that is a whole order.
  DecodedEvent decode_order(const std::optional<std::string_view>& key) {
    FieldValues values = values_of(csv_.fields());
    const bool has_type = values.has(Field::kType);
    const bool is_credit = has_type && read_type(values) == RecordType::kCredit;
    InvoiceEvent invoice = read_invoice(values, Field::kInvoiceNo, IdForm::kUci);
    if (is_credit) invoice.type = InvoiceType::kCredit;
    values.check_currency_if_present(options_.currency);
    invoice.amount = money(values, Field::kTotal, values.required_decimal(Field::kTotal));
    if (!has_type && invoice.amount < Money{}) invoice.type = InvoiceType::kCredit;
    return finish_invoice(invoice, values, key);
  }

  RecordType read_type(FieldValues& values) const {
    if (!types_.empty()) {
      if (const auto type = type_of(types_, json_.fields())) return *type;
      values.reject(DeadLetterReason::kInvalidField, Field::kType,
                    "no rule of input.types fits the record");
      return RecordType::kInvoice;
    }
    const std::string_view type = values.required_text(Field::kType);
    if (type == "credit") return RecordType::kCredit;
    if (type != "invoice") {
      values.reject(DeadLetterReason::kInvalidField, Field::kType,
                    fmt::format("{} is neither \"invoice\" nor \"credit\"", shown(type)));
    }
    return RecordType::kInvoice;
  }

  // Other producers' refunds without an amount are of the whole order.
  bool takes_back_all(const FieldValues& values, const InvoiceEvent& credit) const {
    return !types_.empty() && !credit.original_invoice_no.empty() && !values.has(Field::kTotal) &&
           !values.has(Field::kNetTotal) && !values.has(Field::kLines);
  }

  // The amount, and whether refunds have left nothing of it: then the order is one no more, as if
  // credits that name it had reached it.
  void read_amount(FieldValues& values, const LineSum& lines, InvoiceEvent& invoice) const {
    if (values.has(Field::kNetTotal) || !json_.refunded().empty()) {
      const Money whole = values.has(Field::kNetTotal) && !values.has(Field::kTotal)
                              ? Money{}
                              : read_whole_amount(values, lines);
      invoice.amount =
          values.has(Field::kNetTotal)
              ? money(values, Field::kNetTotal, values.required_decimal(Field::kNetTotal))
              : after_refunds(values, whole);
      invoice.is_void = whole > Money{} && invoice.amount <= Money{};
      if (invoice.is_void) invoice.amount = {};
      return;
    }
    invoice.amount = read_whole_amount(values, lines);
  }

  static Money money(FieldValues& values, Field field, const Decimal& decimal) {
    const std::optional<Money> amount = to_money(decimal);
    if (!amount) values.reject(DeadLetterReason::kAmountOverflow, field, "too large");
    return amount.value_or(Money{});
  }

  Money after_refunds(FieldValues& values, Money whole) const {
    for (const FieldText& text : json_.refunded()) {
      if (!text.holds_something()) continue;
      const Money refund = money(values, Field::kRefunded, values.decimal(Field::kRefunded, text));
      const std::int64_t units = refund.units < 0 ? -refund.units : refund.units;
      whole.units = whole.units > units ? whole.units - units : 0;
    }
    return whole;
  }

  Money read_whole_amount(FieldValues& values, const LineSum& lines) const {
    std::optional<Money> amount;
    Field source = Field::kTotal;
    if (values.has(Field::kTotal)) {
      amount = to_money(values.required_decimal(Field::kTotal));
    } else {
      source = Field::kLines;
      if (!values.has(Field::kLines)) {
        values.reject(DeadLetterReason::kMissingField, source, "missing, and so is the total");
      } else if (json_.fields()[Field::kLines].form != FieldForm::kArray || lines.count() == 0) {
        values.reject(DeadLetterReason::kInvalidField, source,
                      "not an array of lines, or an empty one");
      } else if (lines.rejection()) {
        values.reject(*lines.rejection());
      }
      amount = lines.total();
    }
    if (!amount) values.reject(DeadLetterReason::kAmountOverflow, source, "too large");
    return amount.value_or(Money{});
  }

  DecoderOptions options_;
  std::vector<PlacedTypeRule> types_;
  std::vector<std::string> anonymous_;
  TimeReader times_;
  CsvRow csv_;
  std::array<std::string, kFieldCount> labels_;
  JsonFields json_;
  NumberForm numbers_;
  std::vector<SoldLine> sold_;  // Of the last record.
  std::string key_;             // Of the last tombstone.
};

Decoder::Decoder(DecoderOptions options)
    : implementation_(std::make_unique<Implementation>(std::move(options))) {}
Decoder::Decoder(Decoder&& other) noexcept = default;
Decoder& Decoder::operator=(Decoder&& other) noexcept = default;
Decoder::~Decoder() = default;

absl::Status Decoder::check(const DecoderOptions& options) {
  if (const auto ids = parse_ids(options.anonymous); !ids.ok()) return ids.status();
  return make_field_tree(options).status();
}

absl::Status Decoder::check_partitions(const DecoderOptions& options, int partition_count) {
  if (options.key_rule == KeyRule::kCustomer || partition_count == 1) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("the input has {} partitions, and with input.key = \"any\" a customer's records "
                  "could be in several of them: use a topic of one partition, or key the records "
                  "by customer and set input.key = \"customer\"",
                  partition_count));
}

const RecordFields& Decoder::csv_fields() const { return implementation_->csv_fields(); }

DecodedEvent Decoder::decode(const RecordView& record) { return implementation_->decode(record); }

}  // namespace rfm
