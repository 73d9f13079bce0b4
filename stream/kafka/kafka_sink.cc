#include "stream/kafka/kafka_sink.h"

#include <array>
#include <string>
#include <utility>

#include "absl/status/status.h"

namespace rfm {
namespace {

std::array<std::string, kOutputTopicCount> output_topics(const KafkaOptions& options) {
  const KafkaTopicNames names = topic_names(options);
  std::array<std::string, kOutputTopicCount> result;
  const auto name_of = [&result](OutputTopic topic) -> std::string& {
    return result[static_cast<std::size_t>(topic)];
  };
  name_of(OutputTopic::kTransitions) = names.transitions;
  name_of(OutputTopic::kSegments) = names.segments;
  name_of(OutputTopic::kDeadLetters) = names.dead_letters;
  name_of(OutputTopic::kReceipts) = names.receipts;
  name_of(OutputTopic::kChangelog) = names.changelog;
  name_of(OutputTopic::kTicks) = names.ticks;
  name_of(OutputTopic::kContributions) = names.contributions;
  return result;
}

ProducerTopic number_of(OutputTopic topic) {
  return static_cast<ProducerTopic>(static_cast<std::size_t>(topic));
}

// Changelog, ticks and contributions carry the input's partition numbers; the others go by key.
bool needs_partition(OutputTopic topic) {
  return topic == OutputTopic::kChangelog || topic == OutputTopic::kTicks ||
         topic == OutputTopic::kContributions;
}

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaSink>> KafkaSink::open(const KafkaOptions& options,
                                                           const GroupMembership* membership,
                                                           CommitObserver* observer,
                                                           BrokerTime* time) {
  const std::array<std::string, kOutputTopicCount> topics = output_topics(options);
  absl::StatusOr<std::unique_ptr<KafkaProducer>> producer =
      KafkaProducer::open(options, lane_name(options), topics, observer, time);
  if (!producer.ok()) return producer.status();
  return std::unique_ptr<KafkaSink>(new KafkaSink(options, membership, std::move(*producer)));
}

KafkaSink::KafkaSink(const KafkaOptions& options, const GroupMembership* membership,
                     std::unique_ptr<KafkaProducer> producer)
    : input_topic_(options.input_topic), membership_(membership), producer_(std::move(producer)) {}

absl::Status KafkaSink::probe_time() {
  return producer_->probe_time(number_of(OutputTopic::kTicks), 0);
}

bool KafkaSink::keeps(OutputTopic /*topic*/) const { return true; }

absl::Status KafkaSink::append(OutputTopic topic, std::optional<PartitionId> partition,
                               std::optional<std::string_view> key,
                               std::optional<std::string_view> value,
                               std::span<const Header> headers) {
  if (needs_partition(topic) && !partition)
    return absl::InvalidArgumentError("a record of this topic has a partition");
  return producer_->produce(number_of(topic), partition, key, value, headers);
}

absl::StatusOr<CommitReceipt> KafkaSink::commit(const CommitRequest& request) {
  absl::Status status = producer_->commit(input_topic_, request.positions, membership_);
  if (!status.ok()) return status;
  CommitReceipt receipt;
  receipt.changelog_next = producer_->take_next_offsets(number_of(OutputTopic::kChangelog));
  return receipt;
}

void KafkaSink::abandon() noexcept {
  // What an abort could not do, the producer says at its next call.
  producer_->abort().IgnoreError();
}

}  // namespace rfm
