// A base and what is changed of it to a spec.
#include <fmt/format.h>

#include <algorithm>

#include "config/quantity_text.h"
#include "config/segmentation_text.h"
#include "model/segmentation_map.h"

namespace rfm {

namespace {

template <typename... Args>
absl::Status refused(fmt::format_string<Args...> format, Args&&... args) {
  return absl::InvalidArgumentError(fmt::format(format, std::forward<Args>(args)...));
}

// Cuts or bounds, read as those of `quantity`.
template <typename Value, typename Parse>
absl::StatusOr<std::vector<Value>> read_all(const AxisChange& change, Quantity quantity,
                                            const std::vector<std::string>& texts, Parse parse,
                                            std::string_view what) {
  std::vector<Value> values;
  for (const std::string& text : texts) {
    const std::optional<Value> value = parse(quantity, text);
    if (!value) {
      return refused("axes: axis \"{}\" of {} has the {} {}; allowed: {}", change.name,
                     name(quantity), what, text, quantity_notation(quantity));
    }
    values.push_back(*value);
  }
  return values;
}

absl::StatusOr<Axis> changed(const AxisChange& change, const SegmentationSpec* base) {
  Axis axis;
  bool is_known = false;
  if (base != nullptr) {
    const auto found = std::ranges::find(base->axes, change.name, &Axis::name);
    is_known = found != base->axes.end() &&
               change.quantity.value_or(found->cuts.quantity) == found->cuts.quantity;
    if (is_known) axis = *found;
  }
  if (!is_known && !change.quantity) {
    return refused("axes: axis \"{}\" has no quantity; allowed: {}", change.name, quantity_names());
  }
  axis.name = change.name;
  CutSpec& cuts = axis.cuts;
  cuts.quantity = change.quantity.value_or(cuts.quantity);
  cuts.method = change.method.value_or(cuts.method);
  if (cuts.method == CutMethod::kFixed) cuts.bounds.clear();
  int bins = cuts.bins;
  if (change.bounds && !change.bounds->empty()) bins = static_cast<int>(change.bounds->size()) + 1;
  if (change.cuts && !change.cuts->empty()) bins = static_cast<int>(change.cuts->size()) + 1;
  if (const int wanted = change.bins.value_or(bins); wanted != cuts.bins) {
    cuts.bins = wanted;
    cuts.fixed.clear();
    cuts.bounds.clear();
  }
  if (change.cuts) {
    auto read = read_all<std::int64_t>(change, cuts.quantity, *change.cuts, parse_quantity, "cut");
    if (!read.ok()) return read.status();
    cuts.fixed = *std::move(read);
  }
  if (change.bounds) {
    auto read = read_all<CutBounds>(change, cuts.quantity, *change.bounds, parse_bounds, "bounds");
    if (!read.ok()) return read.status();
    cuts.bounds = *std::move(read);
  }
  axis.margin = change.margin.value_or(axis.margin);
  return axis;
}

// Rows are over the first axis; columns over F and M together if these are the other two, else over
// the second.
absl::StatusOr<std::vector<MapRule>> rules_of_rows(const MapChange& map,
                                                   const std::vector<Axis>& axes) {
  const bool is_combined = axes.size() == 3 && axes[1].name == "f" && axes[2].name == "m";
  if (axes.size() != 2 && !is_combined) {
    return refused(
        "map: rows need two axes, or three of which the others are f and m; there are "
        "{}; write a list of {{segment, ...}}",
        axes.size());
  }
  const std::size_t rows = score_count(axes[0]);
  const std::size_t columns =
      is_combined ? static_cast<std::size_t>(combined_score(axes[1].cuts.bins, axes[2].cuts.bins))
                  : score_count(axes[1]);
  const std::string column_name = is_combined ? "fm" : axes[1].name;
  const bool fits = map.rows.size() == rows && std::ranges::all_of(map.rows, [&](const auto& row) {
                      return row.size() == columns;
                    });
  if (!fits) {
    return refused(
        "map: allowed are {} rows of {} names, the first row the highest score of {}, "
        "the first column the lowest of {}",
        rows, columns, axes[0].name, column_name);
  }
  return rules_of_grid(axes[0].name, axes[0].cuts.bins, column_name,
                       is_combined ? 1 : score_min(axes[1]), map.rows);
}

const SegmentInfo* find_info(const SegmentationSpec* spec, std::string_view name) {
  if (spec == nullptr) return nullptr;
  const auto found = std::ranges::find(spec->segments, name, &SegmentInfo::name);
  return found == spec->segments.end() ? nullptr : &*found;
}

// What is known of a segment that the change does not say: of the base, of the map's preset, of
// any.
const SegmentInfo* known_info(std::string_view name, const SegmentationSpec* base,
                              std::string_view map_preset) {
  if (const SegmentInfo* info = find_info(base, name)) return info;
  if (const SegmentInfo* info = find_info(find_preset(map_preset), name)) return info;
  for (const std::string_view preset : preset_names()) {
    if (const SegmentInfo* info = find_info(find_preset(preset), name)) return info;
  }
  return nullptr;
}

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

absl::StatusOr<std::vector<SegmentInfo>> segments_of(const SegmentationChange& change,
                                                     const SegmentationSpec* base,
                                                     const SegmentationSpec& spec) {
  const auto is_mapped = [&](const std::string& name) {
    if (!spec.centroids.empty())
      return std::ranges::find(spec.centroids, name, &GivenCentroid::segment) !=
             spec.centroids.end();
    return spec.scorer == Scorer::kCluster ||
           std::ranges::find(spec.map, name, &MapRule::segment) != spec.map.end();
  };
  std::vector<std::string> names;
  if (base != nullptr) {
    for (const SegmentInfo& info : base->segments) {
      if (is_mapped(info.name)) add_once(names, info.name);
    }
  }
  for (const SegmentChange& segment : change.segments) {
    if (std::ranges::count(change.segments, segment.name, &SegmentChange::name) > 1)
      return refused("segments: \"{}\" is there twice", segment.name);
    add_once(names, segment.name);
  }
  for (const MapRule& rule : spec.map) add_once(names, rule.segment);
  for (const GivenCentroid& centroid : spec.centroids) add_once(names, centroid.segment);

  std::vector<SegmentInfo> segments;
  for (const std::string& name : names) {
    const auto given = std::ranges::find(change.segments, name, &SegmentChange::name);
    const bool is_given = given != change.segments.end();
    const SegmentInfo* const known = known_info(
        name, base, change.map ? std::string_view(change.map->preset) : std::string_view());
    if (known == nullptr && (!is_given || !given->rank)) {
      return refused("segments: \"{}\" is not known: it needs a rank, a description and actions",
                     name);
    }
    SegmentInfo info = known == nullptr ? SegmentInfo{} : *known;
    info.name = name;
    if (is_given) {
      info.rank = given->rank.value_or(info.rank);
      info.description = given->description.value_or(info.description);
      info.lost = given->lost.value_or(info.lost);
      info.actions = given->actions.value_or(info.actions);
    }
    segments.push_back(std::move(info));
  }
  return segments;
}

}  // namespace

absl::StatusOr<SegmentationSpec> apply(const SegmentationChange& change,
                                       const SegmentationSpec* base, std::string_view name) {
  SegmentationSpec spec = base == nullptr ? SegmentationSpec{} : *base;
  spec.name = name;
  spec.scorer = change.scorer.value_or(spec.scorer);
  if (spec.scorer == Scorer::kCluster && (change.axes || change.map)) {
    return refused("{} is for scorer = \"grid\" only", change.axes ? "axes" : "map");
  }
  if (spec.scorer == Scorer::kGrid) {
    const std::string_view key = change.hysteresis       ? "hysteresis"
                                 : change.recency_min_ms ? "recency_min"
                                 : change.centroids      ? "centroids"
                                 : change.scale          ? "scale"
                                 : change.recency_at_ms  ? "recency_at"
                                                         : "";
    if (!key.empty()) return refused("{} is for scorer = \"cluster\" only", key);
  }
  if (base != nullptr && base->scorer != spec.scorer) {
    return refused("scorer: the preset {} has another one", base->name);
  }
  spec.guard = change.guard.value_or(spec.guard);
  spec.stay_ms = change.stay_ms.value_or(spec.stay_ms);
  spec.hysteresis = change.hysteresis.value_or(spec.hysteresis);
  spec.recency_min_ms = change.recency_min_ms.value_or(spec.recency_min_ms);
  spec.centroids = change.centroids.value_or(spec.centroids);
  spec.scale = change.scale.value_or(spec.scale);
  spec.recency_at_ms = change.recency_at_ms.value_or(spec.recency_at_ms);
  if (change.axes) {
    spec.axes.clear();
    for (const AxisChange& axis : *change.axes) {
      absl::StatusOr<Axis> made = changed(axis, base);
      if (!made.ok()) return made.status();
      spec.axes.push_back(*std::move(made));
    }
  }
  if (spec.scorer == Scorer::kGrid && spec.axes.empty())
    return refused("axes: they are missing, and there is no preset");
  if (change.map) {
    if (!change.map->rows.empty()) {
      absl::StatusOr<std::vector<MapRule>> rules = rules_of_rows(*change.map, spec.axes);
      if (!rules.ok()) return rules.status();
      spec.map = *std::move(rules);
    } else {
      spec.map =
          change.map->preset.empty() ? change.map->rules : find_preset(change.map->preset)->map;
    }
  }
  if (spec.scorer == Scorer::kGrid && spec.map.empty())
    return refused("map: it is missing, and there is no preset");
  sort_ranges(spec);
  absl::StatusOr<std::vector<SegmentInfo>> segments = segments_of(change, base, spec);
  if (!segments.ok()) return segments.status();
  spec.segments = *std::move(segments);
  return spec;
}

}  // namespace rfm
