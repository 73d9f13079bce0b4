// Whether the model log holds what a state was made by.
#pragma once

#include "absl/status/status.h"
#include "state/model_timeline.h"
#include "stream/format/partition_meta.h"
#include "stream/kafka/kafka_options.h"
#include "stream/record/record.h"

namespace rfm {

// Whether `models` know every epoch that the partition has come to. Rules are logged before the
// epochs in which they hold, so that they are there too.
bool reach(const ModelTimeline& models, const PartitionMeta& meta);

// kFailedPrecondition: the model log does not hold what the partition was made by, and the ways on.
absl::Status refuse_model_log(const KafkaOptions& options, PartitionId partition,
                              const ModelTimeline& models);

}  // namespace rfm
