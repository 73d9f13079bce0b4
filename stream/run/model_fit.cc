#include "stream/run/model_fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "state/epoch.h"
#include "stream/text/time_text.h"

namespace rfm {

bool reach(const ModelTimeline& models, const PartitionMeta& meta) {
  // One whose first record still waits for the model has no clock yet.
  if (!meta.started || meta.max_event_time == kBeforeAll) return true;
  const std::int64_t epoch = std::max(meta.crossed, epoch_of(meta.max_event_time));
  return epoch <= meta.first_boundary || models.knows(epoch);
}

absl::Status refuse_model_log(const KafkaOptions& options, PartitionId partition,
                              const ModelTimeline& models) {
  const std::string holds =
      models.started() && models.trained_through() >= models.start_epoch()
          ? fmt::format("ends with {}", to_date(boundary_of(models.trained_through())))
          : "holds nothing of that";
  return absl::FailedPreconditionError(fmt::format(
      "partition {0} has been committed, but the model log {1} {2}: it was deleted or made anew, "
      "and the rules and versions that the state was made by are gone. Put a backup of that topic "
      "back that is as new as the state: delete the topic, `rfmstream topics create`, and produce "
      "the backup into it before the service starts (docs/runbook.md, Restore). With none, begin "
      "anew, as another application: with an app.name and a state directory of its own, and with "
      "output.transitions and output.segments of its own or taken over from this one (`rfmstream "
      "run --take-outputs`)",
      partition, topic_names(options).model, holds));
}

}  // namespace rfm
