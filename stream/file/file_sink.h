// Output as JSON-lines files in one directory, with the guarantee of a transaction: what is behind
// the last commit is cut off by `abandon`, with which a new process begins. Each line is
// {"key":K,"headers":{...},"value":V} with the value's own JSON bytes; a dead letter's value is a
// JSON string, or "value_base64" if it is not UTF-8; a tombstone's value is null.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/record/output_sink.h"
#include "stream/text/text_buffer.h"

namespace rfm {

// How a line shows its value.
enum class LineValue : std::uint8_t {
  kJson,   // The value is JSON and goes in as it is; key and headers are UTF-8.
  kBytes,  // Any bytes: a JSON string, or base64.
};

// One append-only file of such lines. Not thread-safe.
class JsonLinesFile {
 public:
  // Opens or creates `path`, of which `committed_length` bytes count. kDataLoss when it is shorter
  // than that, kFailedPrecondition when somebody else writes it.
  static absl::StatusOr<JsonLinesFile> open(const std::filesystem::path& path,
                                            std::uint64_t committed_length);

  JsonLinesFile(JsonLinesFile&& other) noexcept;
  JsonLinesFile& operator=(JsonLinesFile&& other) noexcept;
  JsonLinesFile(const JsonLinesFile&) = delete;
  JsonLinesFile& operator=(const JsonLinesFile&) = delete;
  ~JsonLinesFile();

  absl::Status append(std::optional<std::string_view> key, std::optional<std::string_view> value,
                      std::span<const Header> headers, LineValue line_value);
  // Writes what is buffered and makes it durable. Returns the file's length.
  absl::StatusOr<std::uint64_t> commit();
  // Cuts off everything behind the last commit. To be called before anything is appended.
  absl::Status abandon();

 private:
  JsonLinesFile(int fd, std::filesystem::path path, std::uint64_t length);
  absl::Status write_buffer();

  int fd_ = -1;
  std::filesystem::path path_;
  TextBuffer buffer_;
  std::uint64_t written_ = 0;    // Bytes in the file.
  std::uint64_t committed_ = 0;  // Bytes of it that are committed.
  bool is_cut_ = false;          // Nothing of an earlier process is behind those.
};

struct FileSinkOptions {
  std::filesystem::path directory;  // Created if missing.
  // Committed length of each file, by OutputTopic, as the last receipt said.
  std::array<std::uint64_t, kOutputTopicCount> committed_lengths{};
  bool begins = false;  // Its first start: what is in the files already is not its own.
};

// transitions.jsonl, segments.jsonl, dead-letters.jsonl and receipts.jsonl. Changelog, ticks and
// contributions are not kept. One sink a directory: kFailedPrecondition when another has it, or at
// a first start files with a content are there. What is there stays as it is until `abandon`, which
// comes first.
class FileSink final : public OutputSink {
 public:
  static absl::StatusOr<std::unique_ptr<FileSink>> open(const FileSinkOptions& options);

  bool keeps(OutputTopic topic) const override;
  absl::Status append(OutputTopic topic, std::optional<PartitionId> partition,
                      std::optional<std::string_view> key, std::optional<std::string_view> value,
                      std::span<const Header> headers) override;
  absl::StatusOr<CommitReceipt> commit(const CommitRequest& request) override;
  void abandon() noexcept override;

 private:
  FileSink() = default;

  std::array<std::optional<JsonLinesFile>, kOutputTopicCount> files_;
  std::array<std::uint64_t, kOutputTopicCount> lengths_{};
  absl::Status failed_;
};

}  // namespace rfm
