// Questions that any handle can ask the cluster. All are bounded and repeat what passes by itself
// (a leader is being elected, a coordinator is loading).
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/kafka/kafka_handles.h"
#include "stream/kafka/kafka_options.h"
#include "stream/record/record.h"

namespace rfm {

// [begin, end): end is the last stable offset for a handle that reads committed records, the log's
// end for another. Markers and aborted records count, so the last record is often before end - 1.
struct OffsetRange {
  Offset begin = 0;
  Offset end = 0;
};

absl::StatusOr<OffsetRange> query_range(rd_kafka_s& handle, const std::string& topic,
                                        PartitionId partition, std::chrono::milliseconds limit);

// Absent: there is no such topic.
absl::StatusOr<std::optional<int>> query_partition_count(rd_kafka_s& handle,
                                                         const std::string& topic,
                                                         std::chrono::milliseconds limit);

// Waits until no transaction is open on the partitions and none waits for its markers, which a
// broker writes after it has acknowledged a commit: until then readers of committed records do not
// see the commit. Whoever takes a partition over calls it before restoring. A dead writer's
// transaction ends when its name comes back or by its timeout.
absl::Status wait_until_settled(const KafkaOptions& options, const std::string& topic,
                                std::span<const PartitionId> partitions,
                                std::chrono::milliseconds limit);

absl::StatusOr<int> query_broker_count(rd_kafka_s& handle, std::chrono::milliseconds limit);

}  // namespace rfm
