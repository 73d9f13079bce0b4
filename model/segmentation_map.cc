#include "model/segmentation_map.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/status/status.h"

namespace rfm {

namespace {

constexpr std::uint8_t kEmpty = 255;
static_assert(kSegmentsMax < kEmpty);

using ScoreArray = std::array<int, kAxesMax>;

template <typename... Args>
absl::Status refused(fmt::format_string<Args...> format, Args&&... args) {
  return absl::InvalidArgumentError(fmt::format(format, std::forward<Args>(args)...));
}

// What a range of a rule is about.
struct Coordinate {
  enum class Kind : std::uint8_t { kAxis, kCombined, kOverall };

  std::string name;
  Kind kind = Kind::kAxis;
  std::size_t axis = 0;        // kAxis; kCombined: of F.
  std::size_t other_axis = 0;  // kCombined: of M.
  int low = 1;
  int high = 1;
};

std::optional<std::size_t> axis_of(const SegmentationSpec& spec, std::string_view name) {
  const auto found = std::ranges::find(spec.axes, name, &Axis::name);
  if (found == spec.axes.end()) return std::nullopt;
  return static_cast<std::size_t>(found - spec.axes.begin());
}

std::optional<Coordinate> find_coordinate(const SegmentationSpec& spec, std::string_view name) {
  using enum Coordinate::Kind;
  if (const auto axis = axis_of(spec, name)) {
    return Coordinate{std::string(name),         kAxis, *axis, 0, score_min(spec.axes[*axis]),
                      spec.axes[*axis].cuts.bins};
  }
  if (name == "fm") {
    const auto f = axis_of(spec, "f");
    const auto m = axis_of(spec, "m");
    if (!f || !m || score_min(spec.axes[*f]) != 1 || score_min(spec.axes[*m]) != 1)
      return std::nullopt;
    return Coordinate{"fm", kCombined,
                      *f,   *m,
                      1,    combined_score(spec.axes[*f].cuts.bins, spec.axes[*m].cuts.bins)};
  }
  if (name == "overall") {
    int high = 0;
    for (const Axis& axis : spec.axes) high += axis.cuts.bins - 1;
    return Coordinate{"overall", kOverall, 0, 0, 0, high};
  }
  return std::nullopt;
}

int value_of(const SegmentationSpec& spec, const Coordinate& coordinate, const ScoreArray& scores) {
  switch (coordinate.kind) {
    case Coordinate::Kind::kAxis:
      return scores[coordinate.axis];
    case Coordinate::Kind::kCombined:
      return combined_score(scores[coordinate.axis], scores[coordinate.other_axis]);
    case Coordinate::Kind::kOverall:
      break;
  }
  int sum = 0;
  for (std::size_t i = 0; i < spec.axes.size(); ++i) sum += std::max(scores[i] - 1, 0);
  return sum;
}

std::string known_coordinates(const SegmentationSpec& spec) {
  std::vector<std::string> names;
  for (const Axis& axis : spec.axes) names.push_back(axis.name);
  if (find_coordinate(spec, "fm")) names.emplace_back("fm");
  names.emplace_back("overall");
  return fmt::format("{}", fmt::join(names, ", "));
}

// The scores after `scores` in the order of cells; the first ones after the last.
void to_next(const SegmentationSpec& spec, ScoreArray& scores) {
  for (std::size_t i = spec.axes.size(); i-- > 0;) {
    if (++scores[i] <= spec.axes[i].cuts.bins) return;
    scores[i] = score_min(spec.axes[i]);
  }
}

ScoreArray first_scores(const SegmentationSpec& spec) {
  ScoreArray scores{};
  for (std::size_t i = 0; i < spec.axes.size(); ++i) scores[i] = score_min(spec.axes[i]);
  return scores;
}

std::size_t cell_count(const SegmentationSpec& spec) {
  std::size_t count = 1;
  for (const Axis& axis : spec.axes) count *= score_count(axis);
  return count;
}

// A rule with its coordinates found.
struct Block {
  struct Side {
    Coordinate coordinate;
    int low;
    int high;
  };
  std::size_t rule = 0;
  std::uint8_t segment = 0;
  std::vector<Side> sides;

