// Questions that any handle can ask the cluster. All are bounded, end at once when the process is
// to stop (if their deadline knows), and repeat what passes by itself (a leader is being elected, a
// coordinator is loading).
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
#include "stream/record/record.h"

namespace rfm {

// [begin, end): end is the last stable offset for a handle that reads committed records, the log's
// end for another. Markers and aborted records count, so the last record is often before end - 1.
struct OffsetRange {
  Offset begin = 0;
  Offset end = 0;
};

absl::StatusOr<OffsetRange> query_range(rd_kafka_s& handle, const std::string& topic,
                                        PartitionId partition, const Deadline& deadline);

// The first offset there whose record's timestamp is `time_ms` or later; absent: there is none.
absl::StatusOr<std::optional<Offset>> query_offset_at(rd_kafka_s& handle, const std::string& topic,
                                                      PartitionId partition, std::int64_t time_ms,
                                                      const Deadline& deadline);

// In the order of `topics`, with one request. Absent: there is no such topic.
absl::StatusOr<std::vector<std::optional<int>>> query_partition_counts(
    rd_kafka_s& handle, std::span<const std::string> topics, const Deadline& deadline);

absl::StatusOr<std::optional<int>> query_partition_count(rd_kafka_s& handle,
                                                         const std::string& topic,
                                                         const Deadline& deadline);

absl::StatusOr<int> query_broker_count(rd_kafka_s& handle, const Deadline& deadline);

}  // namespace rfm
