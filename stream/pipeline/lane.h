// A lane: one thread that owns a source, a sink and a set of partitions with their state. The
// shortest path from record to transition is `step`: read, decode, Partition::process, write,
// commit.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "state/state_store.h"
#include "stream/decode/decoder.h"
#include "stream/decode/input_partitioner.h"
#include "stream/format/model_log.h"
#include "stream/pipeline/customer_places.h"
#include "stream/pipeline/dead_letter_watch.h"
#include "stream/pipeline/lane_figures.h"
#include "stream/pipeline/lane_observer.h"
#include "stream/pipeline/lane_output.h"
#include "stream/pipeline/lane_partition.h"
#include "stream/pipeline/partition_restore.h"
#include "stream/pipeline/query_desk.h"
#include "stream/pipeline/trainer.h"
#include "stream/record/broker_time.h"
#include "stream/record/clock.h"
#include "stream/record/commit_observer.h"
#include "stream/record/event_source.h"
#include "stream/record/output_sink.h"
#include "stream/record/stop_limit.h"

namespace rfm {

struct LaneOptions {
  std::string application = "rfmstream";
  std::string input_topic;
  int partition_count = 1;       // Of the input.
  std::uint64_t input_mark = 0;  // Tells one input file from another; 0: unknown.
  InputPartitioner partitioner = InputPartitioner::kAny;
  std::chrono::milliseconds commit_interval{100};
  std::chrono::milliseconds commit_interval_behind{
      500};  // While more than behind_records wait to be read.
  std::int64_t behind_records = 200'000;
  std::size_t transaction_records_max = 1'000'000;
  std::size_t transaction_bytes_max = std::size_t{256} << 20;
  std::size_t batch_records = 1000;
  // How many rows a step may look at for time alone.
  std::size_t piece_rows = PartitionOptions::kPieceRows;
  std::optional<std::chrono::milliseconds> tick_idle;  // Absent: no ticks (replay).
  // Records at or after it are left out, wherever they stand. What has no time of its own goes with
  // the record before it.
  std::optional<EventTime> until;
  // What is done because records are left out or the input ends, and would not be if it went on,
  // waits for `pass_end`.
  bool holds_at_end = false;
  LaneOutput::Threading output = LaneOutput::Threading::kLane;
  DeadLetterOptions dead_letters;
};

// What a lane works with; all outlive it. One thread.
struct LaneParts {
  EventSource& source;
  OutputSink& sink;
  StateStore& store;
  Trainer& trainer;
  const Clock& clock;                  // For when to commit.
  CustomerPlaces* places = nullptr;    // Shared by all lanes; absent: nobody looks.
  const BrokerTime* time = nullptr;    // For ticks; absent: there are none.
  CommitObserver* observer = nullptr;  // Tests only.
  const StopLimit* stop = nullptr;     // Ends a restore; absent: nobody asks.
  LaneFigures* figures = nullptr;      // Of the process's lives before, goes on; absent: its own.
  QueryDesk* queries = nullptr;        // Closed until `answer_queries`; absent: nobody asks.
};

// Days without records that a partition goes through before the record that waits.
struct Silence {
  PartitionId partition = 0;
  EventTime from{};  // Where its clock is.
  EventTime to{};    // The record's event time.
  std::int64_t days_left = 0;
};

class Lane {
 public:
  enum class Activity : std::uint8_t {
    kBusy,     // Something was read or applied.
    kWaiting,  // Everything there is waits for the model.
    kAtEnd,    // Everything that exists is applied.
    kPaused,   // Too many dead letters: nothing is read until another start (`held_back`).
  };

  // `rules` are the first; later ones, like models, come from the trainer.
  Lane(const LaneOptions& options, const Rules& rules, const DecoderOptions& decoder,
       const LaneParts& parts);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  ~Lane();

  // Loads a partition's rows and meta row from the store. The caller brings them to the end of the
  // changelog, if there is one, and then hands them back to `own`. kCancelled, also from `own` and
  // the restore itself: stopped.
  absl::StatusOr<std::unique_ptr<PartitionRestore>> restore(const PartitionOptions& options);
  // Takes the partition. Returns the offset to read from.
  absl::StatusOr<Offset> own(std::unique_ptr<PartitionRestore> restored);

  // Before the first step. Without one nobody looks.
  void observe(LaneObserver& observer);

