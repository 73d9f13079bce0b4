// Reads a topic partition from an offset to its end, once: restoring from the changelog, the model
// log, contributions, ticks. Committed records only: the end is the last stable offset, and what
// was aborted is left out. No group. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/kafka/kafka_handles.h"
#include "stream/kafka/kafka_options.h"
#include "stream/kafka/kafka_queries.h"
#include "stream/record/record.h"

namespace rfm {

inline constexpr Offset kFromBeginning = -1;

class KafkaReader {
 public:
  static absl::StatusOr<std::unique_ptr<KafkaReader>> open(const KafkaOptions& options);
  KafkaReader(const KafkaReader&) = delete;
  KafkaReader& operator=(const KafkaReader&) = delete;

  absl::StatusOr<OffsetRange> range(const std::string& topic, PartitionId partition);

  // As query_offset_at.
  absl::StatusOr<std::optional<Offset>> offset_at(const std::string& topic, PartitionId partition,
                                                  std::int64_t time_ms);

  // Calls `on_record` for every record from offset `from` (kFromBeginning: the first there is) to
  // the end as it is at the call, in order; what its views show lives during the call only. Returns
  // the offset to go on from, which is that end or beyond. kOutOfRange when `from` is outside of
  // the log: it was deleted or created anew. kDeadlineExceeded when no progress is made for
  // `options.request_timeout`, kCancelled when the process is to stop. An error of `on_record` is
  // returned.
  absl::StatusOr<Offset> read_to_end(const std::string& topic, PartitionId partition, Offset from,
                                     absl::FunctionRef<absl::Status(const RecordView&)> on_record);

  // The same of the offsets in `range` only.
  absl::StatusOr<Offset> read_range(const std::string& topic, PartitionId partition,
                                    OffsetRange range,
                                    absl::FunctionRef<absl::Status(const RecordView&)> on_record);

 private:
  KafkaReader(KafkaOptions options, KafkaConsumer consumer, int idle_partitions);
  absl::StatusOr<Offset> drain(rd_kafka_queue_s& queue, OffsetRange range,
                               absl::FunctionRef<absl::Status(const RecordView&)> on_record);

  KafkaOptions options_;
  KafkaConsumer consumer_;
  int idle_partitions_ = 0;
  std::set<std::string> known_topics_;  // By the consumer.
};

}  // namespace rfm
