// Specs to text.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <map>

#include "config/quantity_text.h"
#include "config/segmentation_text.h"
#include "config/setting_value.h"
#include "config/toml_reader.h"

namespace rfm {

namespace {

std::string list(const std::vector<std::string>& parts) {
  return fmt::format("[{}]", fmt::join(parts, ", "));
}

std::string duration(std::int64_t ms) {
  return quote(format_duration(std::chrono::milliseconds{ms}));
}

std::string_view move_name(MoveKind kind) {
  switch (kind) {
    case MoveKind::kUpOrFirst:
      return "up";
    case MoveKind::kDown:
      return "down";
    case MoveKind::kAny:
      break;
  }
  return "any";
}

// A number where TOML has one, else a text.
std::string cut_text(Quantity quantity, std::int64_t cut) {
  const std::string text = format_quantity(quantity, cut);
  return quantity == Quantity::kRecency ? quote(text) : text;
}

std::string cuts_text(const CutSpec& cuts) {
  std::vector<std::string> parts;
  for (const std::int64_t cut : cuts.fixed) parts.push_back(cut_text(cuts.quantity, cut));
  return list(parts);
}

std::string bounds_text(const CutSpec& cuts) {
  std::vector<std::string> parts;
  for (const CutBounds& bounds : cuts.bounds)
    parts.push_back(quote(format_bounds(cuts.quantity, bounds)));
  return list(parts);
}

std::string axis_text(const Axis& axis) {
  std::string text =
      fmt::format("{{name = {}, quantity = {}, method = {}, bins = {}", quote(axis.name),
                  quote(name(axis.cuts.quantity)), quote(name(axis.cuts.method)), axis.cuts.bins);
  if (!axis.cuts.fixed.empty()) text += fmt::format(", cuts = {}", cuts_text(axis.cuts));
  if (!axis.cuts.bounds.empty()) text += fmt::format(", bounds = {}", bounds_text(axis.cuts));
  return fmt::format("{}, margin = {}}}", text, format_real(axis.margin));
}

std::string range_text(const ScoreRange& range) {
  return range.low == range.high ? fmt::format("{}", range.low)
                                 : fmt::format("{}-{}", range.low, range.high);
}

std::string rule_text(const MapRule& rule) {
  std::string text = fmt::format("{{segment = {}", quote(rule.segment));
  for (const ScoreRange& range : rule.ranges) {
    const std::string value = range_text(range);
    text +=
        fmt::format(", {} = {}", range.coordinate, range.low == range.high ? value : quote(value));
  }
  return text + "}";
}

std::string action_text(const SegmentAction& action) {
  std::string text =
      fmt::format("{{text = {}, on = {}", quote(action.text), quote(move_name(action.on)));
  if (!action.where_segmentation.empty()) {
    std::vector<std::string> segments;
    for (const std::string& segment : action.where_segments) segments.push_back(quote(segment));
    text += fmt::format(", if = {{{} = {}}}", action.where_segmentation,
                        segments.size() == 1 ? segments[0] : list(segments));
  }
  if (action.cooldown_ms > 0) text += fmt::format(", cooldown = {}", duration(action.cooldown_ms));
  return text + "}";
}

std::string actions_text(const SegmentInfo& info) {
  std::vector<std::string> actions;
  for (const SegmentAction& action : info.actions) actions.push_back(action_text(action));
  return list(actions);
}

std::string segment_text(const SegmentInfo& info) {
  return fmt::format("{{name = {}, rank = {}, description = {}, lost = {}, actions = {}}}",
                     quote(info.name), info.rank, quote(info.description), info.lost,
                     actions_text(info));
}

std::string centroid_text(const GivenCentroid& centroid) {
  return fmt::format("{{segment = {}, r = {}, f = {}, m = {}}}", quote(centroid.segment),
                     format_real(centroid.recency_days), format_real(centroid.frequency),
                     format_real(centroid.monetary));
}

}  // namespace

std::vector<std::string> list_items(const SegmentationSpec& spec, std::string_view key) {
  std::vector<std::string> parts;
  if (key == "axes") {
    for (const Axis& axis : spec.axes) parts.push_back(axis_text(axis));
  } else if (key == "map") {
    for (const MapRule& rule : spec.map) parts.push_back(rule_text(rule));
  } else if (key == "centroids") {
    for (const GivenCentroid& centroid : spec.centroids) parts.push_back(centroid_text(centroid));
  } else if (key == "segments") {
    for (const SegmentInfo& info : spec.segments) parts.push_back(segment_text(info));
  }
  return parts;
}

std::optional<std::string> segmentation_text(const SegmentationSpec& spec, std::string_view key) {
  const bool is_cluster = spec.scorer == Scorer::kCluster;
  if (key == "preset") return spec.name;
  if (key == "enabled") return "true";
  if (key == "scorer") return is_cluster ? "cluster" : "grid";
  if (key == "guard") return spec.guard ? "true" : "false";
  if (key == "stay") return format_duration(std::chrono::milliseconds{spec.stay_ms});
  if (key == "segments" || (!is_cluster && (key == "axes" || key == "map")))
    return list(list_items(spec, key));
  if (key == "hysteresis" && is_cluster) return format_real(spec.hysteresis);
  if (key == "recency_min" && is_cluster)
    return format_duration(std::chrono::milliseconds{spec.recency_min_ms});
  if (key == "centroids" && is_cluster) return list(list_items(spec, key));
  if (key == "scale" && is_cluster) return format_scale(spec.scale);
  if (key == "recency_at" && is_cluster) return format_instant(spec.recency_at_ms);
  return std::nullopt;
}

std::string format_segmentation(const SegmentationSpec& spec) {
  std::string text;
  if (spec.scorer == Scorer::kCluster) {
    text = fmt::format("scorer = \"cluster\", hysteresis = {}, recency_min = {}",
                       format_real(spec.hysteresis), duration(spec.recency_min_ms));
    if (!spec.centroids.empty()) {
      text += fmt::format(", centroids = {}, scale = {}, recency_at = {}",
                          list(list_items(spec, "centroids")), quote(format_scale(spec.scale)),
                          quote(format_instant(spec.recency_at_ms)));
    }
  } else {
    text = fmt::format("scorer = \"grid\", axes = {}, map = {}", list(list_items(spec, "axes")),
                       list(list_items(spec, "map")));
  }
  return fmt::format("{{{}, segments = {}, guard = {}, stay = {}}}", text,
                     list(list_items(spec, "segments")), spec.guard, duration(spec.stay_ms));
}

std::vector<std::pair<std::string, std::string>> leaves_of(const SegmentationSpec& spec) {
  std::map<std::string, std::string> leaves;
  leaves["guard"] = spec.guard ? "true" : "false";
  leaves["stay"] = format_duration(std::chrono::milliseconds{spec.stay_ms});
  leaves["scorer"] = spec.scorer == Scorer::kCluster ? "cluster" : "grid";
  if (spec.scorer == Scorer::kCluster) {
    leaves["hysteresis"] = format_real(spec.hysteresis);
    leaves["recency_min"] = format_duration(std::chrono::milliseconds{spec.recency_min_ms});
    leaves["centroids"] = list(list_items(spec, "centroids"));
    leaves["scale"] = format_scale(spec.scale);
    leaves["recency_at"] = format_instant(spec.recency_at_ms);
  } else {
    std::vector<std::string_view> names;
    for (const Axis& axis : spec.axes) names.push_back(axis.name);
    leaves["axes"] = fmt::format("{}", fmt::join(names, ", "));
  }
  for (const Axis& axis : spec.axes) {
    const std::string path = fmt::format("axes.{}.", axis.name);
    leaves[path + "quantity"] = name(axis.cuts.quantity);
    leaves[path + "method"] = name(axis.cuts.method);
    leaves[path + "bins"] = fmt::format("{}", axis.cuts.bins);
    leaves[path + "cuts"] = cuts_text(axis.cuts);
    leaves[path + "bounds"] = bounds_text(axis.cuts);
    leaves[path + "margin"] = format_real(axis.margin);
  }
  // By segment, so that a difference names it: "r 5, f 1; r 4, f 1, m 2-5".
  for (const MapRule& rule : spec.map) {
    std::vector<std::string> ranges;
    for (const ScoreRange& range : rule.ranges)
      ranges.push_back(fmt::format("{} {}", range.coordinate, range_text(range)));
    std::string& cells = leaves[fmt::format("map.{}", rule.segment)];
    cells += fmt::format("{}{}", cells.empty() ? "" : "; ",
                         ranges.empty() ? "all" : fmt::format("{}", fmt::join(ranges, ", ")));
  }
  std::vector<std::string_view> order;
  for (const SegmentInfo& info : spec.segments) {
    order.push_back(info.name);
    const std::string path = fmt::format("segments.{}.", info.name);
    leaves[path + "rank"] = fmt::format("{}", info.rank);
    leaves[path + "description"] = quote(info.description);
    leaves[path + "lost"] = info.lost ? "true" : "false";
    leaves[path + "actions"] = actions_text(info);
  }
  leaves["segments"] = fmt::format("{}", fmt::join(order, ", "));
  return {leaves.begin(), leaves.end()};
}

}  // namespace rfm
