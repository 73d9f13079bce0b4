// Wall time that moves when the test says so, on any thread.
#pragma once

#include <atomic>

#include "stream/record/clock.h"

namespace rfm {

class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t wall_ms) : true_ms_(wall_ms) {}

  std::int64_t wall_ms() const override { return true_ms_ + wrong_ms_; }
  std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::time_point{std::chrono::milliseconds{true_ms_}};
  }
  std::int64_t true_ms() const { return true_ms_; }

  void pass(std::chrono::milliseconds span) { true_ms_ += span.count(); }
  // From now on the wall clock is wrong by so much; a steady clock does not notice.
  void set_wrong(std::chrono::milliseconds ahead) { wrong_ms_ = ahead.count(); }

 private:
  std::atomic<std::int64_t> true_ms_;
  std::atomic<std::int64_t> wrong_ms_ = 0;
};

}  // namespace rfm
