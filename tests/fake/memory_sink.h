// Output topics in memory, and a sink that writes to them in transactions.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stream/format/model_log_writer.h"
#include "stream/record/output_sink.h"
#include "tests/fake/faults.h"

namespace rfm {

struct OutputRecord {
  OutputTopic topic = OutputTopic::kTransitions;
  std::optional<PartitionId> partition;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;

  std::string header(std::string_view name) const;  // Empty: none.
};

// What is committed; outlives the sinks. Lanes and the trainer write to it on threads of their own.
struct MemoryTopics final : public ModelLogWriter {
  // `faults` outlives it.
  explicit MemoryTopics(Faults& given) : faults(given) {}

  Faults& faults;
  std::mutex mutex;                                            // Guards what follows.
  std::vector<OutputRecord> records;                           // All topics, in order of commit.
  std::map<PartitionId, std::vector<OutputRecord>> changelog;  // By partition.
  std::map<PartitionId, InputPosition> positions;
  std::uint64_t commits = 0;
  std::vector<ModelLogRecord> model_log;

  absl::Status publish(std::span<const ModelLogRecord> versions) override;

  std::vector<OutputRecord> of(OutputTopic topic) const;
};

class MemorySink final : public OutputSink {
 public:
  explicit MemorySink(MemoryTopics& topics) : topics_(topics) {}

  bool keeps(OutputTopic) const override { return true; }
  absl::Status append(OutputTopic topic, std::optional<PartitionId> partition,
                      std::optional<std::string_view> key, std::optional<std::string_view> value,
                      std::span<const Header> headers) override;
  absl::StatusOr<CommitReceipt> commit(const CommitRequest& request) override;
  void abandon() noexcept override;

 private:
  MemoryTopics& topics_;
  std::vector<OutputRecord> pending_;
};

}  // namespace rfm
