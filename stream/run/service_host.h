// The process that the service runs in, and what the service tells it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "state/event_time.h"
#include "stream/format/partition_meta.h"
#include "stream/pipeline/customer_places.h"
#include "stream/pipeline/lane.h"
#include "stream/run/rules_reader.h"

namespace rfm {

// Said now and then, for progress.
struct ServiceStatus {
  OutcomeCounters counters;   // Of all that the partitions owned have ever read.
  std::uint64_t records = 0;  // Read by this process since the state was restored.
  // Records (and markers) of the partitions owned that are not applied; those that wait for a model
  // version are.
  std::int64_t records_behind = 0;
  EventTime event_time = kBeforeAll;
  bool caught_up = false;  // All partitions of the input are owned, and each is at its end.
  int partitions_owned = 0;
  CommitFigures commits;
  Silence silence;  // The longest.
  // Why nothing goes on, where every lane is at its end or held back.
  std::optional<std::string> held_back;
  SplitCustomers split;           // Over all partitions owned.
  std::uint64_t clock_jumps = 0;  // Of this machine's clock against the broker's.

  // What a further lane reports. Not of a lane: `split`, `clock_jumps`.
  void add(const ServiceStatus& lane);
};

// The process that the service runs in. Seam: the command, fakes in tests.
class ServiceHost : public RulesReader {
 public:
  // Asked several times a second, on a thread of its own; then commit and close.
  virtual bool should_stop() = 0;
  virtual void on_status(const ServiceStatus& status) = 0;
};

}  // namespace rfm
