// Only one process can run an application for now: two would halt each other, because each trains
// for all partitions.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "stream/kafka/kafka_group.h"
#include "stream/kafka/kafka_options.h"

namespace rfm {

// A member of the application's group that is no lane of this instance; absent also where no broker
// answers.
std::optional<GroupMember> other_instance(const KafkaOptions& options);

// Waits for what a process left that ended a moment ago, which is in the group until its session
// times out. kFailedPrecondition, with the other's name and host: it stays. kCancelled: stopped
// (`options.stop` is there).
absl::Status check_sole_instance(const KafkaOptions& options);

// `status` of one who was fenced for good, with who is in the group.
absl::Status with_rival(const absl::Status& status, const KafkaOptions& options);

}  // namespace rfm
