// First names of fresh clusters; afterwards names stay with the cluster ids.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "model/model_version.h"

namespace rfm {

// The names that `cluster_count` clusters get, in the order of ids at the first fit.
std::vector<std::string> cluster_name_set(int cluster_count);

// Which centroid gets which of them: indices of `centroids` (means of log1p of R, F, M), in that
// order. k = 5: the two of the most purchases are Champions and Loyal, the most first; of the
// others the one of the least money is Hibernating, and of the last two the more recent Occasional,
// the other Dormant high-value. Other k: by money, the most first. Equal values keep the order so
// far.
std::vector<std::size_t> cluster_name_order(std::span<const FeatureVector> centroids);

}  // namespace rfm
