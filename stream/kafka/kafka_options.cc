#include "stream/kafka/kafka_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"

namespace rfm {
namespace {

constexpr std::size_t kTopicNameMax = 249;

// What exactly-once delivery, the readers' end tests and the bounded calls rest on.
constexpr std::array<std::string_view, 22> kFixedProperties = {
    "acks",
    "auto.commit.enable",
    "auto.offset.reset",
    "bootstrap.servers",
    "delivery.report.only.error",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "group.instance.id",
    "heartbeat.interval.ms",
    "isolation.level",
    "max.in.flight.requests.per.connection",
    "metadata.broker.list",
    "partition.assignment.strategy",
    "partitioner",
    "request.required.acks",
    "session.timeout.ms",
    "transaction.timeout.ms",
    "transactional.id",
};

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

absl::Status check_name(std::string_view what, std::string_view name) {
  if (name.empty() || name.size() > kTopicNameMax || name == "." || name == ".." ||
      !std::all_of(name.begin(), name.end(), is_name_character)) {
    return absl::InvalidArgumentError(fmt::format(
        "{} is \"{}\"; it must be 1 to {} of a-z A-Z 0-9 . _ -", what, name, kTopicNameMax));
  }
  return absl::OkStatus();
}

}  // namespace

KafkaTopicNames topic_names(const KafkaOptions& options) {
  const std::string& app = options.application;
  return {.input = options.input_topic,
          .transitions = options.transitions_topic,
          .segments = options.segments_topic,
          .dead_letters = app + "-dead-letters",
          .receipts = app + "-receipts",
          .changelog = app + "-changelog",
          .ticks = app + "-ticks",
          .contributions = app + "-contributions",
          .model = app + "-model",
          .requests = app + "-requests",
          .idle = app + "-idle",
          .output_owners = "rfmstream-outputs"};
}

std::string lane_name(const KafkaOptions& options) {
  return fmt::format("{}-{}-{}", options.application, options.instance, options.lane);
}

absl::Status validate(const KafkaOptions& options) {
  if (options.brokers.empty()) return absl::InvalidArgumentError("kafka.brokers is empty");
  if (options.lane < 0) return absl::InvalidArgumentError("a lane's number is not negative");
  for (const auto& [what, name] :
       {std::pair<std::string_view, std::string_view>{"the application", options.application},
        {"the instance", options.instance},
        {"the input topic", options.input_topic},
        {"the transitions topic", options.transitions_topic},
        {"the segments topic", options.segments_topic}}) {
    if (absl::Status status = check_name(what, name); !status.ok()) return status;
  }
  for (const auto& [name, value] : options.properties) {
    if (std::binary_search(kFixedProperties.begin(), kFixedProperties.end(), name)) {
      return absl::InvalidArgumentError(fmt::format(
          "Kafka property {} cannot be set: exactly-once delivery depends on it", name));
    }
  }
  return absl::OkStatus();
}

}  // namespace rfm
