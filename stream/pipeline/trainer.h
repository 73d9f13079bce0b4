// The trainer of one process: gathers the partitions' contributions, trains one epoch after the
// other on its own thread, announces each version at once and publishes it to the model log on
// another. A lane's commit waits for the versions it used.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "model/training.h"
#include "state/model_timeline.h"
#include "stream/format/model_log.h"
#include "stream/format/model_log_writer.h"
#include "stream/record/record.h"

namespace rfm {

struct TrainerOptions {
  TrainingOptions training;
  int partition_count = 1;
  // What the model log begins with, its rules, published before a first record is applied. Empty:
  // it has begun.
  std::vector<ModelLogRecord> first = {};
};

// Rules after the first ones.
struct LaterRules {
  RulesRecord record;
  std::shared_ptr<const Rules> rules;
  TrainingOptions training;  // Under them.
};

// What past runs left: the versions of the model log and the contributions kept.
struct TrainerHistory {
  std::vector<LaterRules> rules = {};  // From version 2 on, each with its boundary.
  std::vector<ModelVersion> versions;
  std::map<std::pair<std::int64_t, PartitionId>, Contribution>
      contributions;  // By (epoch, partition).
};

class Trainer {
 public:
  // `recorded`: the history is a whole model log to replay; nothing is trained.
  enum class Mode : std::uint8_t { kTrain, kRecorded };

  // `log` outlives it; called on the trainer's publishing thread, or by the lane that begins it.
  Trainer(const TrainerOptions& options, ModelLogWriter& log, TrainerHistory history, Mode mode);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  // Whether the model log has begun. Nothing may be committed before. From any lane.
  bool begun() const;
  // Begins it, unless another lane has.
  absl::Status begin();

  // From any lane. What a partition says first: the first boundary it will contribute for, or that
  // it has not held a record so far (then it counts as contributed, until it starts).
  void partition_started(PartitionId partition, std::int64_t first_boundary);
  void partition_empty(PartitionId partition);
  // A contribution that is a function of the input log alone may come before it is committed; one
  // that follows from a choice of the lane (a tick, an idle partition) comes when that is
  // committed.
  void contribute(PartitionId partition, const Contribution& contribution);

  // Logs the next version of the rules, with the first boundary at which no lane can be before it
  // is known; that waits until training has begun. `later.record` has no boundary yet.
  void change_rules(LaterRules later);

  // Clusters that are held since `epoch` are to be taken with the epoch trained next. Returns
  // whether they are held now: no others are taken for them.
  bool promote(std::int64_t epoch);

  // The last version trained; null: none yet.
  std::shared_ptr<const ModelVersion> newest() const;

  // Brings `timeline` up to date with what is announced. Any error of the trainer's thread.
  absl::Status update(ModelTimeline& timeline) const;

  // The boundary that the trainer waits for, if `partition` is among those it waits for and another
  // one has passed it.
  std::optional<std::int64_t> awaited(PartitionId partition) const;

  // Waits until every version trained up to `epoch` is in the model log.
  absl::Status wait_committed(std::int64_t epoch);

  // Waits until all that can be trained from the contributions so far is in the model log.
  absl::Status finish();

  bool recorded() const { return mode_ == Mode::kRecorded; }

  // Returns when something has been announced since `announced` (a number of announcements) or
  // after `longest`.
  std::int64_t announcements() const;
  void wait_announcement(std::int64_t announced, std::chrono::milliseconds longest);

 private:
  struct PartitionProgress {
    bool known = false;  // Started or found empty.
    std::optional<std::int64_t> first_boundary;
    std::int64_t contributed = std::numeric_limits<std::int64_t>::min();
  };

  void run();      // The training thread's body.
  void publish();  // The publishing thread's.
  void log_rules(LaterRules later);
  std::int64_t next_epoch() const {  // To be trained.
    return *start_epoch_ + static_cast<std::int64_t>(versions_.size());
  }
  bool has_passed(std::int64_t epoch) const;
  bool has_contributed(const PartitionProgress& partition, std::int64_t epoch) const;
  // The next epoch to train if all partitions have contributed for it.
  std::optional<std::int64_t> ready_epoch();
  void find_start();
  void take_past();
  std::vector<std::shared_ptr<const Contribution>> take_contributions(std::int64_t epoch);
  // Whether the version trained at `epoch` knew what `partition` contributed for it.
  bool was_included(std::int64_t epoch, PartitionId partition) const;

  TrainerOptions options_;
  ModelLogWriter& log_;
  Mode mode_;
  Training training_;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<PartitionProgress> partitions_;
  std::map<std::int64_t, std::map<PartitionId, std::shared_ptr<const Contribution>>>
      contributions_;  // By epoch, of those to be trained.
  std::map<std::int64_t, std::map<PartitionId, std::shared_ptr<const Contribution>>>
      closed_;  // That versions from before the start included, until their samples are taken.
  bool past_taken_ = false;
  std::optional<std::int64_t> start_epoch_;
  std::vector<std::shared_ptr<const ModelVersion>>
      versions_;                          // [i] was trained at start_epoch_ + i.
  std::vector<LaterRules> rules_;         // [i] is version i + 2.
  std::vector<LaterRules> proposed_;      // Until there is a boundary to give them.
  std::optional<std::int64_t> promoted_;  // With the epoch trained next.
  std::vector<ModelLogRecord> unpublished_;
  std::int64_t wanted_through_ =
      std::numeric_limits<std::int64_t>::min();  // What commits wait for.
  std::int64_t committed_through_ = std::numeric_limits<std::int64_t>::min();
  std::int64_t announcements_ = 0;
  absl::Status status_;
  bool stopping_ = false;
  std::thread thread_;
  std::thread publisher_;
};

}  // namespace rfm
