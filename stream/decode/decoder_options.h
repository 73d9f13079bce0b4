// How records are to be read: their format, and where other producers' JSON has the fields.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "stream/decode/csv_layout.h"
#include "stream/record/record.h"

namespace rfm {

class InputReview;

// Where the fields are in other producers' JSON, as parse_field_source (mapping.h) reads it; empty:
// the format's own name at the top level.
struct FieldPointers {
  std::string event_id;
  std::string type;
  std::string invoice_no;
  std::string credit_no;  // The number of a credit where that of an invoice is elsewhere.
  std::string original_invoice_no;
  std::string customer_id;
  std::string invoice_time;
  std::string currency;
  std::string country;
  std::string net_total;  // What is left of the total after refunds; wins over it.
  std::string total;
  std::string refunded;  // Amounts that are taken off the total. `*` is any element of an array.
  std::string lines;
  std::string stock_code;   // kInvoices: within a line.
  std::string description;  // The same.
  std::string quantity;     // The same.
  std::string unit_price;   // The same.
  std::string revision;
  std::string consent;
};

// Whether a record must have a key.
enum class KeyPolicy : std::uint8_t {
  kRequired,   // Topics: the key is the customer's id.
  kIfPresent,  // Files: mostly there is none; one that is there must match.
};

// What a record's key says.
enum class KeyRule : std::uint8_t {
  kCustomer,  // The customer's id.
  kAny,       // Nothing: it is not looked at, and a null value erases nobody.
};

// What a number is that stands for a time.
enum class EpochUnit : std::uint8_t {
  kNone,  // Not one.
  kSeconds,
  kMilliseconds,
  kMicroseconds,
  kNanoseconds,
};

struct DecoderOptions {
  using Format = InputFormat;

  Format format = Format::kLines;
  KeyPolicy keys = KeyPolicy::kRequired;
  KeyRule key_rule = KeyRule::kCustomer;
  std::string currency = "GBP";
  std::chrono::minutes utc_offset{0};  // Of times without zone.
  EpochUnit epoch = EpochUnit::kNone;  // JSON formats only.
  std::size_t record_bytes_max = std::size_t{1} << 20;
  FieldPointers fields{};  // JSON formats only.
  // parse_type_rules; kInvoices only. Empty: the field `type` says it.
  std::string types{};
  std::string anonymous{};  // parse_ids: customers who are nobody.
  CsvOptions csv{};         // CSV only, and what the file's header says; absent: as Online Retail.
  std::optional<CsvLayout> csv_layout{};
  InputReview* review = nullptr;  // Sees each record with what became of it; outlives the decoder.
};

}  // namespace rfm
