#include "model/score_cuts.h"

#include <algorithm>
#include <cstddef>

#include "model/day.h"

namespace rfm {
namespace {

constexpr std::int64_t kMoneyScale = 10000;

// floor(low + (high - low) * fifths / 5) for low <= high and 0 <= fifths < 5, without overflow.
std::int64_t interpolate_down(std::int64_t low, std::int64_t high, std::uint64_t fifths) {
  const std::uint64_t width = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  const std::uint64_t step = (width / 5) * fifths + (width % 5) * fifths / 5;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + step);
}

}  // namespace

ScoreCuts absolute_cuts() {
  // A value scores above a cut only if it exceeds it: thresholds "at least v" become v - 1. Ages
  // are "at most v".
  return {
      .recency_ms = {14 * kDayMs, 30 * kDayMs, 60 * kDayMs, 120 * kDayMs},
      .frequency = {1, 2, 4, 8},
      .monetary = {100 * kMoneyScale - 1, 300 * kMoneyScale - 1, 800 * kMoneyScale - 1,
                   2000 * kMoneyScale - 1},
      .absolute = true,
  };
}

AxisCuts quintile_cuts(std::vector<std::int64_t> values) {
  AxisCuts cuts{};
  if (values.empty()) return cuts;
  // Position (n - 1) i / 5 of the sorted values: whole part `rank`, then `fifths` fifths of the way
  // to the next. Of those ranks the second goes first, since it leaves the least to the others.
  std::array<std::vector<std::int64_t>::iterator, kCutCount + 1> at;
  for (std::size_t i = 0; i < kCutCount; ++i)
    at[i] = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) * (i + 1) / 5);
  at[kCutCount] = values.end();
  std::nth_element(values.begin(), at[1], values.end());
  std::nth_element(values.begin(), at[0], at[1]);
  if (at[2] != at[1]) std::nth_element(at[1] + 1, at[2], values.end());
  if (at[3] != at[2]) std::nth_element(at[2] + 1, at[3], values.end());
  for (std::size_t i = 0; i < kCutCount; ++i) {
    const std::size_t fifths = (values.size() - 1) * (i + 1) % 5;
    const std::int64_t low = *at[i];
    std::int64_t high = low;
    if (fifths != 0) {
      // The next value is at the next rank at the latest.
      const auto later = std::upper_bound(at.begin(), at.end() - 1, at[i]);
      const auto end = *later == values.end() ? values.end() : *later + 1;
      high = *std::min_element(at[i] + 1, end);
    }
    cuts[i] = interpolate_down(low, high, fifths);
  }
  return cuts;
}

int score_ascending(const AxisCuts& cuts, std::int64_t value) {
  int score = 1;
  for (const std::int64_t cut : cuts) score += value > cut ? 1 : 0;
  return score;
}

Scores score(const ScoreCuts& cuts, std::int64_t recency_ms, std::int64_t frequency,
             std::int64_t monetary) {
  return {
      .r = static_cast<std::uint8_t>(kScoreMax + 1 - score_ascending(cuts.recency_ms, recency_ms)),
      .f = static_cast<std::uint8_t>(score_ascending(cuts.frequency, frequency)),
      .m = static_cast<std::uint8_t>(score_ascending(cuts.monetary, monetary)),
  };
}

}  // namespace rfm
