// What time it is at most, for ticks: the wall clock, but never beyond what the broker's clock last
// said and a steady clock has counted since. A wrong wall clock makes ticks late, never early; a
// broker's clock that is ahead is believed as far as the wall clock agrees. One for a process; any
// thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include "stream/record/clock.h"

namespace rfm {

class BrokerTime {
 public:
  // Wall and broker's clock may differ by this much before anything is said.
  static constexpr std::chrono::milliseconds kToleranceMax{10'000};

  // `clock` outlives it.
  explicit BrokerTime(const Clock& clock) : clock_(clock) {}

  // The broker put `append_ms`, its own time (LogAppendTime), on a record of this process. The last
  // one counts, so that a broker's clock may be set right.
  void observe(std::int64_t append_ms);

  // The broker's clock now, ms since 1970-01-01 UTC; absent: it has not said yet.
  std::optional<std::int64_t> broker_ms() const;

  // What ticks may go by: never beyond either clock. Absent: the broker has not said yet.
  std::optional<std::int64_t> believed_ms() const;

  // The wall clock has moved against the broker's by more than kToleranceMax since the last such
  // answer (at first: since they were equal). Each move is answered once and counted.
  struct Disagreement {
    std::int64_t wall_ms = 0;
    std::int64_t broker_ms = 0;
  };
  std::optional<Disagreement> take_disagreement();
  std::uint64_t disagreements() const;

 private:
  std::optional<std::int64_t> broker_now() const;

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::optional<std::int64_t> append_ms_;
  std::chrono::steady_clock::time_point observed_{};
  std::int64_t difference_said_ms_ = 0;  // Wall minus broker.
  std::uint64_t disagreements_ = 0;
};

}  // namespace rfm