  bool covers(const SegmentationSpec& spec, const ScoreArray& scores) const {
    return std::ranges::all_of(sides, [&](const Side& side) {
      const int value = value_of(spec, side.coordinate, scores);
      return side.low <= value && value <= side.high;
    });
  }
};

absl::StatusOr<std::vector<Block>> blocks_of(const SegmentationSpec& spec) {
  std::vector<Block> blocks;
  for (const MapRule& rule : spec.map) {
    const auto info = std::ranges::find(spec.segments, rule.segment, &SegmentInfo::name);
    if (info == spec.segments.end()) {
      return refused("segment \"{}\" is in the map and not described: give it a rank in segments",
                     rule.segment);
    }
    Block block{blocks.size(), static_cast<std::uint8_t>(info - spec.segments.begin()), {}};
    for (const ScoreRange& range : rule.ranges) {
      std::optional<Coordinate> coordinate = find_coordinate(spec, range.coordinate);
      if (!coordinate) {
        return refused("segment \"{}\" has a range of \"{}\"; allowed: {}", rule.segment,
                       range.coordinate, known_coordinates(spec));
      }
      if (range.low < coordinate->low || range.high > coordinate->high || range.low > range.high) {
        return refused("segment \"{}\": {} is {}-{}; allowed are ranges within {}-{}", rule.segment,
                       range.coordinate, range.low, range.high, coordinate->low, coordinate->high);
      }
      if (std::ranges::any_of(block.sides, [&](const Block::Side& side) {
            return side.coordinate.name == range.coordinate;
          })) {
        return refused("segment \"{}\": a cell has {} twice", rule.segment, range.coordinate);
      }
      block.sides.push_back({*std::move(coordinate), range.low, range.high});
    }
    blocks.push_back(std::move(block));
  }
  return blocks;
}

// The names of the segments that claim the cell, "/" between them; "-": none.
std::string claims(const SegmentationSpec& spec, const std::vector<Block>& blocks,
                   const ScoreArray& scores) {
  std::vector<std::string_view> names;
  for (const Block& block : blocks) {
    if (block.covers(spec, scores)) names.push_back(spec.segments[block.segment].name);
  }
  return names.empty() ? "-" : fmt::format("{}", fmt::join(names, " / "));
}

std::size_t width_of(std::string_view text) {  // Characters, of UTF-8.
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// Lines of aligned columns, each begun with two spaces.
std::string aligned(const std::vector<std::vector<std::string>>& lines) {
  std::vector<std::size_t> widths(lines.front().size(), 0);
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i)
      widths[i] = std::max(widths[i], width_of(line[i]));
  }
  std::string out;
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      out += "  " + line[i];
      if (i + 1 < line.size()) out += std::string(widths[i] - width_of(line[i]), ' ');
    }
    out += '\n';
  }
  return out;
}

// In order of first use.
std::vector<Coordinate> used_coordinates(const std::vector<Block>& blocks) {
  std::vector<Coordinate> used;
  for (const Block& block : blocks) {
    for (const Block::Side& side : block.sides) {
      if (std::ranges::find(used, side.coordinate.name, &Coordinate::name) == used.end())
        used.push_back(side.coordinate);
    }
  }
  return used;
}

// One grid, of all cells or of those whose scores on the axes from the third on are those of
// `fixed`.
std::string grid(const SegmentationSpec& spec, const std::vector<Block>& blocks,
                 const Coordinate& rows, const Coordinate& columns, const ScoreArray* fixed) {
  std::vector<std::vector<std::string>> lines(1);
  lines[0].push_back(fmt::format("{} \\ {}", rows.name, columns.name));
  for (int column = columns.low; column <= columns.high; ++column)
    lines[0].push_back(fmt::format("{}", column));
  for (int row = rows.high; row >= rows.low; --row) {
    lines.emplace_back(1, fmt::format("{}", row));
    lines.back().resize(lines[0].size());
  }
  ScoreArray scores = first_scores(spec);
  for (std::size_t i = cell_count(spec); i-- > 0; to_next(spec, scores)) {
    if (fixed != nullptr &&
        !std::equal(scores.begin() + 2, scores.end(), fixed->begin() + 2, fixed->end()))
      continue;
    const auto row = static_cast<std::size_t>(rows.high - value_of(spec, rows, scores)) + 1;
    const auto column = static_cast<std::size_t>(value_of(spec, columns, scores) - columns.low) + 1;
    if (lines[row][column].empty()) lines[row][column] = claims(spec, blocks, scores);
  }
  return aligned(lines);
}

