// An input log in memory, read from given offsets. Batches may have random sizes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "stream/record/event_source.h"
#include "tests/fake/faults.h"

namespace rfm {

struct MemoryRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::int64_t received_ms = 0;
  bool received_by_broker = true;
};

// By partition. Records may be added while sources read.
using MemoryInput = std::vector<std::vector<MemoryRecord>>;

class MemorySource final : public EventSource {
 public:
  // `random_batches`: a seed for batches of 1 to `records_max` records; absent: as many as there
  // are. `input` and `faults` outlive it.
  MemorySource(const MemoryInput& input, std::optional<std::uint64_t> random_batches,
               Faults& faults);

  void seek(PartitionId partition, Offset offset) { next_[partition] = offset; }

  absl::StatusOr<std::span<const RecordView>> read(PartitionId partition,
                                                   std::size_t records_max) override;
  bool at_end(PartitionId partition) const override;
  Offset next_offset(PartitionId partition) const override { return next_.at(partition); }
  std::int64_t records_behind(PartitionId partition) const override {
    return static_cast<std::int64_t>(records(partition).size()) - next_.at(partition);
  }
  absl::Status service() override;
  void wait(std::chrono::milliseconds) override {}

 private:
  const std::vector<MemoryRecord>& records(PartitionId partition) const {
    return input_[static_cast<std::size_t>(partition)];
  }

  const MemoryInput& input_;
  Faults& faults_;
  std::optional<std::mt19937_64> random_;
  std::map<PartitionId, Offset> next_;
  std::map<PartitionId, std::vector<RecordView>> batches_;
};

}  // namespace rfm
