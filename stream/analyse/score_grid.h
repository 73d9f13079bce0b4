// A segmentation's map as a table: how many customers score what, and what that is called.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "model/segmentation.h"
#include "stream/analyse/population.h"

namespace rfm {

// A coordinate of the table.
struct GridAxis {
  std::string name;  // As the map calls it; "fm" stands for f and m together.
  int scores = 0;    // 1 to this one; `has_absent`: from 0.
  bool has_absent = false;
};

// What an axis of the segmentation measures, and where one score ends.
struct GridCuts {
  std::string name;
  Quantity quantity = Quantity::kRecency;
  std::vector<std::int64_t> cuts;  // In its unit (segmentation_spec.h); empty: none yet.
};

struct GridCell {
  std::vector<int> scores;  // One per coordinate.
  // Indices of the segmentation's segments that lie here, the one of most customers first, of
  // equals the one of more of the map.
  std::vector<std::uint16_t> segments;
  std::int64_t customers = 0;  // By their scores now, undamped.
  Money monetary;
  Money monetary_median;  // Type 7, rounded down; 0 of nobody.
};

struct ScoreGrid {
  std::vector<GridAxis> axes;
  std::vector<GridCuts> cuts;
  std::vector<GridCell> cells;  // In order of the scores; those without customers too.
};

// Where f and m are axes that share a score (f + m + 1) / 2 in the map, they are one coordinate:
// R x FM is a table, R x F x M is none. Empty of a segmentation without axes.
ScoreGrid score_grid(const Rules& rules, std::size_t segmentation, const ModelVersion& version,
                     const Population& population);

}  // namespace rfm
