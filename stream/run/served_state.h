// A stored state as it is when the service runs, so that the same code answers what is asked of it:
// its partitions in memory, read only, and one thread in a lane's place.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "stream/pipeline/partition.h"
#include "stream/pipeline/query_desk.h"
#include "stream/record/clock.h"
#include "stream/run/service_status.h"
#include "stream/run/state_snapshot.h"

namespace rfm {

class ServedState {
 public:
  // `snapshot`, whose model has been read, `desk` and `clock` outlive it.
  static absl::StatusOr<std::unique_ptr<ServedState>> open(const StateSnapshot& snapshot,
                                                           QueryDesk& desk, const Clock& clock);
  ServedState(const ServedState&) = delete;
  ServedState& operator=(const ServedState&) = delete;
  ~ServedState();

  // Answers what is asked, within `wait_max`. The same thread each time.
  void work(std::chrono::milliseconds wait_max);
  ServiceStatus status() const;

  std::size_t customers() const;

 private:
  class Silent;  // Nothing happens to a partition that is only read.

  ServedState(const StateSnapshot& snapshot, QueryDesk& desk, const Clock& clock);

  const StateSnapshot& snapshot_;
  QueryDesk& desk_;
  const Clock& clock_;
  std::unique_ptr<Silent> silent_;
  std::vector<std::unique_ptr<Partition>> partitions_;
  std::vector<const Partition*> shown_;  // The same.
  ServiceStatus status_;                 // But for what passes.
};

}  // namespace rfm
