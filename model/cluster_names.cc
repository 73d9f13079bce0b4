#include "model/cluster_names.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace rfm {
namespace {

constexpr std::size_t kNamedClusterCount = 5;

}  // namespace

std::vector<std::string> cluster_name_set(int cluster_count) {
  if (static_cast<std::size_t>(cluster_count) == kNamedClusterCount) {
    return {"Champions", "Loyal", "Dormant high-value", "Occasional", "Hibernating"};
  }
  std::vector<std::string> names;
  for (int rank = 1; rank <= cluster_count; ++rank)
    names.push_back("Cluster " + std::to_string(rank));
  return names;
}

std::vector<std::string> first_cluster_names(std::span<const ClusterProfile> clusters) {
  std::vector<std::size_t> by_rank(clusters.size());
  std::iota(by_rank.begin(), by_rank.end(), std::size_t{0});
  std::stable_sort(by_rank.begin(), by_rank.end(), [&clusters](std::size_t a, std::size_t b) {
    return clusters[a].revenue > clusters[b].revenue;
  });
  if (clusters.size() == kNamedClusterCount) {
    // Within the ranks 2-3 and 4-5 the more recent comes first, as in the name set.
    for (const std::size_t first : {std::size_t{1}, std::size_t{3}}) {
      if (clusters[by_rank[first + 1]].recency_mean < clusters[by_rank[first]].recency_mean) {
        std::swap(by_rank[first], by_rank[first + 1]);
      }
    }
  }
  const std::vector<std::string> in_rank_order =
      cluster_name_set(static_cast<int>(clusters.size()));
  std::vector<std::string> names(clusters.size());
  for (std::size_t rank = 0; rank < by_rank.size(); ++rank)
    names[by_rank[rank]] = in_rank_order[rank];
  return names;
}

}  // namespace rfm
