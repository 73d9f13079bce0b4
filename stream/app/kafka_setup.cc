#include "stream/app/kafka_setup.h"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <optional>
#include <utility>

#include "stream/kafka/kafka_topics.h"

namespace rfm {
namespace {

constexpr std::chrono::seconds kFirstAnswerMax{10};

}  // namespace

void log_to_standard_error(const std::string& level) {
  auto logger = std::make_shared<spdlog::logger>("rfmstream",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %-7l %v", spdlog::pattern_time_type::utc);
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

absl::Status check_broker(const KafkaOptions& options) {
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(options.with_timeout(kFirstAnswerMax));
  if (!topics.ok()) return topics.status();
  if (topics->broker_count().ok()) return absl::OkStatus();
  return absl::UnavailableError(fmt::format(
      "no Kafka broker answers at {}\n"
      "Is one running there? Its address is the setting kafka.brokers (--set "
      "kafka.brokers=HOST:PORT); for TLS or a password see [kafka.properties] in `rfmstream config "
      "default`.",
      options.brokers));
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
