// The topics of an application in Kafka: creating them, and what is there.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/kafka/kafka_handles.h"
#include "stream/kafka/kafka_options.h"
#include "stream/kafka/kafka_queries.h"
#include "stream/kafka/topic_rules.h"
#include "stream/record/record.h"

namespace rfm {

// Where the application's group has committed to in one partition of its input.
struct CommittedPosition {
  PartitionId partition = 0;
  std::optional<Offset> next_offset;  // Absent: nothing is committed.
};

class KafkaTopics {
 public:
  static absl::StatusOr<KafkaTopics> open(const KafkaOptions& options);

  absl::StatusOr<int> broker_count();
  // What the last connection that could not be made ended with; empty: none has failed.
  std::string connection_failure();
  // Absent: there is no such topic.
  absl::StatusOr<std::optional<int>> partition_count(const std::string& topic);
  // The same of several at once, in their order.
  absl::StatusOr<std::vector<std::optional<int>>> partition_counts(
      std::span<const std::string> topics);
  absl::StatusOr<std::optional<TopicDescription>> describe(const std::string& topic);

  // For the input as it is; without one the default. Outputs as many partitions as the input.
  absl::StatusOr<TopicPlan> plan(std::int64_t record_bytes_max);

  // Creates what is missing and changes nothing that exists; one report a topic, in their order.
  // Without a replication factor the broker decides.
  absl::StatusOr<std::vector<TopicReport>> create(std::span<const TopicSpec> topics,
                                                  std::optional<int> replication);
  // The same reports without creating anything.
  absl::StatusOr<std::vector<TopicReport>> check(std::span<const TopicSpec> topics);

  // Begin and end (last stable offset) of each partition, by partition number.
  absl::StatusOr<std::vector<OffsetRange>> ranges(const std::string& topic);

  // Where whoever takes the partitions over goes on; one a partition, in their order. Waits until
  // no transaction of a former owner is in doubt, neither in the group's offsets nor in the
  // partitions' changelog, which is then complete up to these positions.
  absl::StatusOr<std::vector<CommittedPosition>> committed(std::span<const PartitionId> partitions);

 private:
  KafkaTopics(KafkaOptions options, KafkaHandle handle);
  absl::Status create_one(const TopicSpec& spec, std::optional<int> replication);

  KafkaOptions options_;
  KafkaHandle handle_;  // A consumer in the application's group that never joins it.
};

}  // namespace rfm
