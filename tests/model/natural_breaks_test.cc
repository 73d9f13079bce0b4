#include "model/natural_breaks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace rfm {
namespace {

using Values = std::vector<std::int64_t>;
__extension__ typedef __int128 Wide;  // NOLINT(modernize-use-using)

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMultiple = 27720;  // Of all counts up to 12.

// kMultiple times the sum of squared deviations; exact for up to 12 values.
Wide deviation(const Values& sorted, std::size_t first, std::size_t end) {
  if (first == end) return 0;
  Wide sum = 0;
  Wide squares = 0;
  for (std::size_t i = first; i < end; ++i) {
    sum += sorted[i];
    squares += Wide{sorted[i]} * sorted[i];
  }
  return kMultiple * squares - kMultiple / static_cast<std::int64_t>(end - first) * sum * sum;
}

Wide total(const Values& sorted, const Values& cuts) {
  Wide sum = 0;
  std::size_t first = 0;
  for (std::size_t c = 0; c <= cuts.size(); ++c) {
    const std::size_t end =
        c == cuts.size()
            ? sorted.size()
            : static_cast<std::size_t>(std::ranges::upper_bound(sorted, cuts[c]) - sorted.begin());
    sum += deviation(sorted, first, end);
    first = end;
  }
  return sum;
}

// All ways to choose cuts among the distinct values but the largest; the least, of equals the one
// with the lowest last cut, then the lowest one before it.
Values least_cuts(const Values& sorted, std::size_t cut_count) {
  Values distinct = sorted;
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  const std::size_t used = std::min(cut_count, distinct.size() - 1);
  std::vector<bool> chosen(distinct.size() - 1);
  std::fill(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(used), true);
  Values best;
  do {
    Values cuts;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (chosen[i]) cuts.push_back(distinct[i]);
    }
    const auto from_last = [](const Values& v) { return Values(v.rbegin(), v.rend()); };
    if (best.empty() || total(sorted, cuts) < total(sorted, best) ||
        (total(sorted, cuts) == total(sorted, best) && from_last(cuts) < from_last(best)))
      best = cuts;
  } while (std::prev_permutation(chosen.begin(), chosen.end()));
  best.resize(cut_count, sorted.back());
  return best;
}

void expect_best(Values values, int class_count) {
  const Values cuts = natural_breaks(values, class_count);
  std::ranges::sort(values);
  const auto cut_count = static_cast<std::size_t>(class_count) - 1;
  EXPECT_EQ(cuts, least_cuts(values, cut_count)) << testing::PrintToString(values);
}

TEST(NaturalBreaks, AreTheBestOfAllSplits) {
  std::mt19937_64 rng(1);
  for (int round = 0; round < 2000; ++round) {
    // From many ties to none.
    const std::uint64_t range = std::uint64_t{2} << rng() % 36;
    Values values(1 + rng() % 12);
    for (std::int64_t& v : values)
      v = static_cast<std::int64_t>(rng() % range) - static_cast<std::int64_t>(rng() % 2 * range);
    for (int class_count = kNaturalClassesMin; class_count <= 6; ++class_count)
      expect_best(values, class_count);
  }
}

// The example of the R package Ckmeans.1d.dp: sizes 4, 3, 3, means -1, 2, 5.
TEST(NaturalBreaks, ReachThePublishedExample) {
  EXPECT_EQ(natural_breaks({-1, 2, -1, 2, 4, 5, 6, -1, 2, -1}, 3), (Values{-1, 2}));
}

TEST(NaturalBreaks, OfEqualSplitsTheLowestCutsAreTaken) {
  EXPECT_EQ(natural_breaks({0, 1, 2}, 2), (Values{0}));
  EXPECT_EQ(natural_breaks({0, 1, 2, 3}, 3), (Values{0, 1}));
  EXPECT_EQ(natural_breaks({-3, -3, 0, 3, 3}, 2), (Values{-3}));
}

