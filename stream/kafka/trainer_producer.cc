#include "stream/kafka/trainer_producer.h"

#include <array>
#include <mutex>
#include <string>
#include <utility>

#include "absl/status/status.h"

namespace rfm {
namespace {

constexpr ProducerTopic kModelLog{0};
constexpr PartitionId kModelLogPartition = 0;

}  // namespace

absl::StatusOr<std::unique_ptr<TrainerProducer>> TrainerProducer::open(
    const KafkaOptions& options) {
  const std::array<std::string, 1> topics = {topic_names(options).model};
  absl::StatusOr<std::unique_ptr<KafkaProducer>> producer =
      KafkaProducer::open(options, options.application + "-trainer", topics, nullptr, nullptr);
  if (!producer.ok()) return producer.status();
  return std::unique_ptr<TrainerProducer>(new TrainerProducer(*std::move(producer)));
}

absl::Status TrainerProducer::publish(std::span<const ModelLogRecord> records) {
  const std::scoped_lock lock(publishing_);
  for (const ModelLogRecord& record : records) {
    absl::Status status =
        producer_->produce(kModelLog, kModelLogPartition, record.key, record.value, {});
    if (!status.ok()) {
      if (absl::Status aborted = producer_->abort(); !aborted.ok()) return aborted;
      return absl::AbortedError(status.message());
    }
  }
  return producer_->commit("", {}, nullptr);
}

}  // namespace rfm
