// The whole pipeline over memory: lanes, trainer, store and topics as the service puts them
// together, with lives that end and begin where the last commit left them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "stream/pipeline/lane.h"
#include "stream/record/broker_time.h"
#include "tests/fake/faults.h"
#include "tests/fake/manual_clock.h"
#include "tests/fake/memory_sink.h"
#include "tests/fake/memory_source.h"
#include "tests/fake/memory_state_store.h"

namespace rfm {

// When the broker says what time it is.
enum class BrokerSpeaks : std::uint8_t { kAtStart, kNot };

struct PipelineOptions {
  Rules rules;
  TrainingOptions training;
  DecoderOptions decoder;
  int lanes = 1;
  std::size_t batch_records = 1000;
  std::optional<std::uint64_t> random_batches;  // Seed.
  std::size_t piece_rows = PartitionOptions::kPieceRows;
  std::chrono::milliseconds commit_interval{100};
  std::optional<std::chrono::milliseconds> tick_idle;
  std::vector<ModelVersion> recorded;  // Not empty: follow this model log instead of training.
  std::map<PartitionId, std::vector<Tick>> ticks;  // Recorded ones to follow.
  Offset go_live_offset = 0;
  EventTime first_start = kBeforeAll;
  BrokerSpeaks broker = BrokerSpeaks::kAtStart;
  std::optional<EventTime> until;  // Of the lanes.
  bool holds_at_end = false;       // Of the lanes, which `run_to_end` goes past.
  LaneOutput::Threading output = LaneOutput::Threading::kLane;
  const StopLimit* stop = nullptr;
  DeadLetterOptions dead_letters;
  QueryDesk* queries = nullptr;         // Of the one lane.
  std::vector<ModelLogRecord> first;    // What the model log begins with, if it is empty.
  std::vector<LaterRules> later_rules;  // With their boundaries, known from the start.
  // Without: asked for when the model log has kAskedEvery records, twice as many...; then logged.
  std::vector<LaterRules> asked;
  static constexpr std::size_t kAskedEvery = 20;
  bool promotes = false;  // Asks at once for clusters that are held.
};

// All that outlives a process.
struct MemoryWorld {
  explicit MemoryWorld(MemoryInput records) : input(std::move(records)) {}

  MemoryInput input;
  Faults faults;
  MemoryStateStore store{faults};
  MemoryTopics topics{faults};
};

// One life of a process: restores what is committed, runs, and dies without a word when destroyed.
class MemoryPipeline {
 public:
  // Each step is followed by a millisecond of wall time.
  MemoryPipeline(MemoryWorld& world, PipelineOptions options);
  MemoryPipeline(const MemoryPipeline&) = delete;
  MemoryPipeline& operator=(const MemoryPipeline&) = delete;

  // Must be called first.
  absl::Status restore();
  // One step of each lane, with `idle` where there is nothing to do. kAtEnd: all of them are.
  absl::StatusOr<Lane::Activity> step();
  // With `holds_at_end`: as far as the log alone leads, which is committed.
  absl::Status run_to_held();
  // Reads to the end, follows the recorded ticks and ticks to `until` (absent, without recorded
  // ticks: the highest event time + lateness + settle), then commits.
  absl::Status run_to_end(std::optional<EventTime> until);
  // The same with each lane on a thread of its own, as the service runs them. At random moments the
  // group gives the partitions to other lanes; some lose theirs before they can commit.
  absl::Status run_on_threads(std::uint64_t seed);
  absl::Status commit();

  ManualClock& clock() { return clock_; }
  BrokerTime& time() { return time_; }
  Trainer& trainer() { return *trainer_; }
  const Lane& lane(std::size_t number) const { return *lanes_[number].lane; }
  std::vector<const Partition*> partitions() const;
  OutcomeCounters counters() const;

 private:
  class Group;
  enum class Leaving : std::uint8_t { kInOrder, kLost };
  struct LaneThread {
    std::unique_ptr<MemorySource> source;
    std::unique_ptr<MemorySink> sink;
    std::unique_ptr<Lane> lane;
  };

  absl::Status open_trainer();
  void ask_for_rules();
  void ask_for_held();
  absl::Status assign(LaneThread& thread, PartitionId partition);
  absl::StatusOr<Offset> restore_partition(Lane& lane, const PartitionOptions& partition);
  absl::Status run_lane(std::size_t lane, Group& group, std::uint64_t seed);
  absl::Status reassign(std::size_t lane, Group& group, Leaving leaving);

  MemoryWorld& world_;
  PipelineOptions options_;
  ManualClock clock_;
  BrokerTime time_;
  std::unique_ptr<Trainer> trainer_;
  std::size_t asked_ = 0;
  std::vector<LaneThread> lanes_;  // Partition p is at first with lane p % lanes.
};

// What is committed, for comparison.
struct PipelineOutput {
  // By customer, in order: key, headers and value.
  std::map<std::string, std::vector<std::string>> transitions;
  std::map<std::string, std::string> segments;  // Current ones, compacted.
  std::vector<std::string> dead_letters;        // Sorted.
  std::vector<std::string> receipts;            // Sorted.
  std::vector<ModelLogRecord> model_log;
  OutcomeCounters counters;
  std::map<std::string, std::string> rows;   // Stored form.
  std::map<std::string, std::string> books;  // The same of their cells, by partition and key.

  friend bool operator==(const PipelineOutput&, const PipelineOutput&) = default;
};
PipelineOutput output_of(MemoryWorld& world);

// How two outputs differ, in a line or two; empty: not at all.
std::string difference(const PipelineOutput& expected, const PipelineOutput& actual);

}  // namespace rfm
