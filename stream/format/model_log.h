// The model log's records: what the trainer publishes and every worker reads. JSON, so that
// operators can read it too; doubles are written with as many digits as bring back the same bits.
// Schema: config/schemas/model-version.schema.json.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "model/model_version.h"
#include "state/state_store.h"
#include "stream/record/record.h"

namespace rfm {

struct ModelLogRecord {
  // "rules/1", "version/<trained epoch>" or "loss/<partition>/<commit>/<time>".
  std::string key;
  std::string value;  // JSON.

  friend bool operator==(const ModelLogRecord&, const ModelLogRecord&) = default;
};

// The rules in force from the start, or from an epoch on: all semantic settings as text, and where
// the application went live.
struct RulesRecord {
  std::int64_t version = 1;
  // From version 2 on: the epoch from whose start on they hold.
  std::optional<std::int64_t> effective_epoch = {};
  std::map<std::string, std::string> settings;
  std::vector<Offset> go_live;  // Per input partition; empty: everything is actionable.
  std::string go_live_time;     // File mode: RFC 3339; empty: everything is actionable.
  std::int64_t first_start_ms =
      0;  // Wall time of the first start: what a file's records carry as received time.
  std::vector<Offset> begin = {};  // Where the input began then, per partition; empty: not known.

  friend bool operator==(const RulesRecord&, const RulesRecord&) = default;
};

// What an operator has consented to: a partition that stood at `from` after its commit number
// `commit_number` went on at `to`, because what was between is gone, or because the topic is
// another one now; or, with both the same, its changelog was lost and written anew.
struct LossRecord {
  PartitionId partition = 0;
  std::uint64_t commit_number = 0;
  Offset from = 0;
  Offset to = 0;
  std::int64_t offsets = 0;  // Given up; of another topic: those before `to`.
  bool another_topic = false;
  bool changelog = false;
  std::int64_t accepted_ms = 0;  // Wall time.

  friend bool operator==(const LossRecord&, const LossRecord&) = default;
};

ModelLogRecord encode_loss(const LossRecord& loss);
ModelLogRecord encode_version(const ModelVersion& version);
ModelLogRecord encode_rules(const RulesRecord& rules);

// The whole log as read, in any order. kDataLoss names the record and the field that is not what
// the trainer writes; what passes is safe to compute with. kUnimplemented: from a newer version.
struct ModelLog {
  std::vector<RulesRecord> rules;      // By version.
  std::vector<ModelVersion> versions;  // By trained epoch, without gaps.
  std::vector<LossRecord> losses;      // By partition, commit number and time.
};
absl::StatusOr<ModelLog> decode_model_log(const std::vector<ModelLogRecord>& records);

// The records that a store holds (file mode); none: the log is a topic.
absl::StatusOr<std::vector<ModelLogRecord>> read_model_log(StateStore& store);

}  // namespace rfm
