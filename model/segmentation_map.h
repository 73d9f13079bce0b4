// The map of a segmentation: its rules to a segment for every cell, and the map as a grid to read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "model/segmentation_spec.h"

namespace rfm {

// Least and greatest score of an axis is score_min() and `bins`.
int score_min(const Axis& axis);
std::size_t score_count(const Axis& axis);

// Names that no axis may have, because the cells of a map use them otherwise.
bool is_reserved_coordinate(std::string_view name);

// Puts the ranges of every rule in the order of the axes, then fm, then overall.
void sort_ranges(SegmentationSpec& spec);

// Of each cell, the first axis varying slowest: an index of spec.segments. InvalidArgument: a cell
// belongs to no segment or to two, a rule reaches no cell, a segment is named and not described or
// described and not named, a coordinate is unknown or a range beyond it. `spec.axes` and
// `spec.segments` must be valid.
absl::StatusOr<std::vector<std::uint8_t>> cells_of_map(const SegmentationSpec& spec);

// The whole map as text, one grid or several, each line ended: over the two coordinates that the
// map uses, or over the first two axes for all scores of the others. High scores come first in
// rows, last in columns.
std::string map_grid(const SegmentationSpec& spec);

// Rules for rows of names: row 0 is the highest score of the coordinate `rows`, column 0 the lowest
// of `columns`. Neighbours of one name in a row are one rule.
std::vector<MapRule> rules_of_grid(std::string_view rows, int row_max, std::string_view columns,
                                   int column_min,
                                   const std::vector<std::vector<std::string>>& names);

// Rules that may overlap to such as do not: each cell goes to the first that covers it, and the
// others to `rest`. Names that no cell reaches are in none of them. At most kCellsMax cells.
std::vector<MapRule> first_match_rules(const std::vector<Axis>& axes,
                                       const std::vector<MapRule>& rules, const std::string& rest);

}  // namespace rfm
