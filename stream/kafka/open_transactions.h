// Transactions that are still open: readers of committed records see nothing behind them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/kafka/kafka_handles.h"
#include "stream/kafka/kafka_options.h"
#include "stream/record/record.h"

namespace rfm {

struct TopicPartition {
  std::string topic;
  PartitionId partition = 0;
};

std::vector<TopicPartition> places_of(const std::string& topic,
                                      std::span<const PartitionId> partitions);
// Every partition that the application and nobody else writes to.
absl::StatusOr<std::vector<TopicPartition>> places_of_application(const KafkaOptions& options);

// Waits until no transaction is open on the partitions and none waits for its markers, which a
// broker writes after it has acknowledged a commit: until then readers of committed records do not
// see the commit. Whoever takes a partition over calls it before restoring. A dead writer's
// transaction ends when its name comes back or by its timeout; kFailedPrecondition, with the way
// on, when it does not.
absl::Status wait_until_settled(const KafkaOptions& options,
                                std::span<const TopicPartition> places);

// How long that may take at most: a transaction's timeout and what brokers take to notice.
Deadline settle_deadline(const KafkaOptions& options);

// kFailedPrecondition: the same, for who has waited until `settle_deadline` in vain. OK: no
// transaction is open on the partitions, and none that holds offsets of the application's group.
absl::Status explain_open_transactions(const KafkaOptions& options,
                                       std::span<const TopicPartition> places);

}  // namespace rfm
