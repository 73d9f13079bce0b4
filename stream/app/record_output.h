// Where `generate` and `import` write: a file of lines, standard output, or the input topic.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/app/output_file.h"
#include "stream/kafka/kafka_options.h"
#include "stream/kafka/kafka_producer.h"

namespace rfm {

class RecordOutput {
 public:
  // "-": standard output. An existing file is replaced.
  static absl::StatusOr<RecordOutput> open_file(const std::string& path, OutputFile::Place place);

  // In transactions of about 100 ms; `role` ("generate") tells this producer's transactional id
  // from others', so two of the same role and application fence each other.
  static absl::StatusOr<RecordOutput> open_topic(const KafkaOptions& options,
                                                 std::string_view role);

  // A file holds the values, one a line; a tombstone is the envelope
  // {"key":K,"headers":{},"value":null}.
  absl::Status write(std::optional<std::string_view> key, std::optional<std::string_view> value);

  // A line that is no record (a CSV header); nothing in a topic.
  absl::Status write_header(std::string_view line);

  // Makes what was written visible to readers if it has waited long enough. Called before pauses.
  absl::Status service();

  // Everything written is flushed or committed.
  absl::Status finish();

  // "1,234 records written to history.jsonl"
  std::string summary() const;

 private:
  explicit RecordOutput(std::string place) : place_(std::move(place)) {}
  absl::Status write_line(std::string_view line);
  absl::Status flush_buffer();
  absl::Status commit();

  std::string place_;  // "the topic invoices at kafka:9092"
  std::uint64_t records_ = 0;
  std::optional<OutputFile> file_;
  std::string buffer_;
  std::unique_ptr<KafkaProducer> producer_;
  std::uint64_t uncommitted_ = 0;
  std::chrono::steady_clock::time_point committed_at_;
};

}  // namespace rfm
