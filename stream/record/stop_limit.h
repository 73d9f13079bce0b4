// By when every call that waits for a broker must give up: never, until the process is asked to
// stop. What only works gives up at once, unless it is the last commit.
#pragma once

#include <atomic>
#include <chrono>
#include <limits>

namespace rfm {

// Any thread.
class StopLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Only the first call counts.
  void ask(std::chrono::milliseconds grace) {
    std::int64_t never = kNever;
    at_.compare_exchange_strong(
        never, (std::chrono::steady_clock::now() + grace).time_since_epoch().count());
  }
  bool asked() const { return at_ != kNever; }
  Time at() const { return Time(Time::duration(at_.load())); }  // Far away until asked.

 private:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  std::atomic<std::int64_t> at_ = kNever;
};

}  // namespace rfm
