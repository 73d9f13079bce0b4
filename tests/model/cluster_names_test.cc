#include "model/cluster_names.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <string>
#include <vector>

namespace rfm {
namespace {

using Order = std::vector<std::size_t>;

FeatureVector centroid(double recency_days, double frequency, double money) {
  return {std::log1p(recency_days), std::log1p(frequency), std::log1p(money)};
}

TEST(ClusterNames, FiveClustersAreNamedByPurchasesMoneyAndRecency) {
  const Order expected = {1, 3, 0, 4, 2};
  // A shop after eight weeks, when nobody can have been away for long.
  EXPECT_EQ(cluster_name_order(std::vector{centroid(27, 1, 147), centroid(4, 2.6, 218),
                                           centroid(25, 1, 9), centroid(23, 2.2, 168),
                                           centroid(4, 1, 100)}),
            expected);
  // The same groups at the end of the year.
  EXPECT_EQ(cluster_name_order(std::vector{centroid(185, 2, 293), centroid(16, 12, 1445),
                                           centroid(185, 1.2, 19), centroid(29, 4.6, 440),
                                           centroid(24, 1.6, 70)}),
            expected);
  EXPECT_EQ(cluster_name_set(5),
            (std::vector<std::string>{"Champions", "Loyal", "Dormant high-value", "Occasional",
                                      "Hibernating"}));
}

TEST(ClusterNames, OtherCountsAreNumberedByMoney) {
  EXPECT_EQ(cluster_name_order(std::vector{centroid(1, 1, 1), centroid(1, 1, 3), centroid(1, 1, 2),
                                           centroid(1, 9, 3)}),
            (Order{1, 3, 2, 0}));
  EXPECT_EQ(cluster_name_set(4),
            (std::vector<std::string>{"Cluster 1", "Cluster 2", "Cluster 3", "Cluster 4"}));
}

TEST(ClusterNames, EveryClusterGetsOne) {
  for (std::size_t count = 1; count <= 16; ++count) {
    Order given = cluster_name_order(std::vector<FeatureVector>(count));
    std::ranges::sort(given);
    Order expected(count);
    std::iota(expected.begin(), expected.end(), std::size_t{0});
    EXPECT_EQ(given, expected);
    EXPECT_EQ(cluster_name_set(static_cast<int>(count)).size(), count);
  }
}

}  // namespace
}  // namespace rfm
