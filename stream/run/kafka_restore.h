// What a start reads from Kafka before the first record: the model log,
// the contributions, and the partitions' state up to their last commit. Readers see committed
// records only: settle the instance's own leftover transactions first.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "model/contribution.h"
#include "state/state_store.h"
#include "stream/format/model_log.h"
#include "stream/kafka/kafka_options.h"
#include "stream/pipeline/lane.h"
#include "stream/record/record.h"
#include "stream/run/input_position.h"

namespace rfm {

// Nothing that the application has written is behind an open transaction: this instance's own
// leftovers are settled, and nobody else writes.
absl::Status wait_until_readable(const KafkaOptions& options);

absl::StatusOr<ModelLog> read_model_log(const KafkaOptions& options);

// By (epoch, partition).
absl::StatusOr<std::map<std::pair<std::int64_t, PartitionId>, Contribution>> read_contributions(
    const KafkaOptions& options, int partition_count);

// What the input holds now, by partition.
absl::StatusOr<std::vector<OffsetRange>> input_ranges(const KafkaOptions& options);

struct RestoreOptions {
  std::vector<PartitionOptions> partitions;
  std::vector<Offset> begin;  // RulesRecord::begin.
  InputLosses losses;
  const Trainer& trainer;          // Knows what the model log holds.
  bool rewrite_changelog = false;  // With an operator's consent, where it is lost.
  std::int64_t now_ms = 0;         // Wall time.
  std::int64_t latest_ms = 0;      // The later of wall time and the broker's.
};

struct RestoredInput {
  std::vector<std::pair<PartitionId, Offset>> positions;  // From which each is to be read.
  // What was consented to and is not in the model log yet: log it before anything is committed.
  std::vector<LossRecord> accepted;
  // Then write these from the state (Lane::rewrite_changelog).
  std::vector<PartitionId> lost_changelogs;
};

// Brings the partitions into `lane`: what the store holds, then the changelog to its end.
// kFailedPrecondition: log, group and state do not belong together; the message says the way on.
// kDataLoss: the store or what was read is damaged.
absl::StatusOr<RestoredInput> restore_partitions(const KafkaOptions& options,
                                                 const RestoreOptions& restore, StateStore& store,
                                                 Lane& lane);

}  // namespace rfm
