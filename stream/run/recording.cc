#include "stream/run/recording.h"

#include <fmt/format.h>

#include <memory>
#include <numeric>

#include "stream/kafka/kafka_queries.h"
#include "stream/kafka/kafka_reader.h"
#include "stream/kafka/kafka_topics.h"
#include "stream/kafka/open_transactions.h"
#include "stream/run/kafka_restore.h"

namespace rfm {

absl::StatusOr<Recording> read_recording(const KafkaOptions& options) {
  const absl::StatusOr<int> partition_count = check_topics(options);
  if (!partition_count.ok()) return partition_count.status();
  std::vector<PartitionId> partitions(static_cast<std::size_t>(*partition_count));
  std::iota(partitions.begin(), partitions.end(), 0);
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(options);
  if (!topics.ok()) return topics.status();
  const absl::StatusOr<std::vector<CommittedPosition>> committed = topics->committed(partitions);
  if (!committed.ok()) return committed.status();
  const std::string topic = topic_names(options).ticks;
  absl::Status status = wait_until_settled(options, places_of(topic, partitions));
  if (!status.ok()) return status;

  Recording recording;
  absl::StatusOr<std::unique_ptr<KafkaReader>> reader = KafkaReader::open(options);
  if (!reader.ok()) return reader.status();
  for (const CommittedPosition& position : *committed) {
    const Offset end = position.next_offset.value_or(0);
    std::vector<Tick> ticks;
    const absl::StatusOr<Offset> read = (*reader)->read_to_end(
        topic, position.partition, kFromBeginning, [&](const RecordView& record) {
          const absl::StatusOr<Tick> tick = decode_tick(record.value.value_or(""));
          if (tick.ok() && tick->offset <= end) ticks.push_back(*tick);
          return tick.status();
        });
    if (!read.ok()) return read.status();
    recording.ends.push_back(end);
    recording.ticks.push_back(std::move(ticks));
  }
  // After the ticks: versions are committed no later than what they led to.
  absl::StatusOr<ModelLog> log = read_model_log(options);
  if (!log.ok()) return log.status();
  if (log->rules.empty()) {
    return absl::NotFoundError(fmt::format(
        "application {} has recorded nothing yet: its model log is empty", options.application));
  }
  recording.log = *std::move(log);
  return recording;
}

}  // namespace rfm
