// Output topics in memory, and a sink that writes to them in transactions and can be made to fail.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stream/format/model_log_writer.h"
#include "stream/record/output_sink.h"

namespace rfm {

struct OutputRecord {
  OutputTopic topic = OutputTopic::kTransitions;
  std::optional<PartitionId> partition;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;

  std::string header(std::string_view name) const;  // Empty: none.
};

// What is committed; outlives the sinks. Sinks of several lanes may share it, one thread.
struct MemoryTopics final : public ModelLogWriter {
  std::vector<OutputRecord> records;                           // All topics, in order of commit.
  std::map<PartitionId, std::vector<OutputRecord>> changelog;  // By partition.
  std::map<PartitionId, InputPosition> positions;
  std::uint64_t commits = 0;

  // Written by the trainer's thread.
  std::mutex model_log_mutex;
  std::vector<ModelLogRecord> model_log;
  absl::Status publish(std::span<const ModelLogRecord> versions) override;

  std::vector<OutputRecord> of(OutputTopic topic) const;
};

enum class SinkFault : std::uint8_t {
  kAppend,         // Appending fails; the transaction is lost.
  kCommitAborted,  // The commit fails, nothing is committed.
  kCommitUnknown,  // The commit is reported as failed, but everything is committed.
};

class MemorySink final : public OutputSink {
 public:
  explicit MemorySink(MemoryTopics& topics) : topics_(topics) {}

  // The call `n` calls from now (0: the next) of the kind that the fault is about fails.
  void fail_at(SinkFault fault, std::uint64_t n);

  // Appended and not committed.
  const std::vector<OutputRecord>& pending() const { return pending_; }
  std::uint64_t appends() const { return appends_; }
  std::uint64_t commits() const { return commits_; }

  bool keeps(OutputTopic) const override { return true; }
  absl::Status append(OutputTopic topic, std::optional<PartitionId> partition,
                      std::optional<std::string_view> key, std::optional<std::string_view> value,
                      std::span<const Header> headers) override;
  absl::StatusOr<CommitReceipt> commit(const CommitRequest& request) override;
  void abandon() noexcept override;

 private:
  MemoryTopics& topics_;
  std::vector<OutputRecord> pending_;
  std::uint64_t appends_ = 0;
  std::uint64_t commits_ = 0;
  std::map<SinkFault, std::uint64_t> faults_;
};

}  // namespace rfm