// Where the map uses two coordinates or fewer, or has two axes, one grid shows all of it.
std::vector<Coordinate> sides_of_grid(const SegmentationSpec& spec,
                                      const std::vector<Block>& blocks) {
  std::vector<Coordinate> used = used_coordinates(blocks);
  if (spec.axes.size() > 1 && used.size() != 2) {
    used = {*find_coordinate(spec, spec.axes[0].name), *find_coordinate(spec, spec.axes[1].name)};
  } else if (spec.axes.size() > 1 && used[1].kind == Coordinate::Kind::kAxis &&
             used[0].kind == Coordinate::Kind::kAxis && used[1].axis < used[0].axis) {
    std::swap(used[0], used[1]);
  }
  return used;
}

bool shows_all(const SegmentationSpec& spec, const std::vector<Block>& blocks) {
  return spec.axes.size() == 2 || used_coordinates(blocks).size() == 2;
}

std::string slice_name(const SegmentationSpec& spec, const ScoreArray& scores) {
  std::vector<std::string> parts;
  for (std::size_t i = 2; i < spec.axes.size(); ++i)
    parts.push_back(fmt::format("{} = {}", spec.axes[i].name, scores[i]));
  return fmt::format("{}", fmt::join(parts, ", "));
}

// The grid around a faulty cell, after a line break; empty if there are no two coordinates.
std::string grid_around(const SegmentationSpec& spec, const std::vector<Block>& blocks,
                        const ScoreArray& scores) {
  if (spec.axes.size() < 2) return "";
  const std::vector<Coordinate> sides = sides_of_grid(spec, blocks);
  if (shows_all(spec, blocks)) return "\n" + grid(spec, blocks, sides[0], sides[1], nullptr);
  return fmt::format("; the map where {}:\n{}", slice_name(spec, scores),
                     grid(spec, blocks, sides[0], sides[1], &scores));
}

std::string cell_name(const SegmentationSpec& spec, const ScoreArray& scores) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < spec.axes.size(); ++i)
    parts.push_back(fmt::format("{}={}", spec.axes[i].name, scores[i]));
  std::string name = fmt::format("{}", fmt::join(parts, " "));
  if (const auto combined = find_coordinate(spec, "fm"))
    name += fmt::format(" (fm={})", value_of(spec, *combined, scores));
  return name;
}

}  // namespace

int score_min(const Axis& axis) { return axis.cuts.quantity == Quantity::kOverdue ? 0 : 1; }

std::size_t score_count(const Axis& axis) {
  return static_cast<std::size_t>(axis.cuts.bins + 1 - score_min(axis));
}

bool is_reserved_coordinate(std::string_view name) {
  return name == "segment" || name == "fm" || name == "overall";
}

void sort_ranges(SegmentationSpec& spec) {
  const auto place = [&](const ScoreRange& range) {
    if (const auto axis = axis_of(spec, range.coordinate)) return *axis;
    return spec.axes.size() + (range.coordinate == "fm" ? 0U : 1U);
  };
  for (MapRule& rule : spec.map) std::ranges::stable_sort(rule.ranges, {}, place);
}

absl::StatusOr<std::vector<std::uint8_t>> cells_of_map(const SegmentationSpec& spec) {
  if (spec.map.size() > kCellsMax)
    return refused("the map has {} entries; allowed: {}", spec.map.size(), kCellsMax);
  absl::StatusOr<std::vector<Block>> blocks = blocks_of(spec);
  if (!blocks.ok()) return blocks.status();
  for (const SegmentInfo& info : spec.segments) {
    if (std::ranges::find(spec.map, info.name, &MapRule::segment) == spec.map.end())
      return refused("segment \"{}\" is described but no cell has it", info.name);
  }
  std::vector<std::uint8_t> segments;
  std::vector<bool> is_reached(blocks->size(), false);
  ScoreArray scores = first_scores(spec);
  for (std::size_t i = cell_count(spec); i-- > 0; to_next(spec, scores)) {
    std::uint8_t segment = kEmpty;
    for (const Block& block : *blocks) {
      if (!block.covers(spec, scores)) continue;
      if (segment != kEmpty) {
        return refused("cell {} is claimed twice: by \"{}\" and by \"{}\"{}",
                       cell_name(spec, scores), spec.segments[segment].name,
                       spec.segments[block.segment].name, grid_around(spec, *blocks, scores));
      }
      segment = block.segment;
      is_reached[block.rule] = true;
    }
    if (segment == kEmpty) {
      return refused("cell {} belongs to no segment{}", cell_name(spec, scores),
                     grid_around(spec, *blocks, scores));
    }
    segments.push_back(segment);
  }
  for (const Block& block : *blocks) {
    if (!is_reached[block.rule]) {
      return refused("entry {} (\"{}\") of the map reaches no cell", block.rule + 1,
                     spec.segments[block.segment].name);
    }
  }
  return segments;
}

