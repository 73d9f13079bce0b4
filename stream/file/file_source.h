// A file, or standard input, as an event source with the one partition 0. A record's offset is its
// number in the file, from 0; the CSV header and blank lines are none.
//
// kLines and kInvoices: one JSON value a line. A line whose first member is "key", "headers",
// "value" or "value_base64" is an envelope {"key":K,"headers":{...},"value":V} as our own output
// files have it: V null is a tombstone, V a string (or "value_base64") is the value's bytes, any
// other V is the value itself. kCsv: rows below a header (stream/decode/csv_layout.h), before which
// a line `sep=;` may stand; a quoted field may hold line ends, up to 64 of them; where a row's
// quotes do not close, its first line stands alone.
// Lines end with LF or CRLF, the last one may lack it. A byte order mark at the start is skipped.
// What is packed with xz is unpacked on the way.
// What stands behind the last line end may be the beginning of a longer record, where a file grows.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/decode/csv_layout.h"
#include "stream/record/event_source.h"
#include "stream/record/record.h"

namespace rfm {

struct FileSourceOptions {
  std::string path = "-";  // "-": standard input.
  // What was read of standard input already; at most `buffer_bytes`.
  std::string beginning{};
  InputFormat format = InputFormat::kLines;
  std::int64_t received_ms = 0;  // What all records carry: the time of the first start.
  Offset start_offset = 0;
  // The decoder's. A line longer than twice this and 64 KiB is cut there; its rest is skipped.
  std::size_t record_bytes_max = std::size_t{1} << 20;
  std::size_t buffer_bytes = std::size_t{4} << 20;
  CsvOptions csv{};
  // Ends before a last record whose line end, or closing quote, is not there. `take_unfinished`
  // goes on with what there is of it.
  bool holds_unfinished = false;
};

class FileSource final : public EventSource {
 public:
  // NotFound, PermissionDenied or InvalidArgument (a directory, a file that is packed otherwise or
  // in UTF-16, a CSV whose header lacks a column, a start offset beyond the end), naming the path
  // and what to do.
  static absl::StatusOr<std::unique_ptr<FileSource>> open(const FileSourceOptions& options);
  ~FileSource() override;

  absl::StatusOr<std::span<const RecordView>> read(PartitionId partition,
                                                   std::size_t records_max) override;
  bool at_end(PartitionId partition) const override;
  void take_unfinished();
  Offset next_offset(PartitionId partition) const override;
  std::int64_t records_behind(PartitionId partition) const override;
  absl::Status service() override;
  void wait(std::chrono::milliseconds longest) override;

  // What the header of a CSV says, and all of it in one line for whoever wants to check it.
  const CsvLayout& csv_layout() const;
  std::string csv_found() const;

  // For progress. The total is known for regular files that are not packed only.
  std::uint64_t bytes_read() const;
  std::optional<std::uint64_t> bytes_total() const;

 private:
  class Implementation;
  explicit FileSource(std::unique_ptr<Implementation> implementation);

  std::unique_ptr<Implementation> implementation_;
};

}  // namespace rfm
