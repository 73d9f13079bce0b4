// What the service says of itself, several times a second and whenever it begins or ends a life of
// its pipeline: for progress lines, health, readiness and metrics. Plain data, made by the service
// and copied by whoever keeps it. It outlives the pipeline: counters go on over rebuilds.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "state/event_time.h"
#include "state/rocksdb_state_store.h"
#include "stream/format/partition_meta.h"
#include "stream/pipeline/customer_places.h"
#include "stream/pipeline/lane.h"
#include "stream/run/reaction.h"

namespace rfm {

enum class ServicePhase : std::uint8_t {
  kStarting,        // Looks at topics, settles what was left, reads the model log.
  kRunning,         // The lanes are there.
  kRebuilding,      // A life has failed; the next one begins after a pause.
  kAwaitingTopics,  // A topic is gone (`why`).
};
std::string_view name(ServicePhase phase);

struct PartitionStatus {
  PartitionId partition = 0;
  std::int64_t records_behind = 0;  // Records (and markers) that are not applied.
  std::int64_t records_held = 0;    // Of these, read and waiting for a model version.
  bool started = false;             // Else what follows means nothing.
  EventTime event_time = kBeforeAll;
  EventTime watermark = kBeforeAll;
  std::int64_t epoch_crossed = 0;
  bool is_crossing = false;  // A boundary, or another long way by time alone.
  std::size_t customers = 0;
  std::size_t bytes = 0;  // About, of memory.
  std::size_t book_cells = 0;
  std::size_t book_bytes = 0;  // About, of memory.
};

struct LaneStatus {
  int lane = 0;
  std::chrono::steady_clock::time_point turned_at{};  // The last turn of its loop seen.
  bool is_assigned = false;   // The group has said which partitions it owns, maybe none.
  bool is_restoring = false;  // Them; its loop waits meanwhile.
  bool is_held_back = false;
  LaneFigures figures;  // Since the process started, like what follows.
  QueryFigures queries = {};
};

struct ServiceStatus {
  ServicePhase phase = ServicePhase::kStarting;
  bool is_stored = false;  // A state that is shown and nothing else: there is no broker.
  std::string why;         // With kRebuilding and kAwaitingTopics.
  // Some broker has answered when it was asked last.
  bool broker_answers = false;
  int partition_count = 0;  // Of the input; 0: not known yet.

  OutcomeCounters counters;   // Of all that the partitions owned have ever read.
  std::uint64_t records = 0;  // Read by this process since the state was restored.
  // Records (and markers) of the partitions owned that are not applied; those that wait for a model
  // version are.
  std::int64_t records_behind = 0;
  EventTime event_time = kBeforeAll;
  bool caught_up = false;  // All partitions of the input are owned, and each is at its end.
  int partitions_owned = 0;
  CommitFigures commits;  // Since the process started.
  Silence silence;        // The longest.
  // Why nothing goes on, where every lane is at its end or held back.
  std::optional<std::string> held_back;
  SplitCustomers split;                   // Over all partitions owned.
  std::uint64_t clock_jumps = 0;          // Of this machine's clock against the broker's.
  std::optional<std::int64_t> broker_ms;  // The broker's time; absent: it has not said.

  std::vector<LaneStatus> lanes;
  std::vector<PartitionStatus> partitions;  // Owned, by number.
  std::int64_t model_number = 0;            // In force in the partition that is ahead; 0: none.
  EventTime model_since = kBeforeAll;       // Meaningful with a model.
  // Since when its refits have held clusters for promotion; absent: none are held.
  std::optional<EventTime> model_held_since;
  StoreFigures store;
  std::array<std::uint64_t, kReactionCount> reactions{};  // By Reaction, since the process started.

  // What a further lane reports of itself and its partitions.
  void add(const ServiceStatus& lane);
  // A life is over or begins: nothing is owned, what was counted stays.
  void disown(ServicePhase now, std::string_view reason);
};

}  // namespace rfm
