// One record of an input log as it came: bytes, headers and position. Views live as the source
// says.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace rfm {

using PartitionId = std::int32_t;
using Offset = std::int64_t;

// How the values of an input are written (config/schemas has those in JSON).
enum class InputFormat : std::uint8_t {
  kLines,     // JSON, one row of an invoice, UCI Online Retail field names.
  kInvoices,  // JSON, a whole invoice or credit.
  kCsv,       // One CSV row with the eight UCI columns.
};

struct RecordHeader {
  std::string_view name;
  std::optional<std::string_view> value;  // Absent: null.
};

// A record's headers, read when they are asked for: only dead letters need them, and reading them
// costs a source an allocation or more. Lives as long as the record.
class LazyHeaders {
 public:
  using Read = std::vector<RecordHeader> (*)(const void* record);

  constexpr LazyHeaders() = default;  // None.
  constexpr LazyHeaders(Read how, const void* record) : read_(how), record_(record) {}
  // Headers that exist already. `headers` must outlive this.
  explicit LazyHeaders(const std::vector<RecordHeader>& headers)
      : read_(
            [](const void* list) { return *static_cast<const std::vector<RecordHeader>*>(list); }),
        record_(&headers) {}

  std::vector<RecordHeader> read() const {
    return read_ == nullptr ? std::vector<RecordHeader>{} : read_(record_);
  }

 private:
  Read read_ = nullptr;
  const void* record_ = nullptr;  // The source's own form of the record.
};

struct RecordView {
  std::optional<std::string_view>
      key;  // Absent: null key (files: no key is known, none is checked).
  std::optional<std::string_view> value;  // Absent: tombstone.
  LazyHeaders headers;
  Offset offset = 0;
  std::int64_t received_ms = 0;  // The Kafka record's timestamp, ms since 1970-01-01 UTC.
  // Whether that is when the broker took it (LogAppendTime) or what its producer says (CreateTime).
  bool received_by_broker = true;
};

}  // namespace rfm
