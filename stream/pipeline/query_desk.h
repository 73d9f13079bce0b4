// Where other threads put questions to one lane. It outlives the lane: while there is none, what is
// asked is refused with the reason. Costs the lane one load of an atomic where nobody asks.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "stream/pipeline/lane_query.h"

namespace rfm {

// Since the process started.
struct QueryFigures {
  std::uint64_t answered = 0;
  std::uint64_t refused = 0;        // Too many waited, or there was no lane.
  std::uint64_t given_up = 0;       // Not finished when the lane's partitions, or who asked, went.
  std::chrono::nanoseconds cpu{0};  // Of the lane's thread, for all of them.

  void add(const QueryFigures& other);
};

// CPU time of the calling thread.
std::chrono::nanoseconds thread_cpu();

class QueryDesk {
 public:
  // Of either kind. More are refused.
  static constexpr std::size_t kWaitingMax = 64;

  // What is answered by one look goes before what takes a pass over all customers.
  enum class Kind : std::uint8_t { kLook, kPass };

  // How much of the lane its answers may take. While it is busy, passes have a 64th of the CPU time
  // that it works, less than 2 %, and what looks cost counts as theirs; looks, of some microseconds
  // each, have a 64th of all time, also on a machine that leaves the lane little CPU.
  enum class Pace : std::uint8_t {
    kBusy,
    kIdle,  // Half of the time.
    kFree,  // It has nothing else to do.
  };

  QueryDesk() = default;
  QueryDesk(const QueryDesk&) = delete;
  QueryDesk& operator=(const QueryDesk&) = delete;
  ~QueryDesk() { close("the service ends"); }

  // Any thread. kResourceExhausted: too many wait. kUnavailable: the lane has no state now, and
  // why. Else the query will be finished, unless nobody else holds it any more.
  absl::Status ask(std::shared_ptr<LaneQuery> query, Kind kind);
  QueryFigures figures() const;

  // What follows is the lane's thread's.
  bool is_asked() const { return is_asked_.load(std::memory_order_relaxed); }
  // As much as `pace` allows since the last call. `logs` may be newer than those of the call
  // before.
  void work(std::span<const Partition* const> partitions, const TimeContext& logs, Pace pace);
  // The lane has its partitions. `wake`, called by whoever asks and not after `close`, ends its
  // wait for input.
  void open(std::function<void()> wake = {});
  // Where it has nothing else to do: until somebody asks, or it is too late for that.
  bool wait_asked(std::chrono::steady_clock::time_point until);
  // It has none any more: whoever waits is told why, as is who asks from here on.
  void close(std::string_view why);

 private:
  struct Next {
    std::shared_ptr<LaneQuery> query;  // Null: there is none that may be answered now.
    Kind kind = Kind::kLook;
  };

  void allow(Pace pace, std::chrono::nanoseconds cpu);
  Next next();
  void drop_first(Kind kind);
  const std::shared_ptr<const LogsCopy>& copy_of(const TimeContext& logs);

  std::atomic<bool> is_asked_ = false;
  std::condition_variable asked_;
  mutable std::mutex mutex_;  // Guards what follows, up to `figures_`.
  std::deque<std::shared_ptr<LaneQuery>> looks_;
  std::deque<std::shared_ptr<LaneQuery>> passes_;
  std::function<void()> wake_;                            // Empty: it waits with `wait_asked`.
  std::string closed_ = "the state is not restored yet";  // Empty: open.
  QueryFigures figures_;

  // The lane's thread's.
  std::shared_ptr<const LogsCopy> logs_copy_;
  std::chrono::steady_clock::time_point worked_at_{};
  std::chrono::nanoseconds worked_cpu_{0};  // Of its thread, when it had answered last.
  std::chrono::nanoseconds look_allowance_{0};
  std::chrono::nanoseconds pass_allowance_{0};
};

}  // namespace rfm
