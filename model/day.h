// A day, the unit in which ages are given to models and readers.
#pragma once

#include <cstdint>

namespace rfm {

inline constexpr std::int64_t kDayMs = 86'400'000;

}  // namespace rfm
