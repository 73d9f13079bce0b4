// Which application an output topic belongs to. Two that write into one would show its readers two
// chains of transitions for each customer.
//
// It is kept in a topic that the applications of a cluster share, `rfmstream-outputs` (key: topic,
// value: the application's name; compacted), because the outputs themselves must hold nothing that
// their readers do not expect. Its writer has the transactional id `rfmstream-outputs`: whoever
// reads and writes under it fences who read before, so that no two claims succeed.
#pragma once

#include <map>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/kafka/kafka_options.h"

namespace rfm {

enum class OutputClaim : std::uint8_t {
  kIfFree,    // What belongs to another application is refused.
  kTakeOver,  // What belonged to another one is ours from here on.
};

// Application by output topic, of those that have one.
absl::StatusOr<std::map<std::string, std::string>> read_output_owners(const KafkaOptions& options);

// Makes `topics` the application's. kFailedPrecondition: one belongs to another application; the
// message says the ways on.
absl::Status claim_outputs(const KafkaOptions& options, std::span<const std::string> topics,
                           OutputClaim claim);

}  // namespace rfm
