// What a running application has recorded in Kafka beside its input. A replay that follows it comes
// out byte for byte the same.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/format/model_log.h"
#include "stream/format/tick.h"
#include "stream/kafka/kafka_options.h"
#include "stream/record/record.h"

namespace rfm {

struct Recording {
  ModelLog log;  // Its rules are there.
  // By partition:
  std::vector<Offset> begins;            // Where it began to read.
  std::vector<Offset> ends;              // How far it has read; 0: not at all.
  std::vector<std::uint64_t> records;    // How many that were.
  std::vector<std::vector<Tick>> ticks;  // Up to `ends`, in order.
};

// kFailedPrecondition: why what an application did cannot be repeated.
absl::Status not_whole(std::string_view what);

// Of the application that `options` names. kNotFound: it has never run, or its topics are gone.
// `not_whole`: its rules or ticks are not all there any more, or its input is another one now.
absl::StatusOr<Recording> read_recording(const KafkaOptions& options);

}  // namespace rfm
