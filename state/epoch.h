// Epochs: fixed spans of event time. Epoch k = [k, k+1) days from 1970-01-01 UTC.
#pragma once

#include <chrono>
#include <cstdint>

#include "state/event_time.h"

namespace rfm {

inline constexpr Duration kEpoch = std::chrono::hours{24};

// The epoch that holds `t`.
constexpr std::int64_t epoch_of(EventTime t) {
  const std::int64_t ms = to_ms(t);
  const std::int64_t span = kEpoch.count();
  return ms >= 0 ? ms / span : -((-ms + span - 1) / span);
}

// The boundary at which epoch `epoch` begins.
constexpr EventTime boundary_of(std::int64_t epoch) { return from_ms(epoch * kEpoch.count()); }

}  // namespace rfm
