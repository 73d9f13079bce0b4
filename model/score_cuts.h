// Quintile scores of recency, frequency and monetary value, and the cuts they come from.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace rfm {

inline constexpr int kScoreMax = 5;
inline constexpr int kCutCount = kScoreMax - 1;

// Four ascending cuts of one axis, in the axis's own integer unit.
using AxisCuts = std::array<std::int64_t, kCutCount>;

// The published cuts of one model version.
struct ScoreCuts {
  AxisCuts recency_ms{};  // Ages since the last purchase, in milliseconds.
  AxisCuts frequency{};   // Invoices.
  AxisCuts monetary{};    // 10^-4 of the currency unit.
  bool absolute = true;   // Fixed thresholds (small population) instead of quintiles.

  friend bool operator==(const ScoreCuts&, const ScoreCuts&) = default;
};

struct Scores {
  std::uint8_t r = 0;  // 1..5, 5 = most recent; 0 while no purchase counts.
  std::uint8_t f = 0;
  std::uint8_t m = 0;

  friend bool operator==(const Scores&, const Scores&) = default;
};

// The thresholds used until a boundary sees enough customers: R <= 14/30/60/120 days, F >= 2/3/5/9,
// M >= 100/300/800/2000.
ScoreCuts absolute_cuts();

// floor(type-7 quantile) of `values` at .2, .4, .6 and .8 (Hyndman and Fan, 1996), computed exactly
// in integers. `values` need not be sorted; empty gives zeros.
AxisCuts quintile_cuts(std::vector<std::int64_t> values);

// 1 + number of cuts strictly below `value`.
int score_ascending(const AxisCuts& cuts, std::int64_t value);

// Recency reversed: 5 - number of cuts strictly below its age; so R falls at last purchase + cut +
// 1 ms.
Scores score(const ScoreCuts& cuts, std::int64_t recency_ms, std::int64_t frequency,
             std::int64_t monetary);

}  // namespace rfm
