#include "model/score_cuts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace rfm {
namespace {

// floor of the type-7 quantile from its definition, in 128-bit integers: h = (n-1) i / bins,
// x[floor h] + (h - floor h)(x[floor h + 1] - x[floor h]).
std::int64_t floor_quantile(std::vector<std::int64_t> sorted, std::int64_t i,
                            std::int64_t bins = 5) {
  __extension__ typedef __int128 Wide;  // NOLINT(modernize-use-using)
  std::sort(sorted.begin(), sorted.end());
  const auto n = static_cast<std::int64_t>(sorted.size());
  const std::int64_t rank = (n - 1) * i / bins;
  const std::int64_t part = (n - 1) * i % bins;
  const Wide low = sorted[static_cast<std::size_t>(rank)];
  const Wide high = sorted[static_cast<std::size_t>(std::min(rank + 1, n - 1))];
  const Wide numerator = low * bins + (high - low) * part;
  const Wide quotient = numerator / bins;
  return static_cast<std::int64_t>(numerator % bins < 0 ? quotient - 1 : quotient);
}

TEST(ScoreCuts, QuantilesEqualTheDefinition) {
  std::mt19937_64 rng(1);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::int64_t> values(1 + rng() % 60);
    const std::uint64_t span = std::uint64_t{1} << (1 + rng() % 62);
    for (auto& v : values) {
      v = static_cast<std::int64_t>(rng() % span) - static_cast<std::int64_t>(span / 2);
    }
    const int bins = static_cast<int>(2 + rng() % 9);
    const std::vector<std::int64_t> cuts = quantile_cuts(values, bins);
    ASSERT_EQ(cuts.size(), static_cast<std::size_t>(bins) - 1);
    for (std::size_t i = 1; i <= cuts.size(); ++i) {
      ASSERT_EQ(cuts[i - 1], floor_quantile(values, static_cast<std::int64_t>(i), bins)) << round;
    }
  }
}

TEST(ScoreCuts, QuantilesOfExtremesDoNotOverflow) {
  constexpr std::int64_t kLow = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kHigh = std::numeric_limits<std::int64_t>::max();
  const std::vector<std::int64_t> cuts = quantile_cuts({kHigh, kLow}, 5);
  for (std::size_t i = 1; i <= cuts.size(); ++i)
    EXPECT_EQ(cuts[i - 1], floor_quantile({kLow, kHigh}, static_cast<std::int64_t>(i)));
}

TEST(ScoreCuts, QuantilesOfFewValues) {
  using Cuts = std::vector<std::int64_t>;
  EXPECT_EQ(quantile_cuts({}, 5), (Cuts{0, 0, 0, 0}));
  EXPECT_EQ(quantile_cuts({7}, 5), (Cuts{7, 7, 7, 7}));
  EXPECT_EQ(quantile_cuts({5, 1, 3, 2, 4, 6}, 5), (Cuts{2, 3, 4, 5}));
  EXPECT_EQ(quantile_cuts({0, -1}, 5), (Cuts{-1, -1, -1, -1}));  // -.8 .. -.2 rounded down.
  EXPECT_EQ(quantile_cuts({3, 1, 2}, 2), (Cuts{2}));
}

TEST(ScoreCuts, TheOrderOfTheValuesDoesNotMatter) {
  std::mt19937_64 rng(2);
  std::vector<std::int64_t> values(1000);
  for (auto& v : values) v = static_cast<std::int64_t>(rng() % 7);
  const std::vector<std::int64_t> cuts = quantile_cuts(values, 5);
  std::shuffle(values.begin(), values.end(), rng);
  EXPECT_EQ(quantile_cuts(values, 5), cuts);
}

TEST(ScoreCuts, AValueIsAboveACutThatIsStrictlyBelowIt) {
  const std::vector<std::int64_t> cuts = {1, 2, 3, 6};
  EXPECT_EQ(cuts_below(cuts, 1), 0);
  EXPECT_EQ(cuts_below(cuts, 2), 1);
  EXPECT_EQ(cuts_below(cuts, 6), 3);
  EXPECT_EQ(cuts_below(cuts, 7), 4);
}

TEST(ScoreCuts, CutsStayWithinTheirBoundsAndAscend) {
  const std::vector<CutBounds> bounds = {{30, 60}, {60, 90}, {90, 180}};
  std::vector<std::int64_t> cuts = {5, 70, 400};
  clamp_cuts(bounds, cuts);
  EXPECT_EQ(cuts, (std::vector<std::int64_t>{30, 70, 180}));
  clamp_cuts({}, cuts);
  EXPECT_EQ(cuts, (std::vector<std::int64_t>{30, 70, 180}));
}

}  // namespace
}  // namespace rfm
