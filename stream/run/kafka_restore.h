// What a start reads from Kafka before the first record: that the topics are there, the model log,
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

namespace rfm {

// The partition count of the input. kNotFound when a topic of the application is missing.
absl::StatusOr<int> check_topics(const KafkaOptions& options);

absl::StatusOr<ModelLog> read_model_log(const KafkaOptions& options);

// By (epoch, partition).
absl::StatusOr<std::map<std::pair<std::int64_t, PartitionId>, Contribution>> read_contributions(
    const KafkaOptions& options, int partition_count);

// Where the input ends now, by partition.
absl::StatusOr<std::vector<Offset>> input_ends(const KafkaOptions& options);

// Brings `partitions` into `lane`: what the store holds, then the changelog to its end. Returns the
// offset from which each is to be read. kFailedPrecondition: log, group and state do not belong
// together. kDataLoss: the store or what was read is damaged.
absl::StatusOr<std::vector<std::pair<PartitionId, Offset>>> restore_partitions(
    const KafkaOptions& options, const std::vector<PartitionOptions>& partitions, StateStore& store,
    Lane& lane);

}  // namespace rfm
