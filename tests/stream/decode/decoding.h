// Records and a decoder around them for the decoders' tests.
#pragma once

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "stream/decode/decoder.h"

namespace rfm {

inline constexpr std::string_view kLine =
    R"({"InvoiceNo":"536365","StockCode":"85123A","Description":"HEART","Quantity":6,)"
    R"("InvoiceDate":"2010-12-01 08:26:00","UnitPrice":2.55,"CustomerID":"17850.0",)"
    R"("Country":"United Kingdom"})";
inline constexpr std::string_view kInvoice =
    R"({"event_id":"e1","type":"invoice","invoice_no":"536365","customer_id":"17850",)"
    R"("invoice_time":"2010-12-01T08:26:00Z","currency":"GBP","country":"United Kingdom",)"
    R"("lines":[{"stock_code":"85123A","description":"HEART","quantity":6,"unit_price":2.55},)"
    R"({"quantity":"-1","unit_price":"0.30"}]})";
inline constexpr EventTime kTime = from_ms(1'291'191'960'000);

// `text` with the first occurrence of `from` replaced by `to`.
inline std::string with(std::string_view text, std::string_view from, std::string_view to) {
  std::string result(text);
  const std::size_t at = result.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return result.replace(at, from.size(), to);
}

// All that an event says, as text.
inline std::string content(const DecodedEvent& event) {
  const auto purchase = [](const auto& e) {
    return fmt::format("{}|{}|{}|{}|{}|{}|{}", e.customer_id, e.event_id, e.invoice_no, e.country,
                       e.invoice_time.time_since_epoch().count(), e.amount.units,
                       static_cast<int>(e.type));
  };
  std::string text = fmt::format("{}: ", event.index());
  if (const auto* line = std::get_if<LineEvent>(&event)) return text + purchase(*line);
  if (const auto* invoice = std::get_if<InvoiceEvent>(&event)) {
    const char* consent = !invoice->consent ? "" : *invoice->consent ? "yes" : "no";
    return text + purchase(*invoice) +
           fmt::format("|{}|{}|{}|{}", invoice->original_invoice_no, invoice->revision, consent,
                       invoice->is_void ? "void" : "");
  }
  if (const auto* tombstone = std::get_if<Tombstone>(&event))
    text += std::string(tombstone->customer_id);
  if (const auto* sale = std::get_if<AnonymousSale>(&event))
    text += fmt::format("{}|{}", sale->invoice_time.time_since_epoch().count(), sale->amount.units);
  if (const auto* adjustment = std::get_if<Adjustment>(&event))
    text += fmt::format("{}", adjustment->invoice_time.time_since_epoch().count());
  if (const auto* ignored = std::get_if<IgnoredRecord>(&event)) text += name(ignored->reason);
  if (const auto* rejection = std::get_if<Rejection>(&event))
    text += fmt::format("{}: {}", name(rejection->reason), rejection->message);
  return text;
}

// Decodes records without keys, unless told otherwise.
class Decoding {
 public:
  explicit Decoding(InputFormat format, KeyPolicy keys = KeyPolicy::kIfPresent)
      : Decoding(DecoderOptions{.format = format, .keys = keys}) {}
  explicit Decoding(DecoderOptions options) : decoder_(std::move(options)) {}

  // The views in the result live until the next call.
  DecodedEvent decode(std::optional<std::string> value,
                      std::optional<std::string> key = std::nullopt) {
    value_ = std::move(value);
    key_ = std::move(key);
    RecordView record;
    if (value_) record.value = *value_;
    if (key_) record.key = *key_;
    return decoder_.decode(record);
  }

  std::string reason(std::optional<std::string> value,
                     std::optional<std::string> key = std::nullopt) {
    const DecodedEvent event = decode(std::move(value), std::move(key));
    const auto* rejection = std::get_if<Rejection>(&event);
    return rejection == nullptr ? "accepted" : std::string(name(rejection->reason));
  }

  std::string message(std::optional<std::string> value,
                      std::optional<std::string> key = std::nullopt) {
    const DecodedEvent event = decode(std::move(value), std::move(key));
    const auto* rejection = std::get_if<Rejection>(&event);
    return rejection == nullptr ? "accepted" : rejection->message;
  }

  LineEvent line(std::string_view value) {
    const DecodedEvent event = decode(std::string(value));
    if (const auto* rejection = std::get_if<Rejection>(&event))
      ADD_FAILURE() << value << ": " << rejection->message;
    const auto* line = std::get_if<LineEvent>(&event);
    return line == nullptr ? LineEvent{} : *line;
  }

  InvoiceEvent invoice(std::string_view value) {
    const DecodedEvent event = decode(std::string(value));
    if (const auto* rejection = std::get_if<Rejection>(&event))
      ADD_FAILURE() << value << ": " << rejection->message;
    const auto* invoice = std::get_if<InvoiceEvent>(&event);
    return invoice == nullptr ? InvoiceEvent{} : *invoice;
  }

 private:
  Decoder decoder_;
  std::optional<std::string> value_;
  std::optional<std::string> key_;
};

}  // namespace rfm
