#include "model/score_cuts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "model/day.h"

namespace rfm {
namespace {

// floor of the type-7 quantile from its definition, in 128-bit integers: h = (n-1) i / 5,
// x[floor h] + (h - floor h)(x[floor h + 1] - x[floor h]).
std::int64_t floor_quantile(std::vector<std::int64_t> sorted, std::int64_t i) {
  __extension__ typedef __int128 Wide;  // NOLINT(modernize-use-using)
  std::sort(sorted.begin(), sorted.end());
  const auto n = static_cast<std::int64_t>(sorted.size());
  const std::int64_t rank = (n - 1) * i / 5;
  const std::int64_t fifths = (n - 1) * i % 5;
  const Wide low = sorted[static_cast<std::size_t>(rank)];
  const Wide high = sorted[static_cast<std::size_t>(std::min(rank + 1, n - 1))];
  const Wide numerator = low * 5 + (high - low) * fifths;
  const Wide quotient = numerator / 5;
  return static_cast<std::int64_t>(numerator % 5 < 0 ? quotient - 1 : quotient);
}

TEST(ScoreCuts, QuintilesEqualTheDefinition) {
  std::mt19937_64 rng(1);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::int64_t> values(1 + rng() % 60);
    const std::uint64_t span = std::uint64_t{1} << (1 + rng() % 62);
    for (auto& v : values) {
      v = static_cast<std::int64_t>(rng() % span) - static_cast<std::int64_t>(span / 2);
    }
    const AxisCuts cuts = quintile_cuts(values);
    for (std::int64_t i = 1; i <= kCutCount; ++i) {
      ASSERT_EQ(cuts[static_cast<std::size_t>(i - 1)], floor_quantile(values, i)) << round;
    }
  }
}

TEST(ScoreCuts, QuintilesOfExtremesDoNotOverflow) {
  constexpr std::int64_t kLow = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kHigh = std::numeric_limits<std::int64_t>::max();
  const AxisCuts cuts = quintile_cuts({kHigh, kLow});
  for (std::int64_t i = 1; i <= kCutCount; ++i) {
    EXPECT_EQ(cuts[static_cast<std::size_t>(i - 1)], floor_quantile({kLow, kHigh}, i));
  }
}

TEST(ScoreCuts, QuintilesOfFewValues) {
  EXPECT_EQ(quintile_cuts({}), (AxisCuts{0, 0, 0, 0}));
  EXPECT_EQ(quintile_cuts({7}), (AxisCuts{7, 7, 7, 7}));
  EXPECT_EQ(quintile_cuts({5, 1, 3, 2, 4, 6}), (AxisCuts{2, 3, 4, 5}));
  EXPECT_EQ(quintile_cuts({0, -1}), (AxisCuts{-1, -1, -1, -1}));  // -.8 .. -.2 rounded down.
}

TEST(ScoreCuts, EqualValuesGetEqualScoresWhateverTheirOrder) {
  std::mt19937_64 rng(2);
  std::vector<std::int64_t> values(1000);
  for (auto& v : values) v = static_cast<std::int64_t>(rng() % 7);
  const AxisCuts cuts = quintile_cuts(values);
  std::shuffle(values.begin(), values.end(), rng);
  EXPECT_EQ(quintile_cuts(values), cuts);
}

TEST(ScoreCuts, ScoreIsOnePlusTheCutsStrictlyBelow) {
  const AxisCuts cuts = {1, 2, 3, 6};
  EXPECT_EQ(score_ascending(cuts, 0), 1);
  EXPECT_EQ(score_ascending(cuts, 1), 1);
  EXPECT_EQ(score_ascending(cuts, 2), 2);
  EXPECT_EQ(score_ascending(cuts, 6), 4);
  EXPECT_EQ(score_ascending(cuts, 7), 5);
}

TEST(ScoreCuts, RecencyFallsOneMillisecondAfterItsCut) {
  const ScoreCuts cuts = absolute_cuts();
  EXPECT_EQ(score(cuts, 14 * kDayMs, 1, 0).r, 5);
  EXPECT_EQ(score(cuts, 14 * kDayMs + 1, 1, 0).r, 4);
  EXPECT_EQ(score(cuts, 120 * kDayMs + 1, 1, 0).r, 1);
}

TEST(ScoreCuts, AbsoluteThresholdsAreAtLeast) {
  const ScoreCuts cuts = absolute_cuts();
  EXPECT_TRUE(cuts.absolute);
  EXPECT_EQ(score(cuts, 0, 1, 999999), (Scores{.r = 5, .f = 1, .m = 1}));
  EXPECT_EQ(score(cuts, 0, 2, 1000000), (Scores{.r = 5, .f = 2, .m = 2}));
  EXPECT_EQ(score(cuts, 0, 3, 3000000), (Scores{.r = 5, .f = 3, .m = 3}));
  EXPECT_EQ(score(cuts, 0, 5, 8000000), (Scores{.r = 5, .f = 4, .m = 4}));
  EXPECT_EQ(score(cuts, 0, 9, 20000000), (Scores{.r = 5, .f = 5, .m = 5}));
  EXPECT_EQ(score(cuts, 0, 1, -5), (Scores{.r = 5, .f = 1, .m = 1}));
}

}  // namespace
}  // namespace rfm
