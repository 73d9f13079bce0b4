#include "model/cluster_names.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace rfm {
namespace {

constexpr std::size_t kNamedClusterCount = 5;
enum Feature : std::size_t { kRecency, kFrequency, kMoney };  // Of a FeatureVector.

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

std::vector<std::size_t> cluster_name_order(std::span<const FeatureVector> centroids) {
  std::vector<std::size_t> order(centroids.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto most_first = [&](std::size_t from, Feature feature) {
    std::stable_sort(order.begin() + static_cast<std::ptrdiff_t>(from), order.end(),
                     [&](std::size_t a, std::size_t b) {
                       return centroids[a][feature] > centroids[b][feature];
                     });
  };
  if (centroids.size() != kNamedClusterCount) {
    most_first(0, kMoney);
    return order;
  }
  most_first(0, kFrequency);
  most_first(2, kMoney);
  if (centroids[order[2]][kRecency] < centroids[order[3]][kRecency]) std::swap(order[2], order[3]);
  return order;
}

}  // namespace rfm
