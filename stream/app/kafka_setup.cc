#include "stream/app/kafka_setup.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "stream/kafka/kafka_topics.h"

namespace rfm {
namespace {

constexpr std::chrono::seconds kFirstAnswerMax{10};

}  // namespace

absl::Status check_broker(const KafkaOptions& options) {
  KafkaOptions asked = options.with_timeout(kFirstAnswerMax);
  asked.properties.insert({"log_level", "0"});  // What follows says what librdkafka's lines would.
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(asked);
  if (!topics.ok()) return topics.status();
  if (topics->broker_count().ok()) return absl::OkStatus();
  const std::string why = topics->connection_failure();
  return absl::UnavailableError(fmt::format(
      "no Kafka broker answers at {}{}\n"
      "Is one running there? Its address is the setting kafka.brokers (--set "
      "kafka.brokers=HOST:PORT); for TLS or a password see [kafka.properties] in `rfmstream config "
      "default`.",
      options.brokers, why.empty() ? "" : ": " + why));
}

absl::StatusOr<int> check_topic(const KafkaOptions& options, const std::string& topic) {
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(options);
  if (!topics.ok()) return topics.status();
  const absl::StatusOr<std::optional<int>> count = topics->partition_count(topic);
  if (!count.ok()) return count.status();
  if (!*count) {
    return absl::NotFoundError(fmt::format(
        "there is no topic {}: `rfmstream topics create` creates what is missing", topic));
  }
  return **count;
}

}  // namespace rfm
