#include "stream/decode/decoder.h"

#include <fmt/core.h>

#include <array>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "state/assertion.h"
#include "stream/decode/csv_row.h"
#include "stream/decode/field_tree.h"
#include "stream/decode/field_values.h"
#include "stream/decode/input_review.h"
#include "stream/decode/json_fields.h"
#include "stream/text/decimal.h"
#include "stream/text/time_text.h"
#include "stream/text/utf8.h"

namespace rfm {
namespace {

__extension__ using Wide = __int128;

FieldTree field_tree(const DecoderOptions& options) {
  absl::StatusOr<FieldTree> tree = make_field_tree(options.format, options.fields);
  RFM_ASSERT(tree.ok());
  return *std::move(tree);
}

TimeReader time_reader(const DecoderOptions& options) {
  if (options.format != InputFormat::kCsv) return TimeReader(options.utc_offset);
  return TimeReader(options.utc_offset, options.csv.date_order);
}

// What the elements of `lines` add up to. Exact whatever the order of its terms.
class LineSum {
 public:
  void add(FieldValues& values) {
    ++count_;
    if (rejection_) return;
    const Decimal quantity = values.required_decimal(Field::kQuantity);
    const Decimal unit_price = values.required_decimal(Field::kUnitPrice);
    const std::optional<Money> amount = multiply(quantity, unit_price);
    if (!amount)
      values.reject(DeadLetterReason::kAmountOverflow, Field::kUnitPrice,
                    "times quantity is too large");
    if (values.rejection()) {
      rejection_ = values.rejection();
      rejection_->message = fmt::format("lines[{}]: {}", count_ - 1, rejection_->message);
      return;
    }
    sum_ += amount->units;
  }

  std::size_t count() const { return count_; }
  const std::optional<Rejection>& rejection() const { return rejection_; }
  std::optional<Money> total() const {
    constexpr Wide kLimit = std::numeric_limits<std::int64_t>::max();
    if (sum_ > kLimit || sum_ < -kLimit) return std::nullopt;
    return Money{static_cast<std::int64_t>(sum_)};
  }

 private:
  Wide sum_ = 0;
  std::size_t count_ = 0;
  std::optional<Rejection> rejection_;  // Of the first line that has one.
};

}  // namespace

class Decoder::Implementation {
 public:
  explicit Implementation(DecoderOptions options)
      : options_(std::move(options)),
        times_(time_reader(options_)),
        json_(field_tree(options_)),
        csv_(options_.csv_layout ? *options_.csv_layout : online_retail_layout(),
             options_.csv.encoding),
        labels_(options_.format == InputFormat::kCsv ? csv_.layout().labels
                                                     : field_tree(options_).labels) {
    if (options_.format == InputFormat::kCsv) numbers_ = options_.csv.numbers;
  }

  const RecordFields& csv_fields() const { return csv_.fields(); }

  DecodedEvent decode(const RecordView& record) {
    DecodedEvent event = decode_value(record);
    if (options_.review != nullptr) options_.review->add(record, event);
    return event;
  }

 private:
  DecodedEvent decode_value(const RecordView& record) {
    if (!record.value) return decode_tombstone(record.key);
    if (record.value->size() > options_.record_bytes_max) {
      return Rejection{DeadLetterReason::kOversized,
                       fmt::format("the value has {} bytes, more than {}", record.value->size(),
                                   options_.record_bytes_max)};
    }
    switch (options_.format) {
      case InputFormat::kLines: {
        if (auto problem = json_.read(*record.value, [](const RecordFields&) {}))
          return malformed(*problem);
        return decode_line(json_.fields(), record.key);
      }
      case InputFormat::kCsv: {
        if (auto problem = csv_.read(*record.value)) return malformed(*problem);
        if (csv_.layout().rows == CsvRows::kOrders) return decode_order(record.key);
        return decode_line(csv_.fields(), record.key);
      }
      case InputFormat::kInvoices:
        break;
    }
    LineSum lines;
    const auto add_line = [this, &lines](const RecordFields& fields) {
      FieldValues values(fields, labels_, times_);
      lines.add(values);
    };
    if (auto problem = json_.read(*record.value, add_line)) return malformed(*problem);
    return decode_invoice(lines, record.key);
  }

  static Rejection malformed(std::string& problem) {
    return {DeadLetterReason::kMalformed, std::move(problem)};
  }

  bool has_line_format() const { return options_.format != InputFormat::kInvoices; }

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
    FieldValues values(fields, labels_, times_, numbers_);
    DecodedEvent event(std::in_place_type<LineEvent>);  // Filled where it is, not copied there.
    LineEvent& line = *std::get_if<LineEvent>(&event);
    line.invoice_no = values.required_id(Field::kInvoiceNo, IdForm::kUci);
    line.invoice_time = values.required_time(Field::kInvoiceTime);
    const Decimal quantity = values.required_decimal(Field::kQuantity);
    const Decimal unit_price = values.required_decimal(Field::kUnitPrice);
    line.customer_id = values.optional_id(Field::kCustomerId, IdForm::kUci);
    line.country = values.optional_text(Field::kCountry);
    line.event_id = values.optional_id(Field::kEventId, IdForm::kOpaque);
    values.check_currency_if_present(options_.currency);
    const std::optional<Money> amount = multiply(quantity, unit_price);
    if (!amount)
      values.reject(DeadLetterReason::kAmountOverflow, Field::kUnitPrice,
                    "times quantity is too large");
    if (values.rejection()) return *values.rejection();

