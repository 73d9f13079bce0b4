#include "model/hungarian.h"

#include <cstddef>
#include <limits>

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

std::vector<int> match_by_members(std::span<const int> before, std::span<const int> after,
                                  int cluster_count) {
  const auto n = static_cast<std::size_t>(cluster_count);
  std::vector<double> cost(n * n);  // Minus the customers in both: integers, so exact.
  for (std::size_t i = 0; i < before.size(); ++i)
    cost[static_cast<std::size_t>(before[i]) * n + static_cast<std::size_t>(after[i])] -= 1;
  return assign_min_cost(cost, cluster_count);
}

}  // namespace rfm
