// Whether the topics of an application are what it relies on: there, with as many partitions as its
// state was made for, and set up so that nothing is lost.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/kafka/kafka_options.h"
#include "stream/kafka/kafka_topics.h"

namespace rfm {

// What there is to say when the application began with `before` partitions of its input and there
// are `now`: while running, at a start and in `topics check`.
absl::Status partitions_changed(const KafkaOptions& options, int before, int now);

// `partitions_changed`, if the topics that follow the input (those that there are) say so.
absl::Status same_partitions(const KafkaOptions& options, KafkaTopics& topics);

// The partition count of the input. kNotFound: a topic of the application is missing.
// kFailedPrecondition: `partitions_changed`.
absl::StatusOr<int> find_topics(const KafkaOptions& options);

// The same before the service begins, which also refuses what the rules refuse
// (kFailedPrecondition), with the commands that mend it, and logs what they warn of.
absl::StatusOr<int> check_topics(const KafkaOptions& options, std::int64_t record_bytes_max);

}  // namespace rfm