TEST(NaturalBreaks, FewDistinctValuesAreAClassEach) {
  EXPECT_EQ(natural_breaks({7}, 4), (Values{7, 7, 7}));
  EXPECT_EQ(natural_breaks({2, 1, 1, 2, 1}, 5), (Values{1, 2, 2, 2}));
  EXPECT_EQ(natural_breaks({3, 1, 2}, 3), (Values{1, 2}));
}

TEST(NaturalBreaks, HoldOverTheWholeRangeOfIntegers) {
  EXPECT_EQ(natural_breaks({kMin, kMin + 1, 0, kMax - 1, kMax}, 3), (Values{kMin + 1, 0}));
  EXPECT_EQ(natural_breaks({kMin, kMax}, 2), (Values{kMin}));
  EXPECT_EQ(natural_breaks({kMax, kMax - 9, kMax - 10}, 2), (Values{kMax - 9}));
  EXPECT_EQ(natural_breaks({kMin, kMin + 9, kMin + 10}, 2), (Values{kMin}));
}

TEST(NaturalBreaks, OrderDoesNotMatter) {
  std::mt19937_64 rng(2);
  Values values(500);
  for (std::int64_t& v : values) v = static_cast<std::int64_t>(rng() % 1'000'000);
  const Values cuts = natural_breaks(values, 5);
  for (int round = 0; round < 5; ++round) {
    std::ranges::shuffle(values, rng);
    EXPECT_EQ(natural_breaks(values, 5), cuts);
  }
}

// As many values as a sample has: each cut is where its classes' means are equally far, which no
// optimum lacks, and the values and cuts of before are bits that another machine gives too.
TEST(NaturalBreaks, ALargeSampleIsAtItsFixedPoint) {
  std::mt19937_64 rng(3);
  Values values(65'536);
  for (std::int64_t& v : values) {
    const std::uint64_t bits = rng();
    v = static_cast<std::int64_t>((bits & 0xffff) * (bits >> 16 & 0xffff) * (bits >> 32 & 0xff));
  }
  const Values cuts = natural_breaks(values, kNaturalClassesMax);
  std::ranges::sort(values);
  ASSERT_TRUE(std::ranges::is_sorted(cuts));
  std::vector<double> means;
  auto first = values.begin();
  for (std::size_t c = 0; c <= cuts.size(); ++c) {
    const auto end = c < cuts.size() ? std::ranges::upper_bound(values, cuts[c]) : values.end();
    double sum = 0;
    for (auto at = first; at != end; ++at) sum += static_cast<double>(*at);
    means.push_back(sum / static_cast<double>(end - first));
    first = end;
  }
  for (std::size_t c = 0; c < cuts.size(); ++c) {
    const double middle = (means[c] + means[c + 1]) / 2;
    EXPECT_LE(static_cast<double>(cuts[c]), middle);
    EXPECT_GE(static_cast<double>(*std::ranges::upper_bound(values, cuts[c])), middle);
  }
}

TEST(SquaredDeviations, AreFromTheMeanOfEachClass) {
  const Values values = {1, 3, 10, 14, 3};
  EXPECT_DOUBLE_EQ(squared_deviations(values, Values{3}), 4.0 / 9 * 2 * 3 + 8);
  EXPECT_DOUBLE_EQ(squared_deviations(values, Values{3, 14, 14}), 4.0 / 9 * 2 * 3 + 8);
  EXPECT_DOUBLE_EQ(squared_deviations(values, {}), 315 - 31.0 * 31 / 5);
}

TEST(SquaredDeviations, FallWithEveryClassOfNaturalBreaks) {
  std::mt19937_64 rng(5);
  Values values;
  for (int i = 0; i < 500; ++i) values.push_back(static_cast<std::int64_t>(rng() % 1'000'000));
  double before = squared_deviations(values, natural_breaks(values, 1));
  EXPECT_DOUBLE_EQ(before, squared_deviations(values, {}));
  for (int classes = 2; classes <= 16; ++classes) {
    const double after = squared_deviations(values, natural_breaks(values, classes));
    EXPECT_LT(after, before) << classes;
    before = after;
  }
}

}  // namespace
}  // namespace rfm
