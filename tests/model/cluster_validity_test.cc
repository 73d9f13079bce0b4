// Goal: the indices are those of their papers. Method: values worked out by hand, and the
// definitions written out once more, cluster by cluster, on random points with clusters of one
// member and of none.
#include "model/cluster_validity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "model/kmeans.h"
#include "tests/model/uniform.h"

namespace rfm {
namespace {

struct Labelled {
  std::vector<FeatureVector> points;
  std::vector<int> labels;
  int cluster_count = 0;

  Clustering view() const {
    return {.points = points, .labels = labels, .cluster_count = cluster_count};
  }
  std::vector<std::vector<FeatureVector>> groups() const {
    std::vector<std::vector<FeatureVector>> groups(static_cast<std::size_t>(cluster_count));
    for (std::size_t i = 0; i < points.size(); ++i)
      groups[static_cast<std::size_t>(labels[i])].push_back(points[i]);
    std::erase_if(groups, [](const auto& group) { return group.empty(); });
    return groups;
  }
};

// 0 and 2 against 10 and 12.
Labelled four() {
  return {.points = {{0, 0, 0}, {10, 0, 0}, {2, 0, 0}, {12, 0, 0}},
          .labels = {0, 1, 0, 1},
          .cluster_count = 2};
}

Labelled random_points(std::mt19937_64& rng) {
  Labelled result{.points = {}, .labels = {}, .cluster_count = 6};
  for (int i = 0; i < 80; ++i) {
    // Label 4 has one member, label 5 none.
    const int label = i == 0 ? 4 : static_cast<int>(rng() % 4);
    FeatureVector x{};
    for (double& value : x) value = label * uniform(rng, 0, 1) + uniform(rng, -1, 1);
    result.points.push_back(x);
    result.labels.push_back(label);
  }
  return result;
}

double apart(const FeatureVector& a, const FeatureVector& b) {
  double sum = 0;
  for (std::size_t f = 0; f < kFeatureCount; ++f) sum += std::pow(a[f] - b[f], 2);
  return std::sqrt(sum);
}

double mean_distance(const FeatureVector& x, const std::vector<FeatureVector>& group,
                     double count) {
  double sum = 0;
  for (const FeatureVector& other : group) sum += apart(x, other);
  return sum / count;
}

FeatureVector center(const std::vector<FeatureVector>& group) {
  FeatureVector mean{};
  for (const FeatureVector& x : group) {
    for (std::size_t f = 0; f < kFeatureCount; ++f) mean[f] += x[f];
  }
  for (double& value : mean) value /= static_cast<double>(group.size());
  return mean;
}

double squares(const std::vector<FeatureVector>& group) {
  double sum = 0;
  for (const FeatureVector& x : group) sum += std::pow(apart(x, center(group)), 2);
  return sum;
}

struct Indices {
  double silhouette = 0;
  double simplified = 0;
  double within = 0;
  double variance_ratio = 0;
  double overlap = 0;
};

Indices by_definition(const Labelled& labelled) {
  Indices result;
  const auto groups = labelled.groups();
  const auto n = static_cast<double>(labelled.points.size());
  const auto k = static_cast<double>(groups.size());
  std::vector<double> spread;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto size = static_cast<double>(groups[i].size());
    result.within += squares(groups[i]);
    spread.push_back(0);
    for (const FeatureVector& x : groups[i]) {
      spread.back() += apart(x, center(groups[i])) / size;
      double other = std::numeric_limits<double>::infinity();
      double other_center = other;
      for (std::size_t j = 0; j < groups.size(); ++j) {
        if (j == i) continue;
        const auto count = static_cast<double>(groups[j].size());
        other = std::min(other, mean_distance(x, groups[j], count));
        other_center = std::min(other_center, apart(x, center(groups[j])));
      }
      const double own_center = apart(x, center(groups[i]));
      result.simplified += (other_center - own_center) / std::max(other_center, own_center) / n;
      if (groups[i].size() == 1) continue;
      const double own = mean_distance(x, groups[i], size - 1);
      result.silhouette += (other - own) / std::max(other, own) / n;
    }
  }
  for (std::size_t i = 0; i < groups.size(); ++i) {
    double worst = 0;
    for (std::size_t j = 0; j < groups.size(); ++j) {
      if (j == i) continue;
      worst =
          std::max(worst, (spread[i] + spread[j]) / apart(center(groups[i]), center(groups[j])));
    }
    result.overlap += worst / k;
  }
  const double between = squares(labelled.points) - result.within;
  result.variance_ratio = between / (k - 1) / (result.within / (n - k));
  return result;
}

TEST(ClusterValidity, EqualsValuesWorkedOutByHand) {
  const Labelled points = four();
  // The outer points: a = 2, b = (10 + 12) / 2; the inner ones: a = 2, b = (8 + 10) / 2.
  EXPECT_DOUBLE_EQ(silhouette(points.view()), (9.0 / 11 + 7.0 / 9) / 2);
  EXPECT_DOUBLE_EQ(simplified_silhouette(points.view()), (10.0 / 11 + 8.0 / 9) / 2);
  EXPECT_DOUBLE_EQ(within_squares(points.view()), 4);
  EXPECT_DOUBLE_EQ(calinski_harabasz(points.view()), (100.0 / 1) / (4.0 / 2));
  EXPECT_DOUBLE_EQ(davies_bouldin(points.view()), (1.0 + 1) / 10);
}

TEST(ClusterValidity, EqualsTheDefinitionsOnRandomPoints) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    std::mt19937_64 rng(seed);
    const Labelled points = random_points(rng);
    const Indices expected = by_definition(points);
    EXPECT_NEAR(silhouette(points.view()), expected.silhouette, 1e-12);
    EXPECT_NEAR(simplified_silhouette(points.view()), expected.simplified, 1e-12);
    EXPECT_NEAR(within_squares(points.view()), expected.within, 1e-9);
    EXPECT_NEAR(calinski_harabasz(points.view()), expected.variance_ratio, 1e-9);
    EXPECT_NEAR(davies_bouldin(points.view()), expected.overlap, 1e-12);
    EXPECT_LE(std::abs(silhouette(points.view())), 1);
    EXPECT_LE(std::abs(simplified_silhouette(points.view())), 1);
    EXPECT_GE(davies_bouldin(points.view()), 0);
  }
}