std::string map_grid(const SegmentationSpec& spec) {
  const absl::StatusOr<std::vector<Block>> blocks = blocks_of(spec);
  if (!blocks.ok() || spec.axes.empty()) return "";
  const std::vector<Coordinate> used = used_coordinates(*blocks);
  if (spec.axes.size() == 1 || used.size() < 2) {
    const Coordinate by = used.empty() ? *find_coordinate(spec, spec.axes[0].name) : used[0];
    std::vector<std::vector<std::string>> lines;
    for (int score = by.high; score >= by.low; --score) {
      ScoreArray scores = first_scores(spec);
      while (value_of(spec, by, scores) != score) to_next(spec, scores);
      lines.push_back({fmt::format("{} = {}", by.name, score), claims(spec, *blocks, scores)});
    }
    return aligned(lines);
  }
  const std::vector<Coordinate> sides = sides_of_grid(spec, *blocks);
  if (shows_all(spec, *blocks)) return grid(spec, *blocks, sides[0], sides[1], nullptr);
  std::string out;
  ScoreArray scores = first_scores(spec);
  const std::size_t slices =
      cell_count(spec) / (score_count(spec.axes[0]) * score_count(spec.axes[1]));
  for (std::size_t i = 0; i < slices; ++i, to_next(spec, scores)) {
    out += fmt::format("{}{}:\n{}", i > 0 ? "\n" : "", slice_name(spec, scores),
                       grid(spec, *blocks, sides[0], sides[1], &scores));
  }
  return out;
}

std::vector<MapRule> rules_of_grid(std::string_view rows, int row_max, std::string_view columns,
                                   int column_min,
                                   const std::vector<std::vector<std::string>>& names) {
  std::vector<MapRule> rules;
  for (std::size_t row = 0; row < names.size(); ++row) {
    const int row_score = row_max - static_cast<int>(row);
    for (std::size_t column = 0; column < names[row].size(); ++column) {
      const int score = column_min + static_cast<int>(column);
      if (column > 0 && rules.back().segment == names[row][column]) {
        rules.back().ranges[1].high = score;
        continue;
      }
      rules.push_back(
          {names[row][column],
           {{std::string(rows), row_score, row_score}, {std::string(columns), score, score}}});
    }
  }
  return rules;
}

std::vector<MapRule> first_match_rules(const std::vector<Axis>& axes,
                                       const std::vector<MapRule>& rules, const std::string& rest) {
  SegmentationSpec spec;
  spec.axes = axes;
  spec.map = rules;
  for (const MapRule& rule : rules) {
    if (std::ranges::find(spec.segments, rule.segment, &SegmentInfo::name) == spec.segments.end())
      spec.segments.push_back({rule.segment, 0, "", {}, false});
  }
  const absl::StatusOr<std::vector<Block>> blocks = blocks_of(spec);
  if (!blocks.ok()) return {};
  std::vector<MapRule> boxes;
  ScoreArray scores = first_scores(spec);
  for (std::size_t i = cell_count(spec); i-- > 0; to_next(spec, scores)) {
    const auto first = std::ranges::find_if(
        *blocks, [&](const Block& block) { return block.covers(spec, scores); });
    MapRule box{first == blocks->end() ? rest : spec.map[first->rule].segment, {}};
    for (std::size_t axis = 0; axis < axes.size(); ++axis)
      box.ranges.push_back({axes[axis].name, scores[axis], scores[axis]});
    boxes.push_back(std::move(box));
  }
  // Boxes that differ on one axis only and meet there become one.
  for (std::size_t axis = axes.size(); axis-- > 0;) {
    std::vector<MapRule> merged;
    for (const MapRule& box : boxes) {
      const auto neighbour = std::ranges::find_if(merged, [&](MapRule other) {
        if (other.ranges[axis].high + 1 != box.ranges[axis].low) return false;
        other.ranges[axis] = box.ranges[axis];
        return other == box;
      });
      if (neighbour == merged.end()) {
        merged.push_back(box);
      } else {
        neighbour->ranges[axis].high = box.ranges[axis].high;
      }
    }
    boxes = std::move(merged);
  }
  for (MapRule& box : boxes) {
    for (std::size_t axis = axes.size(); axis-- > 0;) {
      const ScoreRange& range = box.ranges[axis];
      if (range.low == score_min(axes[axis]) && range.high == axes[axis].cuts.bins)
        box.ranges.erase(box.ranges.begin() + static_cast<std::ptrdiff_t>(axis));
    }
  }
  return boxes;
}

}  // namespace rfm
