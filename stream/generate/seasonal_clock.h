// Shop time: runs fast when customers buy and slowly when they do not, so that a purchase process
// with a constant rate in shop time has weekdays, opening hours and a Christmas season in event
// time (inversion of the cumulative intensity; Çinlar, Introduction to Stochastic Processes, 1975,
// ch. 4).
#pragma once

#include <cstdint>
#include <vector>

#include "state/event_time.h"

namespace rfm {

enum class TradingHours : std::uint8_t {
  kShop,           // Mostly weekdays, 7 to 21 h UTC.
  kRoundTheClock,  // Every hour of the week alike; the seasons stay.
};

class SeasonalClock {
 public:
  // Covers [start, start + days); `start` is cut to its hour. days >= 1.
  SeasonalClock(EventTime start, int days, TradingHours hours);

  // Shop days of the whole history: about `days`.
  double total() const { return cumulative_.back(); }

  // The event time of a moment in [0, total()), in whole seconds. Monotone.
  EventTime at(double shop_days) const;

  EventTime start() const { return start_; }
  EventTime end() const { return end_; }

 private:
  EventTime start_;
  EventTime end_;
  std::vector<double>
      cumulative_;  // Shop days passed at the begin of each hour; one more for the end.
};

}  // namespace rfm
