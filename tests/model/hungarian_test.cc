#include "model/hungarian.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

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

TEST(Hungarian, MatchesClustersByTheirMembers) {
  std::mt19937_64 rng(2);
  std::vector<int> renumbered(16);  // Of each cluster before: the one after.
  std::iota(renumbered.begin(), renumbered.end(), 0);
  std::shuffle(renumbered.begin(), renumbered.end(), rng);
  std::vector<int> before;
  std::vector<int> after;
  for (int i = 0; i < 16 * 40; ++i) {
    before.push_back(i % 16);
    const bool moves = rng() % 4 == 0;
    after.push_back(moves ? static_cast<int>(rng() % 16)
                          : renumbered[static_cast<std::size_t>(before.back())]);
  }
  EXPECT_EQ(match_by_members(before, after, 16), renumbered);
}

// Cluster 0 falls apart; its largest part stays 0, although the whole of 1 comes to it.
TEST(Hungarian, AsManyCustomersAsPossibleStay) {
  const std::vector<int> before = {0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 2};
  const std::vector<int> after = {1, 1, 1, 1, 2, 2, 1, 1, 0, 0, 0};
  EXPECT_EQ(match_by_members(before, after, 3), (std::vector<int>{1, 2, 0}));
}

TEST(Hungarian, EmptyClustersAndTiesAreMatchedTheSameWay) {
  EXPECT_EQ(match_by_members({}, {}, 3), (std::vector<int>{0, 1, 2}));
  const std::vector<int> before = {0, 0, 1, 1};
  const std::vector<int> after = {0, 1, 0, 1};
  EXPECT_EQ(match_by_members(before, after, 2), (std::vector<int>{0, 1}));
}

}  // namespace
}  // namespace rfm
