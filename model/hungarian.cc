#include "model/hungarian.h"

#include <cstddef>
#include <limits>

#include "model/nearest_centroid.h"

namespace rfm {

// Rows are added one by one, each along a shortest augmenting path under the potentials of rows and
// columns. Index 0 stands for "none".
std::vector<int> assign_min_cost(std::span<const double> cost, int size) {
  const auto n = static_cast<std::size_t>(size);
  std::vector<double> row_potential(n + 1);
  std::vector<double> column_potential(n + 1);
  std::vector<std::size_t> row_of(n + 1);  // Of a column.
  std::vector<std::size_t> path(n + 1);    // The column before this one.
  for (std::size_t row = 1; row <= n; ++row) {
    row_of[0] = row;
    std::size_t column = 0;
    std::vector<double> distance(n + 1, std::numeric_limits<double>::infinity());
    std::vector<bool> done(n + 1);
    while (row_of[column] != 0) {
      done[column] = true;
      const std::size_t i = row_of[column];
      double step = std::numeric_limits<double>::infinity();
      std::size_t next = 0;
      for (std::size_t j = 1; j <= n; ++j) {
        if (done[j]) continue;
        const double reduced = cost[(i - 1) * n + (j - 1)] - row_potential[i] - column_potential[j];
        if (reduced < distance[j]) {
          distance[j] = reduced;
          path[j] = column;
        }
        if (distance[j] < step) {
          step = distance[j];
          next = j;
        }
      }
      for (std::size_t j = 0; j <= n; ++j) {
        if (done[j]) {
          row_potential[row_of[j]] += step;
          column_potential[j] -= step;
        } else {
          distance[j] -= step;
        }
      }
      column = next;
    }
    while (column != 0) {
      row_of[column] = row_of[path[column]];
      column = path[column];
    }
  }
  std::vector<int> columns(n);
  for (std::size_t j = 1; j <= n; ++j) columns[row_of[j] - 1] = static_cast<int>(j - 1);
  return columns;
}

std::vector<FeatureVector> match_centroids(std::span<const FeatureVector> previous,
                                           std::span<const FeatureVector> fresh,
                                           const FeatureVector& weight) {
  std::vector<double> cost;
  cost.reserve(previous.size() * fresh.size());
  for (const FeatureVector& before : previous) {
    for (const FeatureVector& after : fresh)
      cost.push_back(squared_distance(weight, after, before));
  }
  std::vector<FeatureVector> matched;
  matched.reserve(fresh.size());
  for (const int column : assign_min_cost(cost, static_cast<int>(previous.size()))) {
    matched.push_back(fresh[static_cast<std::size_t>(column)]);
  }
  return matched;
}

}  // namespace rfm
