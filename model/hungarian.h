// Which new centroid is which old cluster (Kuhn, 1955; shortest augmenting paths).
#pragma once

#include <span>
#include <vector>

#include "model/model_version.h"

namespace rfm {

// `cost` is size x size, row by row. Returns for each row its column, of least total cost; of equal
// totals the same one always.
std::vector<int> assign_min_cost(std::span<const double> cost, int size);

// `fresh` reordered so that row i continues `previous` row i, by least total d2 under `weight`.
// Equal sizes.
std::vector<FeatureVector> match_centroids(std::span<const FeatureVector> previous,
                                           std::span<const FeatureVector> fresh,
                                           const FeatureVector& weight);

}  // namespace rfm
