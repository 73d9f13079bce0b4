// Which new cluster is which old one (Kuhn, 1955; shortest augmenting paths).
#pragma once

#include <span>
#include <vector>

namespace rfm {

// `cost` is size x size, row by row. Returns for each row its column, of least total cost; of equal
// totals the same one always.
std::vector<int> assign_min_cost(std::span<const double> cost, int size);

// Which cluster after is which before, by the customers in both: `before` and `after` hold each
// customer's cluster, from 0 to cluster_count - 1. For each cluster before the one after that is
// the same, so that the most customers stay; of equals the same ones always.
std::vector<int> match_by_members(std::span<const int> before, std::span<const int> after,
                                  int cluster_count);

}  // namespace rfm
