// First names of fresh clusters; afterwards names stay with the cluster ids.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace rfm {

struct ClusterProfile {
  double revenue = 0;       // Sum of the members' max(M, 0).
  double recency_mean = 0;  // Mean of the members' log1p recency.
};

// k = 5: by revenue rank, 1 Champions; of 2-3 the more recent Loyal, the other Dormant high-value;
// of 4-5 the more recent Occasional, the other Hibernating. Other k: "Cluster 1".."Cluster k" by
// revenue rank. Ties: lower id first.
std::vector<std::string> first_cluster_names(std::span<const ClusterProfile> clusters);

// All names that first_cluster_names may give for `cluster_count` clusters, in rank order.
std::vector<std::string> cluster_name_set(int cluster_count);

}  // namespace rfm