TEST(ClusterValidity, OfOneClusterIsZero) {
  Labelled points = four();
  points.labels.assign(4, 1);
  EXPECT_EQ(silhouette(points.view()), 0);
  EXPECT_EQ(simplified_silhouette(points.view()), 0);
  EXPECT_EQ(calinski_harabasz(points.view()), 0);
  EXPECT_EQ(davies_bouldin(points.view()), 0);
  EXPECT_DOUBLE_EQ(within_squares(points.view()), 104);
}

TEST(ClusterValidity, OfClustersWithoutExtentIsTheBestThereIs) {
  const Labelled points = {.points = {{1, 1, 1}, {1, 1, 1}, {2, 1, 1}, {2, 1, 1}},
                           .labels = {0, 0, 1, 1},
                           .cluster_count = 3};
  EXPECT_EQ(silhouette(points.view()), 1);
  EXPECT_EQ(simplified_silhouette(points.view()), 1);
  EXPECT_EQ(calinski_harabasz(points.view()), std::numeric_limits<double>::infinity());
  EXPECT_EQ(davies_bouldin(points.view()), 0);
}

TEST(ClusterValidity, ScaledPointsHaveTheWeightedDistances) {
  const std::vector<FeatureVector> points = {{1, 2, 3}, {4, 6, 8}};
  const FeatureVector weight = {4, 9, 16};
  const std::vector<FeatureVector> z = scaled(points, weight);
  EXPECT_DOUBLE_EQ(std::pow(apart(z[0], z[1]), 2), 4 * 9 + 9 * 16 + 16 * 25);
}

