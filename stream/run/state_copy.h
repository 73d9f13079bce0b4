// A backup of a state directory: a copy that is whole whenever it is made.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/run/state_snapshot.h"

namespace rfm {

struct StateCopyOptions {
  std::string from;
  std::string to;  // Not there yet; named so when all is written.
  // Asked now and then; then the copy is given up and nothing is left of it.
  std::function<bool()> should_stop;
  // How many records are copied so far.
  std::function<void(std::uint64_t)> on_progress;
};

// What the copy holds, as commands that read it see it.
struct StateCopy {
  std::vector<PartitionSnapshot> partitions;
  std::vector<std::uint64_t> customers;  // Of each of them.
};

// The process that owns `from` may be running: what is copied is one instant of it, between two of
// its commits. kFailedPrecondition: `to` is there already or inside `from`. kNotFound: no state at
// `from`, or nothing committed in it. kUnavailable: its files changed too fast to be opened.
// kCancelled: stopped.
absl::StatusOr<StateCopy> copy_state(const StateCopyOptions& options);

}  // namespace rfm
