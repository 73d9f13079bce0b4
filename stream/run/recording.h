// What a running application has recorded in Kafka beside its input. A replay that follows it comes
// out byte for byte the same.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "stream/format/model_log.h"
#include "stream/format/tick.h"
#include "stream/kafka/kafka_options.h"
#include "stream/record/record.h"

namespace rfm {

struct Recording {
  ModelLog log;                          // Its rules are there.
  std::vector<Offset> ends;              // How far it has read, by partition; 0: not at all.
  std::vector<std::vector<Tick>> ticks;  // By partition, up to `ends`, in order.
};

// Of the application that `options` names. kNotFound: it has never run, or its topics are gone.
absl::StatusOr<Recording> read_recording(const KafkaOptions& options);

}  // namespace rfm
