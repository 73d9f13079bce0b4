#include "model/kmeans.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include "model/hungarian.h"
#include "model/nearest_centroid.h"
#include "tests/model/uniform.h"

namespace rfm {
namespace {

// Overlapping clouds, as customers are.
std::vector<FeatureVector> cloud(std::uint64_t seed, std::size_t count) {
  std::mt19937_64 rng(seed);
  std::vector<FeatureVector> points(count);
  for (FeatureVector& x : points) {
    const double shift = uniform(rng, 0, 3);
    x = {shift + uniform(rng, 0, 3), .7 + uniform(rng, 0, 1) * (4 - shift), uniform(rng, 3, 9)};
  }
  return points;
}

// Lloyd's algorithm as the textbook has it.
std::vector<FeatureVector> plain_lloyd(const std::vector<FeatureVector>& points,
                                       const FeatureVector& weight,
                                       std::vector<FeatureVector> centroids, int iterations) {
  for (int iteration = 0; iteration < iterations; ++iteration) {
    std::vector<FeatureVector> sums(centroids.size());
    std::vector<double> counts(centroids.size());
    for (const FeatureVector& x : points) {
      std::size_t best = 0;
      for (std::size_t j = 1; j < centroids.size(); ++j) {
        if (squared_distance(weight, x, centroids[j]) <
            squared_distance(weight, x, centroids[best]))
          best = j;
      }
      for (std::size_t f = 0; f < kFeatureCount; ++f) sums[best][f] += x[f];
      counts[best] += 1;
    }
    for (std::size_t j = 0; j < centroids.size(); ++j) {
      if (counts[j] == 0) continue;
      for (std::size_t f = 0; f < kFeatureCount; ++f) centroids[j][f] = sums[j][f] / counts[j];
    }
  }
  return centroids;
}

TEST(KMeans, LloydEqualsThePlainAlgorithmStepByStep) {
  for (std::uint64_t seed = 0; seed < 16; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    const std::vector<FeatureVector> points = cloud(seed, 200 + seed * 37);
    const FeatureVector weight = inverse_variances(points);
    const std::size_t k = 1 + seed % 16;
    const std::vector<FeatureVector> start(points.begin(),
                                           points.begin() + static_cast<std::ptrdiff_t>(k));
    for (const int iterations : {1, 2, 5, 30, 80}) {
      const KMeansFit fit = lloyd(points, weight, start, iterations);
      const std::vector<FeatureVector> expected = plain_lloyd(points, weight, start, iterations);
      for (std::size_t j = 0; j < k; ++j) {
        for (std::size_t f = 0; f < kFeatureCount; ++f) {
          ASSERT_NEAR(fit.centroids[j][f], expected[j][f], 1e-7) << iterations;
        }
      }
    }
  }
}

TEST(KMeans, OrderOfThePointsDoesNotChangeLloyd) {
  std::vector<FeatureVector> points = cloud(3, 3001);
  const FeatureVector weight = {.7, 1.3, .9};
  const std::vector<FeatureVector> start(points.begin(), points.begin() + 5);
  const KMeansFit fit = lloyd(points, weight, start, 300);
  std::mt19937_64 rng(1);
  for (int round = 0; round < 5; ++round) {
    std::shuffle(points.begin(), points.end(), rng);
    const KMeansFit again = lloyd(points, weight, start, 300);
    EXPECT_EQ(again.centroids, fit.centroids);
    EXPECT_EQ(again.member_counts, fit.member_counts);
  }
}

TEST(KMeans, EmptyClusterKeepsItsCentroid) {
  const std::vector<FeatureVector> points = cloud(4, 200);
  const FeatureVector far = {1000, 1000, 1000};
  const KMeansFit fit = lloyd(points, {1, 1, 1}, std::vector<FeatureVector>{points[0], far}, 50);
  EXPECT_EQ(fit.centroids[1], far);
  EXPECT_EQ(fit.member_counts, (std::vector<std::int64_t>{200, 0}));
}

TEST(KMeans, EqualPointsGiveNoNan) {
  const std::vector<FeatureVector> points(100, FeatureVector{1, 2, 3});
  const KMeansFit fit = refit(points, {}, {.cluster_count = 5});
  EXPECT_EQ(fit.inertia, 0);
  for (const FeatureVector& c : fit.centroids) EXPECT_EQ(c, points[0]);
  EXPECT_EQ(fit.weight, (FeatureVector{1, 1, 1}));
}

TEST(KMeans, WeightsAreInverseVariances) {
  const FeatureVector weight =
      inverse_variances(std::vector<FeatureVector>{{1, 0, 5}, {3, 0, 5}, {1, 0, 6}, {3, 0, 6}});
  EXPECT_EQ(weight, (FeatureVector{1, 1, 4}));
}

TEST(KMeans, WarmRefitStaysAndABetterChallengerIsTaken) {
  const std::vector<FeatureVector> points = cloud(5, 4000);
  const KMeansFit first = refit(points, {}, {.cluster_count = 5, .seed = 1});
  EXPECT_EQ(first.origin, KMeansOrigin::kFirst);
  const KMeansFit warm = refit(points, first.centroids, {.cluster_count = 5, .seed = 2});
  EXPECT_EQ(warm.origin, KMeansOrigin::kWarm);
  EXPECT_EQ(warm.centroids, first.centroids);
  // Four centroids far away from all points are lost for Lloyd.
  std::vector<FeatureVector> bad = first.centroids;
  for (std::size_t j = 1; j < bad.size(); ++j) bad[j] = {100, 100, 100 + static_cast<double>(j)};
  const KMeansFit challenger = refit(points, bad, {.cluster_count = 5, .seed = 3});
  EXPECT_EQ(challenger.origin, KMeansOrigin::kChallenger);
  EXPECT_LE(challenger.inertia, 1.01 * first.inertia);
  EXPECT_EQ(refit(points, bad, {.cluster_count = 5, .seed = 3, .challenger_count = 0}).origin,
            KMeansOrigin::kWarm);
}

TEST(KMeans, StartsOnAPartReachTheQualityOfStartsOnAll) {
  const std::vector<FeatureVector> points = cloud(6, 12000);
  const KMeansFit part = refit(points, {}, {.cluster_count = 5, .seed = 1});
  const KMeansFit whole = refit(points, {}, {.cluster_count = 5, .seed = 1, .fit_rows_max = 12000});
  EXPECT_LE(part.inertia, 1.005 * whole.inertia);
  std::int64_t members = 0;
  for (const std::int64_t n : part.member_counts) members += n;
  EXPECT_EQ(members, 12000);
}

}  // namespace
}  // namespace rfm
