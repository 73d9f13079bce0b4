#include "model/hungarian.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>

namespace rfm {
namespace {

double total(const std::vector<double>& cost, const std::vector<int>& columns) {
  double sum = 0;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    sum += cost[i * columns.size() + static_cast<std::size_t>(columns[i])];
  }
  return sum;
}

TEST(Hungarian, FindsTheLeastTotalOfAllPermutations) {
  std::mt19937_64 rng(1);
  for (int round = 0; round < 300; ++round) {
    const int size = 1 + static_cast<int>(rng() % 7);
    std::vector<double> cost(static_cast<std::size_t>(size * size));
    for (double& c : cost) c = static_cast<double>(rng() % 50);
    std::vector<int> permutation(static_cast<std::size_t>(size));
    std::iota(permutation.begin(), permutation.end(), 0);
    double best = std::numeric_limits<double>::infinity();
    do {
      best = std::min(best, total(cost, permutation));
    } while (std::next_permutation(permutation.begin(), permutation.end()));
    const std::vector<int> found = assign_min_cost(cost, size);
    EXPECT_EQ(total(cost, found), best);
    std::vector<int> sorted = found;
    std::sort(sorted.begin(), sorted.end());
    std::iota(permutation.begin(), permutation.end(), 0);
    EXPECT_EQ(sorted, permutation);
  }
}

TEST(Hungarian, MatchesPermutedCentroidsOfSixteenClusters) {
  std::mt19937_64 rng(2);
  std::vector<FeatureVector> previous(16);
  for (auto& c : previous) {
    for (double& v : c) v = static_cast<double>(rng() % 1000);
  }
  std::vector<FeatureVector> moved = previous;
  for (auto& c : moved) {
    for (double& v : c) v += static_cast<double>(rng() % 3);
  }
  std::vector<FeatureVector> permuted = moved;
  std::shuffle(permuted.begin(), permuted.end(), rng);
  EXPECT_EQ(match_centroids(previous, permuted, {1, 1, 1}), moved);
}

}  // namespace
}  // namespace rfm
