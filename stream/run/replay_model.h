// What a replay judges by: the rules, and a model log that it trains itself or follows. The state
// directory keeps both, for they are all that its rows mean.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "state/state_store.h"
#include "stream/format/model_log.h"
#include "stream/format/model_log_writer.h"
#include "stream/pipeline/trainer.h"
#include "stream/record/clock.h"
#include "stream/run/recording.h"
#include "stream/run/replay_options.h"

namespace rfm {

class ReplayModel final : public ModelLogWriter {
 public:
  // `store` outlives it. kFailedPrecondition: the state was begun with other rules or another model
  // log. kInvalidArgument: there is nothing in the model log to follow.
  static absl::StatusOr<std::unique_ptr<ReplayModel>> open(const ReplayOptions& options,
                                                           StateStore& store, const Clock& clock);

  // The first; what it says beside the settings holds for all.
  const RulesRecord& rules() const { return rules_.front(); }
  const RulesHistory& history() const { return history_; }
  // Nothing was in the state directory.
  bool begins() const { return begins_; }
  // What an application recorded, if that is followed.
  const std::optional<Recording>& recording() const { return recording_; }
  Trainer& trainer() { return *trainer_; }

  // Into the state directory, at once.
  absl::Status publish(std::span<const ModelLogRecord> records) override;

  // The rules and all versions so far.
  absl::StatusOr<ModelLog> log() const;

 private:
  explicit ReplayModel(StateStore& store) : store_(store) {}

  // `followed`: those of a model log that is followed, if any.
  absl::Status set_rules(const ReplayOptions& options, std::span<const RulesRecord> stored,
                         std::span<const RulesRecord> followed, const Clock& clock);
  absl::Status check_fixed(const ReplayOptions& options) const;
  // `stored`: what the state directory holds already, which must not contradict it.
  absl::StatusOr<TrainerHistory> follow(std::vector<ModelVersion> versions,
                                        std::span<const ModelLogRecord> stored);
  absl::StatusOr<TrainerHistory> go_on(std::vector<ModelVersion> versions, int partition_count);

  StateStore& store_;
  std::vector<RulesRecord> rules_;
  RulesHistory history_;
  bool begins_ = false;
  std::vector<ModelLogRecord> first_;  // Written before the first record is applied.
  std::optional<Recording> recording_;
  std::unique_ptr<Trainer> trainer_;
};

}  // namespace rfm
