// What the commands that work on Kafka need first: log lines on standard error, and a broker that
// answers.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "config/settings.h"
#include "stream/kafka/kafka_options.h"

namespace rfm {

// Log lines from `level` on (as in log.level) go to standard error. The last call counts.
void log_to_standard_error(const std::string& level);

// kUnavailable, with what to look at, when no broker answers.
absl::Status check_broker(const KafkaOptions& options);

// kNotFound, with the command that helps, when `topic` does not exist; else its partition count.
absl::StatusOr<int> check_topic(const KafkaOptions& options, const std::string& topic);

}  // namespace rfm
