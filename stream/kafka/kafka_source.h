// Input from a Kafka topic: as a member of the application's consumer group, or over given ranges
// of offsets.
//
// Each partition has its own queue, so that one that waits holds up no other, and an always empty
// partition of every broker is assigned too: when all queues are full, librdkafka 2.0's broker
// thread would sleep for up to a second, unless a fetch of such a partition is in flight.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/kafka/kafka_handles.h"
#include "stream/kafka/kafka_options.h"
#include "stream/kafka/kafka_queries.h"
#include "stream/kafka/rebalance_listener.h"
#include "stream/record/event_source.h"
#include "stream/record/record.h"

namespace rfm {

struct PartitionRange {
  PartitionId partition = 0;
  OffsetRange range;
};

class KafkaSource final : public EventSource {
 public:
  // Subscribes; partitions arrive in a later `service`. kNotFound when the input or the idle topic
  // is missing. `listener` outlives the source.
  static absl::StatusOr<std::unique_ptr<KafkaSource>> join(const KafkaOptions& options,
                                                           RebalanceListener& listener);

  // Reads exactly `ranges` of `options.input_topic`, without a group; a partition is at its end for
  // good when its range is read.
  static absl::StatusOr<std::unique_ptr<KafkaSource>> over(const KafkaOptions& options,
                                                           std::span<const PartitionRange> ranges);

  // Leaves without calling the listener. A static member's partitions stay its own until the
  // session times out.
  ~KafkaSource() override;

  absl::StatusOr<std::span<const RecordView>> read(PartitionId partition,
                                                   std::size_t records_max) override;
  bool at_end(PartitionId partition) const override;
  Offset next_offset(PartitionId partition) const override;
  // Markers count too, and at the end what a transaction that is still open has written.
  std::int64_t records_behind(PartitionId partition) const override;
  absl::Status service() override;
  void wait(std::chrono::milliseconds longest) override;
  void wake() override;

  // Gives up the partitions, through `on_revoked`.
  absl::Status close();

  // For the sink; its address does not change, and it is empty while nothing is assigned.
  const GroupMembership& membership() const { return membership_; }
  std::vector<PartitionId> partitions() const;  // Assigned now, ascending.

 private:
  struct Partition;
  enum class Membership : std::uint8_t { kGroup, kAlone };

  explicit KafkaSource(KafkaOptions options);
  absl::Status open(Membership membership);
  absl::StatusOr<int> look_up_topics();
  absl::Status assign(std::span<const PartitionRange> ranges);
  void on_rebalance(int code, const rd_kafka_topic_partition_list_s& partitions) noexcept;
  absl::Status on_assigned(const rd_kafka_topic_partition_list_s& assigned);
  void on_revoked();
  absl::Status judge(const rd_kafka_message_s& event);
  absl::Status accept(Partition& partition, const rd_kafka_message_s& message);
  Partition* find(PartitionId partition) const;

  KafkaOptions options_;
  RebalanceListener* listener_ = nullptr;  // Null: without a group, or leaving it.
  GroupMembership membership_;
  std::vector<std::unique_ptr<Partition>> partitions_;  // By partition number; null: not assigned.
  int idle_partitions_ = 0;
  int event_fd_ = -1;
  absl::Status failed_;
  std::optional<KafkaConsumer> consumer_;  // Absent until opened.
};

}  // namespace rfm
