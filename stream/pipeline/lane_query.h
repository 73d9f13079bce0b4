// What another thread asks of a lane's customers. The lane looks at what is committed and nothing
// else, in slices between its batches (query_desk.h).
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "absl/status/status.h"
#include "state/time_context.h"
#include "stream/pipeline/partition.h"

namespace rfm {

// The logs that rows are judged by, for who goes on with an answer when the lane has gone on too.
struct LogsCopy {
  Rules first;
  ModelTimeline models;

  TimeContext context() const { return {first, models}; }
};

// A lane's state at a moment at which nothing in it is uncommitted. Means something for one slice.
struct CommittedState {
  std::span<const Partition* const> partitions;
  TimeContext logs;
  // The same logs. Shared, because answers outlive each other and the lane.
  std::shared_ptr<const LogsCopy> logs_copy;
};

// Seam: what is asked is of whoever asks. Shared between who asks and the lane, because either may
// be the first to give up.
class LaneQuery {
 public:
  enum class Progress : std::uint8_t { kMore, kDone };

  LaneQuery() = default;
  LaneQuery(const LaneQuery&) = delete;
  LaneQuery& operator=(const LaneQuery&) = delete;
  virtual ~LaneQuery() = default;

  // One slice, of some hundred microseconds; the lane's thread. Between two the lane goes on, so
  // that a customer may be seen as of either. Not called any more once it is done, or `finish`ed.
  virtual Progress look(const CommittedState& state) = 0;

  // By the desk, once: done, or why it never will be (kUnavailable).
  void finish(absl::Status status);
  // Any thread. Absent: it is not finished by then. Once it is, the answer is the caller's.
  std::optional<absl::Status> wait(std::chrono::steady_clock::time_point until) const;
  bool is_finished() const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable finished_;
  std::optional<absl::Status> status_;
};

}  // namespace rfm
