// Goal: a steady fall has no elbow, groups have one at their number, and neither noise at the end
// of a curve nor a curve that reaches 0 makes a false one.
#include "model/elbow.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "model/kmeans.h"
#include "tests/model/uniform.h"

namespace rfm {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(FallRates, AreThePowerWithWhichACurveFalls) {
  std::vector<double> inertias;
  for (int k = 2; k <= 9; ++k) inertias.push_back(5 * std::pow(k, -.7));
  const std::vector<double> rates = fall_rates(3, inertias);
  ASSERT_EQ(rates.size(), 7U);
  for (const double rate : rates) EXPECT_NEAR(rate, .7, 1e-12);
}

TEST(FallRates, OfACurveThatReachesZeroAreInfiniteOnce) {
  const std::vector<double> inertias = {8, 4, 0, 0};
  const std::vector<double> rates = fall_rates(2, inertias);
  EXPECT_NEAR(rates[0], 1, 1e-12);
  EXPECT_EQ(rates[1], kInfinity);
  EXPECT_EQ(rates[2], 0);
  EXPECT_EQ(find_elbow(2, rates, 1), 3);
}

TEST(FindElbow, NeedsTwiceTheNextRateAndMoreThanEvenlySpreadPointsHave) {
  EXPECT_EQ(find_elbow(2, std::vector<double>{.96, .67, .72, .76}, 3), std::nullopt);
  EXPECT_EQ(find_elbow(2, std::vector<double>{.9, 2, .9, .7}, 3), 3);
  EXPECT_EQ(find_elbow(2, std::vector<double>{.9, 1.7, .9, .7}, 3), std::nullopt);
  EXPECT_EQ(find_elbow(2, std::vector<double>{1, .6, .1, .1}, 3), std::nullopt);
  EXPECT_EQ(find_elbow(2, std::vector<double>{1.9, .6}, 1), std::nullopt);
  EXPECT_EQ(find_elbow(2, std::vector<double>{2.1, .6}, 1), 2);
  // A start that missed the optimum: inertia rises.
  EXPECT_EQ(find_elbow(4, std::vector<double>{.7, .9, -.1}, 3), 5);
  EXPECT_EQ(find_elbow(4, std::vector<double>{.7, .6, -.1}, 3), std::nullopt);
  // The last step has none after it.
  EXPECT_EQ(find_elbow(2, std::vector<double>{.7, 5}, 3), std::nullopt);
  EXPECT_EQ(find_elbow(2, std::vector<double>{5}, 3), std::nullopt);
  EXPECT_EQ(find_elbow(2, {}, 3), std::nullopt);
  // Of several the clearest.
  EXPECT_EQ(find_elbow(2, std::vector<double>{2, 1, 4, .5, .5}, 3), 4);
}

std::optional<int> elbow_of(const std::vector<FeatureVector>& points) {
  std::vector<double> inertias;
  for (int k = 1; k <= 7; ++k) {
    inertias.push_back(refit(points, {}, {.cluster_count = k, .first_start_count = 5}).inertia);
  }
  return find_elbow(2, fall_rates(2, inertias), kFeatureCount);
}

TEST(FindElbow, FindsGroupsAndNoneWherePointsAreSpreadEvenly) {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    std::mt19937_64 rng(seed);
    std::vector<FeatureVector> even;
    std::vector<FeatureVector> groups;
    for (int i = 0; i < 200; ++i) {
      const FeatureVector x = {uniform(rng, 0, 1), uniform(rng, 0, 1), uniform(rng, 0, 1)};
      even.push_back(x);
      const int group = i % 4;  // At four corners of a cube.
      groups.push_back(
          {x[0] + 3 * (group & 1), x[1] + 3 * (group >> 1), x[2] + (group == 3 ? 3 : 0)});
    }
    EXPECT_EQ(elbow_of(even), std::nullopt);
    EXPECT_EQ(elbow_of(groups), 4);
  }
}

}  // namespace
}  // namespace rfm
