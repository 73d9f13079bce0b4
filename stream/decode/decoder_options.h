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

// JSON pointers (RFC 6901) to the fields in other producers' JSON; empty: the format's own name at
// the top level.
struct FieldPointers {
  std::string event_id;
  std::string type;
  std::string invoice_no;
  std::string original_invoice_no;
  std::string customer_id;
  std::string invoice_time;
  std::string currency;
  std::string country;
  std::string total;
  std::string lines;
  std::string quantity;    // kInvoices: within a line.
  std::string unit_price;  // The same.
  std::string revision;
  std::string consent;
};

// Whether a record must have a key.
enum class KeyPolicy : std::uint8_t {
  kRequired,   // Topics: the key is the customer's id.
  kIfPresent,  // Files: mostly there is none; one that is there must match.
};

struct DecoderOptions {
  using Format = InputFormat;

  Format format = Format::kLines;
  KeyPolicy keys = KeyPolicy::kRequired;
  std::string currency = "GBP";
  std::chrono::minutes utc_offset{0};  // Of times without zone.
  std::size_t record_bytes_max = std::size_t{1} << 20;
  FieldPointers fields{};  // JSON formats only.
  CsvOptions csv{};        // CSV only, and what the file's header says; absent: as Online Retail.
  std::optional<CsvLayout> csv_layout{};
  InputReview* review = nullptr;  // Sees each record with what became of it; outlives the decoder.
};

}  // namespace rfm
