// What a lane keeps of one of its partitions. Internal to lane.cc and lane_restore.cc.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "stream/pipeline/lane.h"

namespace rfm {

struct Lane::Work {
  Work(const PartitionOptions& partition_options, const Rules& rules, const ModelTimeline& models)
      : options(partition_options), partition(partition_options, rules, models, output) {}

  PartitionOptions options;
  PartitionOutput output;
  Partition partition;
  std::span<const RecordView> batch;        // Not all applied yet.
  std::optional<std::int64_t> waits_since;  // How far the model was when it had to wait.
  std::optional<std::int64_t> read_ms;      // When the batch was read, in the broker's time.
  bool empty = false;                       // Nothing was there at the last look.
  bool ended = false;                       // `until` is reached.
  bool reported_empty = false;
  EventTime logged_tick = kBeforeAll;                 // What is committed needs none any more.
  std::chrono::steady_clock::time_point last_read{};  // Or restored.
  std::vector<Contribution> contributions;            // Since the last commit.
};

}  // namespace rfm
