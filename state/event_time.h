// Event time: milliseconds UTC since 1970-01-01, as the input log says it. Never the wall clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

namespace rfm {

using Duration = std::chrono::milliseconds;
using EventTime = std::chrono::sys_time<Duration>;

inline constexpr EventTime kNever{Duration{std::numeric_limits<std::int64_t>::max()}};
inline constexpr EventTime kBeforeAll{Duration{std::numeric_limits<std::int64_t>::min()}};

constexpr std::int64_t to_ms(EventTime t) { return t.time_since_epoch().count(); }
constexpr EventTime from_ms(std::int64_t ms) { return EventTime{Duration{ms}}; }

}  // namespace rfm
