// What the commands that work on Kafka need first: a broker that answers, and a topic.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "config/settings.h"
#include "stream/kafka/kafka_options.h"

namespace rfm {

// kUnavailable, with what to look at, when no broker answers.
absl::Status check_broker(const KafkaOptions& options);

// kNotFound, with the command that helps, when `topic` does not exist; else its partition count.
absl::StatusOr<int> check_topic(const KafkaOptions& options, const std::string& topic);

}  // namespace rfm
