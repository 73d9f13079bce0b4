// What must hold before a life of the service begins.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "stream/run/service_options.h"

namespace rfm {

// How much of the topics is looked at: what the broker answers to many questions is said once.
enum class TopicScrutiny : std::uint8_t {
  kSettings,  // `check_topics`: settings too.
  kCounts,    // `find_topics`: they are there.
};

// The input's partition count, when the topics are as they must be, no other instance runs and the
// outputs are this application's. kInvalidArgument: the options do not fit the input.
absl::StatusOr<int> check_start(const ServiceOptions& options, TopicScrutiny scrutiny);

}  // namespace rfm
