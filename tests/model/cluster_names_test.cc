#include "model/cluster_names.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rfm {
namespace {

using Names = std::vector<std::string>;

TEST(ClusterNames, FiveClustersAreNamedByRevenueAndRecency) {
  const std::vector<ClusterProfile> clusters = {
      {.revenue = 10, .recency_mean = 5},  {.revenue = 90, .recency_mean = 4},
      {.revenue = 500, .recency_mean = 2}, {.revenue = 100, .recency_mean = 4.5},
      {.revenue = 12, .recency_mean = 6},
  };
  EXPECT_EQ(first_cluster_names(clusters),
            (Names{"Occasional", "Loyal", "Champions", "Dormant high-value", "Hibernating"}));
}

TEST(ClusterNames, OtherCountsAreNumberedByRevenue) {
  EXPECT_EQ(first_cluster_names(std::vector<ClusterProfile>{
                {.revenue = 1}, {.revenue = 3}, {.revenue = 2}, {.revenue = 3}}),
            (Names{"Cluster 4", "Cluster 1", "Cluster 3", "Cluster 2"}));
}

TEST(ClusterNames, GivenNamesAreExactlyTheSet) {
  for (int count = 1; count <= 16; ++count) {
    Names given = first_cluster_names(std::vector<ClusterProfile>(static_cast<std::size_t>(count)));
    Names expected = cluster_name_set(count);
    std::sort(given.begin(), given.end());
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(given, expected);
  }
}

}  // namespace
}  // namespace rfm
