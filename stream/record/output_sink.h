// Where a lane's output goes, all of its topics in one transaction per commit. Seam: Kafka
// (stream/kafka/kafka_sink.h), files (stream/file/file_sink.h), fakes in tests. One sink belongs to
// one lane and is called by one thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/record/record.h"

namespace rfm {

enum class OutputTopic : std::uint8_t {
  kTransitions,
  kSegments,
  kDeadLetters,
  kChangelog,
  kTicks,
  kContributions,
  kReceipts,
};
inline constexpr std::size_t kOutputTopicCount = 7;

struct Header {
  std::string_view name;
  std::string_view value;
};

// How far one input partition has come: everything before `next_offset` is in this commit or an
// earlier one.
struct InputPosition {
  PartitionId partition = 0;
  Offset next_offset = 0;
  std::uint64_t commit_number = 0;  // N of the metadata `commit=N`, counted per partition.
};

struct CommitRequest {
  std::vector<InputPosition> positions;
};

// What a commit leaves behind for the store's meta rows.
struct CommitReceipt {
  // Per partition this commit wrote changelog records to: the offset after the last of them.
  // Ascending partitions.
  std::vector<std::pair<PartitionId, Offset>> changelog_next;
  // Committed length in bytes of each output file, by OutputTopic; zeros when the sink has no
  // files.
  std::array<std::uint64_t, kOutputTopicCount> file_lengths{};
};

class OutputSink {
 public:
  OutputSink() = default;
  OutputSink(const OutputSink&) = delete;
  OutputSink& operator=(const OutputSink&) = delete;
  virtual ~OutputSink() = default;

  // Whether records for `topic` are kept. Appending to one that is not is allowed and does nothing.
  virtual bool keeps(OutputTopic topic) const = 0;

  // Adds one record to the current transaction, copying all views. `partition` is required for
  // kChangelog, kTicks and kContributions; absent means "by key". An absent value is a tombstone,
  // an absent key a null one. An error means that the transaction is lost: call `abandon`.
  virtual absl::Status append(OutputTopic topic, std::optional<PartitionId> partition,
                              std::optional<std::string_view> key,
                              std::optional<std::string_view> value,
                              std::span<const Header> headers) = 0;

  // Makes the appended records and the positions durable together; readers of committed records see
  // them together, moments later. Without records and
  // positions it does nothing. Any error: the outcome may be unknown; the caller drops what is
  // uncommitted and recovers from the log. kAborted: nothing was committed. kPermissionDenied:
  // fenced by another process with this instance's name (or timed out by the broker). Others:
  // unknown.
  virtual absl::StatusOr<CommitReceipt> commit(const CommitRequest& request) = 0;

  // Drops what is appended and not committed. If that fails, every later call says why.
  virtual void abandon() noexcept = 0;
};

}  // namespace rfm
