// Wall time that moves when the test says so.
#pragma once

#include "stream/record/clock.h"

namespace rfm {

class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t wall_ms) : wall_ms_(wall_ms) {}

  std::int64_t wall_ms() const override { return wall_ms_; }
  std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::time_point{std::chrono::milliseconds{wall_ms_}};
  }

  void pass(std::chrono::milliseconds span) { wall_ms_ += span.count(); }

 private:
  std::int64_t wall_ms_;
};

}  // namespace rfm
