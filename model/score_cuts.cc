#include "model/score_cuts.h"

#include <algorithm>
#include <cstddef>

namespace rfm {
namespace {

constexpr std::int64_t kDayMs = 86400000;
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
  // to the next.
  auto sorted_from = values.begin();
  for (std::size_t i = 1; i <= cuts.size(); ++i) {
    const std::size_t position = (values.size() - 1) * i;
    const std::size_t rank = position / 5;
    const std::size_t fifths = position % 5;
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(rank);
    std::nth_element(sorted_from, at, values.end());
    sorted_from = at;
    const std::int64_t low = *at;
    const std::int64_t high = fifths == 0 ? low : *std::min_element(at + 1, values.end());
    cuts[i - 1] = interpolate_down(low, high, fifths);
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