TEST(ClusterValidity, WithinSquaresIsTheInertiaOfAFit) {
  std::mt19937_64 rng(7);
  std::vector<FeatureVector> points = random_points(rng).points;
  double before = 3.0 * static_cast<double>(points.size()) + 1e-6;  // Of z-scores, all in one.
  for (int k = 1; k <= 8; ++k) {
    const KMeansFit fit = refit(points, {}, {.cluster_count = k});
    std::vector<int> labels;
    for (const FeatureVector& x : points) {
      const auto nearest = std::ranges::min_element(fit.centroids, {}, [&](const FeatureVector& c) {
        double sum = 0;
        for (std::size_t f = 0; f < kFeatureCount; ++f)
          sum += fit.weight[f] * std::pow(x[f] - c[f], 2);
        return sum;
      });
      labels.push_back(static_cast<int>(nearest - fit.centroids.begin()));
    }
    const std::vector<FeatureVector> z = scaled(points, fit.weight);
    const double within = within_squares({.points = z, .labels = labels, .cluster_count = k});
    EXPECT_NEAR(within, fit.inertia, 1e-6) << k;
    EXPECT_LT(within, before) << k;
    before = within;
  }
}

// Over all pairs of points: together in both, in one only, in none.
double rand_by_pairs(const std::vector<int>& a, const std::vector<int>& b) {
  std::array<double, 4> pairs{};
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = i + 1; j < a.size(); ++j)
      ++pairs[(a[i] == a[j] ? 2U : 0U) + (b[i] == b[j] ? 1U : 0U)];
  }
  const auto [neither, only_b, only_a, both] = pairs;
  return 2 * (both * neither - only_a * only_b) /
         ((both + only_a) * (only_a + neither) + (both + only_b) * (only_b + neither));
}

TEST(AdjustedRandIndex, EqualsValuesWorkedOutByHand) {
  using Labels = std::vector<int>;
  EXPECT_DOUBLE_EQ(adjusted_rand_index(Labels{0, 0, 1, 1}, Labels{1, 1, 0, 0}), 1);
  EXPECT_DOUBLE_EQ(adjusted_rand_index(Labels{0, 0, 1, 2}, Labels{0, 0, 1, 1}), 4.0 / 7);
  EXPECT_DOUBLE_EQ(adjusted_rand_index(Labels{0, 0, 1, 1}, Labels{0, 1, 0, 1}), -.5);
  EXPECT_DOUBLE_EQ(adjusted_rand_index(Labels{0, 0, 0, 0}, Labels{0, 1, 2, 3}), 0);
  EXPECT_DOUBLE_EQ(adjusted_rand_index(Labels{0, 0, 0}, Labels{2, 2, 2}), 1);
  EXPECT_DOUBLE_EQ(adjusted_rand_index(Labels{0, 1, 2}, Labels{2, 1, 0}), 1);
  EXPECT_DOUBLE_EQ(adjusted_rand_index(Labels{3}, Labels{0}), 1);
  EXPECT_DOUBLE_EQ(adjusted_rand_index({}, {}), 1);
}

TEST(AdjustedRandIndex, EqualsTheCountOverAllPairsAndIsSymmetric) {
  std::mt19937_64 rng(3);
  double sum = 0;
  for (int round = 0; round < 100; ++round) {
    std::vector<int> a;
    std::vector<int> b;
    for (int i = 0; i < 60; ++i) {
      a.push_back(static_cast<int>(rng() % 4));
      b.push_back(round % 2 == 0 && rng() % 3 > 0 ? 3 - a.back() : static_cast<int>(rng() % 5));
    }
    const double index = adjusted_rand_index(a, b);
    EXPECT_NEAR(index, rand_by_pairs(a, b), 1e-12);
    EXPECT_DOUBLE_EQ(index, adjusted_rand_index(b, a));
    EXPECT_LE(index, 1);
    if (round % 2 == 1) sum += index;
  }
  EXPECT_NEAR(sum / 50, 0, .02);  // Independent labels agree as chance has it.
}

}  // namespace
}  // namespace rfm
