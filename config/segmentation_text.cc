#include "config/segmentation_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <type_traits>

#include "config/quantity_text.h"
#include "config/setting_value.h"
#include "config/toml_reader.h"

namespace rfm {

namespace {

using Shape = TomlNode::Shape;

template <typename... Args>
absl::Status refused(fmt::format_string<Args...> format, Args&&... args) {
  return absl::InvalidArgumentError(fmt::format(format, std::forward<Args>(args)...));
}

bool is_plain(const TomlNode& node, TomlType type) {
  return node.shape == Shape::kPlain && node.type == type;
}
bool is_number(const TomlNode& node) {
  return is_plain(node, TomlType::kInteger) || is_plain(node, TomlType::kReal);
}

constexpr int kIntegerMax = 1'000'000;

std::optional<int> integer_of(const TomlNode& node) {
  const auto value = is_plain(node, TomlType::kInteger) ? parse_integer(node.text) : std::nullopt;
  if (!value || *value < 0 || *value > kIntegerMax) return std::nullopt;
  return static_cast<int>(*value);
}

std::optional<std::string> text_of(const TomlNode& node) {
  return is_plain(node, TomlType::kString) ? std::optional(node.text) : std::nullopt;
}

std::optional<bool> toggle_of(const TomlNode& node) {
  return is_plain(node, TomlType::kToggle) ? std::optional(node.text == "true") : std::nullopt;
}

std::optional<std::int64_t> duration_of(const TomlNode& node) {
  const auto value = is_plain(node, TomlType::kString) ? parse_duration(node.text) : std::nullopt;
  return value ? std::optional(value->count()) : std::nullopt;
}

std::optional<double> real_of(const TomlNode& node) {
  return is_number(node) ? parse_real(node.text) : std::nullopt;
}

// Texts and numbers as texts.
std::optional<std::vector<std::string>> texts_of(const TomlNode& node) {
  if (node.shape != Shape::kList) return std::nullopt;
  std::vector<std::string> texts;
  for (const TomlNode& item : node.items) {
    if (!is_plain(item, TomlType::kString) && !is_number(item)) return std::nullopt;
    texts.push_back(item.text);
  }
  return texts;
}

std::optional<CutMethod> method_of(const TomlNode& node) {
  const std::string text = text_of(node).value_or("");
  if (text == "fixed") return CutMethod::kFixed;
  if (text == "quantile") return CutMethod::kQuantile;
  if (text == "breaks") return CutMethod::kBreaks;
  return std::nullopt;
}

std::optional<MoveKind> move_of(const TomlNode& node) {
  const std::string text = text_of(node).value_or("");
  if (text == "up") return MoveKind::kUpOrFirst;
  if (text == "down") return MoveKind::kDown;
  if (text == "any") return MoveKind::kAny;
  return std::nullopt;
}

std::optional<Scorer> scorer_of(const TomlNode& node) {
  const std::string text = text_of(node).value_or("");
  if (text == "grid") return Scorer::kGrid;
  if (text == "cluster") return Scorer::kCluster;
  return std::nullopt;
}

// Fills `field`; what is wrong names the key.
template <typename Field, typename Value>
absl::Status take(std::string_view of, const TomlField& from, Field& field,
                  std::optional<Value> value, std::string_view allowed) {
  if (!value)
    return refused("{}: {} = {}; allowed: {}", of, from.key, toml_text(from.value), allowed);
  field = *std::move(value);
  return absl::OkStatus();
}

absl::Status unknown_key(std::string_view of, std::string_view key, std::string_view allowed) {
  return refused("{} has the key \"{}\"; allowed: {}", of, key, allowed);
}

absl::StatusOr<AxisChange> read_axis(const TomlNode& node) {
  constexpr std::string_view kAxis = "an axis";
  if (node.shape != Shape::kTable)
    return refused("an axis is not a table such as {{name = \"r\", quantity = \"recency\"}}");
  AxisChange axis;
  for (const TomlField& field : node.fields) {
    const TomlNode& value = field.value;
    absl::Status status;
    if (field.key == "name") {
      status = take(kAxis, field, axis.name, text_of(value), "a name");
    } else if (field.key == "quantity") {
      status = take(kAxis, field, axis.quantity, find_quantity(text_of(value).value_or("")),
                    quantity_names());
    } else if (field.key == "method") {
      status = take(kAxis, field, axis.method, method_of(value), "fixed, quantile, breaks");
    } else if (field.key == "bins") {
      status = take(kAxis, field, axis.bins, integer_of(value), "a whole number");
    } else if (field.key == "cuts") {
      status = take(kAxis, field, axis.cuts, texts_of(value), "a list of cuts");
    } else if (field.key == "bounds") {
      status = take(kAxis, field, axis.bounds, texts_of(value), "a list such as [\"30d-60d\"]");
    } else if (field.key == "margin") {
      status = take(kAxis, field, axis.margin, real_of(value), "a number from 0 to less than 1");
    } else {
      status = unknown_key(kAxis, field.key, "name, quantity, method, bins, cuts, bounds, margin");
    }
    if (!status.ok()) return status;
  }
  if (axis.name.empty()) return refused("an axis has no name");
  return axis;
}

// "4" or "4-5".
std::optional<ScoreRange> range_of(const TomlField& field) {
  if (field.value.shape != Shape::kPlain) return std::nullopt;
  const std::string_view text = field.value.text;
  const std::size_t dash = text.find('-');
  const auto low = parse_integer(text.substr(0, dash));
  const auto high = dash == std::string_view::npos ? low : parse_integer(text.substr(dash + 1));
  if (!low || !high || *low < 0 || *high < *low || *high > kIntegerMax) return std::nullopt;
  return ScoreRange{field.key, static_cast<int>(*low), static_cast<int>(*high)};
}

absl::StatusOr<MapRule> read_rule(const TomlNode& node) {
  if (node.shape != Shape::kTable)
    return refused("an entry of the map is not a table such as {{segment = \"New\", r = \"4-5\"}}");
  MapRule rule;
  for (const TomlField& field : node.fields) {
    if (field.key == "segment") {
      absl::Status status =
          take("an entry of the map", field, rule.segment, text_of(field.value), "a name");
      if (!status.ok()) return status;
      continue;
    }
    const std::optional<ScoreRange> range = range_of(field);
    if (!range) {
      return refused("range {} = {}; allowed: a score, or two as in \"4-5\"", field.key,
                     toml_text(field.value));
    }
    rule.ranges.push_back(*range);
  }
  if (rule.segment.empty()) return refused("an entry of the map has no segment");
  return rule;
}

absl::StatusOr<SegmentAction> read_action(const TomlNode& node) {
  constexpr std::string_view kAction = "an action";
  if (node.shape != Shape::kTable)
    return refused("an action is not a table such as {{text = \"call them\", on = \"down\"}}");
  SegmentAction action;
  for (const TomlField& field : node.fields) {
    absl::Status status;
    if (field.key == "text") {
      status = take(kAction, field, action.text, text_of(field.value), "a text");
    } else if (field.key == "on") {
      status = take(kAction, field, action.on, move_of(field.value), "up, down, any");
    } else if (field.key == "cooldown") {
      status = take(kAction, field, action.cooldown_ms, duration_of(field.value),
                    "a duration such as \"30d\"");
    } else if (field.key == "if" && field.value.shape == Shape::kTable &&
               field.value.fields.size() == 1) {
      const TomlField& where = field.value.fields[0];
      action.where_segmentation = where.key;
      if (const auto one = text_of(where.value)) {
        action.where_segments = {*one};
      } else {
        status = take(kAction, where, action.where_segments, texts_of(where.value),
                      "a segment or a list of segments");
      }
    } else if (field.key == "if") {
      status = refused(
          "an action: if = {}; allowed: one segmentation with its segments, such as "
          "{{churn = \"Low\"}}",
          toml_text(field.value));
    } else {
      status = unknown_key(kAction, field.key, "text, on, if, cooldown");
    }
    if (!status.ok()) return status;
  }
  return action;
}

absl::StatusOr<SegmentChange> read_segment(const TomlNode& node) {
  constexpr std::string_view kSegment = "a segment";
  if (node.shape != Shape::kTable)
    return refused("a segment is not a table such as {{name = \"VIP\", rank = 120}}");
  SegmentChange segment;
  for (const TomlField& field : node.fields) {
    absl::Status status;
    if (field.key == "name") {
      status = take(kSegment, field, segment.name, text_of(field.value), "a name");
    } else if (field.key == "rank") {
      status = take(kSegment, field, segment.rank, integer_of(field.value),
                    "a whole number from 0 to 1000000");
    } else if (field.key == "description") {
      status = take(kSegment, field, segment.description, text_of(field.value), "a text");
    } else if (field.key == "lost") {
      status = take(kSegment, field, segment.lost, toggle_of(field.value), "true, false");
    } else if (field.key == "actions" && field.value.shape == Shape::kList) {
      segment.actions.emplace();
      for (const TomlNode& item : field.value.items) {
        absl::StatusOr<SegmentAction> action = read_action(item);
        if (!action.ok()) return action.status();
        segment.actions->push_back(*std::move(action));
      }
    } else if (field.key == "action") {
      status = refused(
          "a segment has the key \"action\", which is now actions = [{{text = {}, on "
          "= \"any\"}}]",
          toml_text(field.value));
    } else {
      status = unknown_key(kSegment, field.key,
                           "name, rank, description, lost, actions (a list of tables)");
    }
    if (!status.ok()) return status;
  }
  if (segment.name.empty()) return refused("a segment has no name");
  return segment;
}

template <typename Read>
auto read_list(const TomlNode& node, Read read, std::string_view allowed)
    -> absl::StatusOr<std::vector<typename std::invoke_result_t<Read, TomlNode>::value_type>> {
  std::vector<typename std::invoke_result_t<Read, TomlNode>::value_type> parts;
  if (node.shape != Shape::kList) return refused("allowed: {}", allowed);
  for (const TomlNode& item : node.items) {
    auto part = read(item);
    if (!part.ok()) return part.status();
    parts.push_back(*std::move(part));
  }
  return parts;
}

absl::StatusOr<std::vector<AxisChange>> axes_of(const TomlNode& node) {
  return read_list(node, read_axis,
                   "a list of {name, quantity, method, bins, cuts, bounds, margin}");
}

absl::StatusOr<std::vector<SegmentChange>> segments_of(const TomlNode& node) {
  return read_list(node, read_segment, "a list of {name, rank, description, lost, actions}");
}

absl::StatusOr<GivenCentroid> read_centroid(const TomlNode& node) {
  constexpr std::string_view kCentroid = "a centroid";
  if (node.shape != Shape::kTable || node.fields.size() != 4) {
    return refused(
        "a centroid is not a table such as {{segment = \"Loyal\", r = 9, f = 4.6, m = 1400}}");
  }
  GivenCentroid centroid;
  for (const TomlField& field : node.fields) {
    absl::Status status;
    if (field.key == "segment") {
      status = take(kCentroid, field, centroid.segment, text_of(field.value), "a name");
    } else if (field.key == "r") {
      status = take(kCentroid, field, centroid.recency_days, real_of(field.value), "days");
    } else if (field.key == "f") {
      status = take(kCentroid, field, centroid.frequency, real_of(field.value), "a number");
    } else if (field.key == "m") {
      status = take(kCentroid, field, centroid.monetary, real_of(field.value), "an amount");
    } else {
      status = unknown_key(kCentroid, field.key, "segment, r, f, m");
    }
    if (!status.ok()) return status;
  }
  return centroid;
}

absl::StatusOr<std::vector<GivenCentroid>> centroids_of(const TomlNode& node) {
  return read_list(node, read_centroid, "a list of {segment, r, f, m}");
}

absl::StatusOr<MapChange> map_of(const TomlNode& node) {
  constexpr std::string_view kAllowed =
      "allowed: a preset's name, rows of names, or a list of entries such as {segment = \"New\", r "
      "= \"4-5\"}";
  MapChange map;
  if (const auto preset = text_of(node)) {
    if (find_preset(*preset) == nullptr || find_preset(*preset)->map.empty()) {
      return refused("\"{}\" is no preset with a map; allowed: {}", *preset,
                     fmt::join(preset_names(), ", "));
    }
    map.preset = *preset;
    return map;
  }
  if (node.shape != Shape::kList || node.items.empty()) return refused("{}", kAllowed);
  if (node.items[0].shape != Shape::kList) {
    auto rules = read_list(node, read_rule, kAllowed);
    if (!rules.ok()) return rules.status();
    map.rules = *std::move(rules);
    return map;
  }
  for (const TomlNode& row : node.items) {
    const auto names = texts_of(row);
    if (!names) return refused("{}", kAllowed);
    map.rows.push_back(*names);
  }
  return map;
}

template <typename Change>
absl::StatusOr<Change> read_text(std::string_view text,
                                 absl::StatusOr<Change> (*read)(const TomlNode&)) {
  const absl::StatusOr<TomlNode> node = read_toml_node(text);
  if (!node.ok()) return node.status();
  return read(*node);
}

}  // namespace

absl::StatusOr<std::vector<AxisChange>> read_axes(std::string_view text) {
  return read_text(text, axes_of);
}

absl::StatusOr<std::vector<SegmentChange>> read_segments(std::string_view text) {
  return read_text(text, segments_of);
}

absl::StatusOr<std::vector<GivenCentroid>> read_centroids(std::string_view text) {
  return read_text(text, centroids_of);
}

absl::StatusOr<MapChange> read_map(std::string_view text) {
  return read_text(find_preset(text) == nullptr ? std::string(text) : quote(text), map_of);
}

absl::StatusOr<SegmentationChange> read_segmentation(std::string_view text) {
  const absl::StatusOr<TomlNode> node = read_toml_node(text);
  if (!node.ok()) return node.status();
  constexpr std::string_view kSegmentation = "a segmentation";
  SegmentationChange change;
  for (const TomlField& field : node->fields) {
    const TomlNode& value = field.value;
    absl::Status status;
    if (field.key == "scorer") {
      status = take(kSegmentation, field, change.scorer, scorer_of(value), "grid, cluster");
    } else if (field.key == "axes") {
      auto axes = axes_of(value);
      if (!axes.ok()) return axes.status();
      change.axes = *std::move(axes);
    } else if (field.key == "map") {
      auto map = map_of(value);
      if (!map.ok()) return map.status();
      change.map = *std::move(map);
    } else if (field.key == "segments") {
      auto segments = segments_of(value);
      if (!segments.ok()) return segments.status();
      change.segments = *std::move(segments);
    } else if (field.key == "hysteresis") {
      status = take(kSegmentation, field, change.hysteresis, real_of(value), "a number");
    } else if (field.key == "recency_min") {
      status = take(kSegmentation, field, change.recency_min_ms, duration_of(value), "a duration");
    } else if (field.key == "centroids") {
      auto centroids = centroids_of(value);
      if (!centroids.ok()) return centroids.status();
      change.centroids = *std::move(centroids);
    } else if (field.key == "scale") {
      status = take(kSegmentation, field, change.scale, parse_scale(text_of(value).value_or("")),
                    "three numbers above 0");
    } else if (field.key == "recency_at") {
      status = take(kSegmentation, field, change.recency_at_ms,
                    parse_instant(text_of(value).value_or("")), "now, or a time");
    } else if (field.key == "guard") {
      status = take(kSegmentation, field, change.guard, toggle_of(value), "true, false");
    } else if (field.key == "stay") {
      status = take(kSegmentation, field, change.stay_ms, duration_of(value), "a duration");
    } else {
      status =
          unknown_key(kSegmentation, field.key,
                      "scorer, axes, map, segments, hysteresis, recency_min, centroids, scale, "
                      "recency_at, guard, stay");
    }
    if (!status.ok()) return status;
  }
  return change;
}

}  // namespace rfm