    line.amount = *amount;
    if (is_cancellation(line.invoice_no)) line.type = InvoiceType::kCredit;
    if (is_adjustment(line.invoice_no)) return Adjustment{line.invoice_time};
    if (line.customer_id.empty()) return AnonymousSale{line.invoice_time, line.amount};
    if (auto rejection = judge_key(key, line.customer_id)) event = *std::move(rejection);
    return event;
  }

  DecodedEvent decode_invoice(const LineSum& lines, const std::optional<std::string_view>& key) {
    FieldValues values(json_.fields(), labels_, times_);
    InvoiceEvent invoice;
    invoice.type = read_type(values);
    invoice.invoice_no = values.required_id(Field::kInvoiceNo, IdForm::kOpaque);
    invoice.original_invoice_no = values.optional_id(Field::kOriginalInvoiceNo, IdForm::kOpaque);
    invoice.invoice_time = values.required_time(Field::kInvoiceTime);
    invoice.customer_id = values.optional_id(Field::kCustomerId, IdForm::kOpaque);
    invoice.country = values.optional_text(Field::kCountry);
    invoice.event_id = values.optional_id(Field::kEventId, IdForm::kOpaque);
    invoice.revision = values.optional_count(Field::kRevision);
    invoice.consent = values.optional_truth(Field::kConsent);
    values.check_currency(options_.currency);
    invoice.amount = read_amount(values, lines);
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
    if (invoice.customer_id.empty()) return AnonymousSale{invoice.invoice_time, invoice.amount};
    if (auto rejection = judge_key(key, invoice.customer_id)) return *std::move(rejection);
    return invoice;
  }

  // A row of a CSV that is a whole order.
  DecodedEvent decode_order(const std::optional<std::string_view>& key) {
    FieldValues values(csv_.fields(), labels_, times_, numbers_);
    InvoiceEvent invoice;
    const bool has_type = values.has(Field::kType);
    if (has_type) invoice.type = read_type(values);
    invoice.invoice_no = values.required_id(Field::kInvoiceNo, IdForm::kUci);
    invoice.original_invoice_no = values.optional_id(Field::kOriginalInvoiceNo, IdForm::kUci);
    invoice.invoice_time = values.required_time(Field::kInvoiceTime);
    invoice.customer_id = values.optional_id(Field::kCustomerId, IdForm::kUci);
    invoice.country = values.optional_text(Field::kCountry);
    invoice.event_id = values.optional_id(Field::kEventId, IdForm::kOpaque);
    invoice.revision = values.optional_count(Field::kRevision);
    invoice.consent = values.optional_truth(Field::kConsent);
    values.check_currency_if_present(options_.currency);
    const std::optional<Money> amount = to_money(values.required_decimal(Field::kTotal));
    if (!amount) values.reject(DeadLetterReason::kAmountOverflow, Field::kTotal, "too large");
    invoice.amount = amount.value_or(Money{});
    if (!has_type && invoice.amount < Money{}) invoice.type = InvoiceType::kCredit;
    return finish_invoice(invoice, values, key);
  }

  static InvoiceType read_type(FieldValues& values) {
    const std::string_view type = values.required_text(Field::kType);
    if (type == "credit") return InvoiceType::kCredit;
    if (type != "invoice") {
      values.reject(DeadLetterReason::kInvalidField, Field::kType,
                    fmt::format("{} is neither \"invoice\" nor \"credit\"", shown(type)));
    }
    return InvoiceType::kInvoice;
  }

  Money read_amount(FieldValues& values, const LineSum& lines) const {
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
  TimeReader times_;
  JsonFields json_;
  CsvRow csv_;
  std::array<std::string, kFieldCount> labels_;
  NumberForm numbers_;
  std::string key_;  // Of the last tombstone.
};

Decoder::Decoder(DecoderOptions options)
    : implementation_(std::make_unique<Implementation>(std::move(options))) {}
Decoder::Decoder(Decoder&& other) noexcept = default;
Decoder& Decoder::operator=(Decoder&& other) noexcept = default;
Decoder::~Decoder() = default;

absl::Status Decoder::check(const DecoderOptions& options) {
  return make_field_tree(options.format, options.fields).status();
}

const RecordFields& Decoder::csv_fields() const { return implementation_->csv_fields(); }

DecodedEvent Decoder::decode(const RecordView& record) { return implementation_->decode(record); }

}  // namespace rfm
