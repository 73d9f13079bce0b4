// Where each partition of the input goes on, and what stands in its way: records that are gone
// unread, or another topic under the same name. Only an operator's consent leads past either.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/format/model_log.h"
#include "stream/format/partition_meta.h"
#include "stream/kafka/kafka_queries.h"
#include "stream/kafka/kafka_reader.h"
#include "stream/record/record.h"

namespace rfm {

// Why a partition cannot go on from where it was.
struct InputObstacle {
  PartitionId partition = 0;
  Offset next = 0;  // Where it would go on.
  OffsetRange log;  // What the topic holds.
  bool another_topic = false;
  std::string what;  // "offsets 17 to 41 are gone unread".
};

// Absent: it can go on at `next`. Compares the record at the position of the last one applied, if
// it is still there; where retention has removed it nothing can be said.
absl::StatusOr<std::optional<InputObstacle>> find_obstacle(KafkaReader& reader,
                                                           const std::string& topic,
                                                           PartitionId partition,
                                                           const PartitionMeta& meta, Offset next,
                                                           OffsetRange log);

// What operators have consented to.
struct InputLosses {
  std::vector<LossRecord> logged;           // In the model log.
  std::map<PartitionId, Offset> consented;  // `run --accept-loss`: where to go on.
};

// The logged losses that follow this state, in order: it has not been committed beyond them.
std::vector<LossRecord> pending_losses(const InputLosses& losses, PartitionId partition,
                                       const PartitionMeta& meta);

// Where the partition began when the application did; `begin` is RulesRecord::begin. Absent: not
// known.
std::optional<Offset> begin_of(const std::vector<Offset>& begin,
                               const std::vector<LossRecord>& losses, PartitionId partition);

// From which offset of `partition` transitions are actionable, given where the service went live.
Offset go_live_offset(const RulesRecord& rules, const std::vector<LossRecord>& losses,
                      PartitionId partition);

// `rfmstream run` with all consents that it needs at once: those given and those to `obstacles`.
std::string run_with_consent(std::map<PartitionId, Offset> consented,
                             const std::vector<InputObstacle>& obstacles, bool rewrite_changelog);

// What stands in the way of each of `obstacles`, a line for each.
std::string text_of(const std::string& topic, const std::vector<InputObstacle>& obstacles);

// kFailedPrecondition: what stands in the way of all of `obstacles`, and the ways on, of which
// `command` is one.
absl::Status refuse(const std::string& topic, const std::vector<InputObstacle>& obstacles,
                    const std::string& command);

}  // namespace rfm