  // Of a restored partition: goes on elsewhere in its input, from the next commit on.
  void give_up(const LossRecord& loss);

  // Writes what the store holds of a partition owned into its changelog, which holds no commit.
  absl::Status rewrite_changelog(PartitionId partition);

  // From here on, until partitions are dropped, it answers what is asked of those that it owns, at
  // the beginning of a step.
  void answer_queries();

  // Drops all partitions with what is not committed.
  void drop_partitions();

  // One batch of one partition, and a commit if one is due.
  absl::StatusOr<Activity> step();

  // Where nothing was to do. Partitions at their end and idle contribute, which is committed at
  // once, and tick; or they follow what is recorded of that.
  absl::Status idle();

  // With `holds_at_end`, where nothing was to do: a partition at its end holds up those that are
  // not.
  bool is_held_up() const;
  // From here on partitions go on behind records that are left out; where there are no more, they
  // contribute as they are, or count as empty.
  void pass_end();

  // Once everything is read: follows the recorded ticks that are left, then moves every partition's
  // clock to `to`. kWaiting: call again when the model has moved on.
  absl::StatusOr<Activity> tick_all(std::optional<EventTime> to);

  // Commits what there is.
  absl::Status commit();
  bool has_uncommitted() const { return uncommitted_; }
  // A record of the partition is read and waits for a model version.
  bool waits_for_model(PartitionId partition) const;
  // The longest of its partitions; no days left: nothing waits.
  Silence silence() const;
  // Why it does not go on, with an example: it is paused, or all that there is are dead letters and
  // no record has ever been applied. Absent: it does.
  std::optional<std::string> held_back() const;
  // All that exists in the partitions is applied or left out, as far as `holds_at_end` lets them
  // go.
  bool at_end() const;
  // And committed.
  bool caught_up() const { return !uncommitted_ && at_end(); }

  std::vector<const Partition*> partitions() const;
  const ModelTimeline& models() const { return models_; }
  const Rules& rules_of(const CustomerRow& row) const {
    return TimeContext{rules_, models_}.rules_of(row);
  }
  OutcomeCounters counters() const;
  // Of what is committed. The lane's thread only.
  const LaneFigures& figures() const { return figures_; }

 private:
  absl::Status check_identity(const PartitionMeta& meta) const;
  LanePartition* choose();
  absl::StatusOr<std::optional<Activity>> try_input();
  std::size_t held_records() const;  // Read, and not to be applied yet.
  std::string example() const;
  absl::Status pause_if_too_many();
  absl::Status judge_dead_letters(const std::string& what);
  void note_read(LanePartition& partition) const;
  absl::StatusOr<bool> fill(LanePartition& partition);
  absl::Status process(LanePartition& partition);
  DecodedEvent decode(const RecordView& record, PartitionId partition);
  bool is_at_end(const LanePartition& partition) const;
  bool leaves_out(LanePartition& partition, const RecordView& record,
                  const DecodedEvent& event) const;
  std::optional<std::int64_t> awaited_contribution(const LanePartition& partition) const;
  absl::Status sync_model();
  std::int64_t trained_through() const;  // The smallest number: no training has begun.
  void begin_work();
  void work_queries();
  bool reads_on() const;
  bool commit_due();
  void note_applied(std::int64_t received_ms, std::size_t records);
  void note_commit(std::chrono::steady_clock::time_point started, std::size_t changelog_records);
  bool contribute_idle(LanePartition& partition);
  void tick_idle(LanePartition& partition);

  LaneOptions options_;
  const Rules& rules_;
  LaneParts parts_;
  ModelTimeline models_;
  Decoder decoder_;
  LaneOutput output_;
  LaneObserver* observer_ = nullptr;
  std::vector<std::unique_ptr<LanePartition>> partitions_;  // In the order of `own`.
  bool passes_end_;
  bool trial_over_ = false;  // The model log has begun; what was held before is in the batches.
  std::string paused_;       // Why; empty: it is not.
  DeadLetterWatch watch_;
  bool uncommitted_ = false;
  bool was_busy_ = false;  // In the last step.
  std::chrono::steady_clock::time_point last_commit_;
  // When something was done first that is not committed.
  std::chrono::steady_clock::time_point begun_;
  std::unique_ptr<LaneFigures> own_figures_;
  LaneFigures& figures_;
  std::vector<AwaitedBatch> awaited_;  // Applied since the last commit.
};

}  // namespace rfm
