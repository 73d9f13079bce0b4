#include "config/segmentation_settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "config/segmentation_text.h"
#include "config/setting_value.h"
#include "config/toml_reader.h"

namespace rfm {

namespace {

absl::Status with_key(std::string_view key, const absl::Status& status) {
  return absl::InvalidArgumentError(fmt::format("{}: {}", key, std::string(status.message())));
}

// The value as it was written, on one line.
absl::StatusOr<std::string> one_line(std::string_view text) {
  const absl::StatusOr<TomlNode> node = read_toml_node(text);
  if (!node.ok()) return node.status();
  return toml_text(*node);
}

absl::StatusOr<SegmentationChange> change_of(const SegmentationTexts& texts) {
  SegmentationChange change;
  for (const auto& [key, text] : texts) {
    absl::Status status;
    if (key == "scorer") {
      change.scorer = text == "cluster" ? Scorer::kCluster : Scorer::kGrid;
    } else if (key == "axes") {
      auto axes = read_axes(text);
      if (!axes.ok()) return with_key(key, axes.status());
      change.axes = *std::move(axes);
    } else if (key == "map") {
      auto map = read_map(text);
      if (!map.ok()) return with_key(key, map.status());
      change.map = *std::move(map);
    } else if (key == "segments") {
      auto segments = read_segments(text);
      if (!segments.ok()) return with_key(key, segments.status());
      change.segments = *std::move(segments);
    } else if (key == "hysteresis") {
      change.hysteresis = parse_real(text);
    } else if (key == "recency_min") {
      change.recency_min_ms = parse_duration(text)->count();
    } else if (key == "centroids") {
      auto centroids = read_centroids(text.empty() ? "[]" : text);
      if (!centroids.ok()) return with_key(key, centroids.status());
      change.centroids = *std::move(centroids);
    } else if (key == "scale") {
      change.scale = parse_scale(text);
    } else if (key == "recency_at") {
      change.recency_at_ms = parse_instant(text);
    } else if (key == "guard") {
      change.guard = text == "true";
    } else if (key == "stay") {
      change.stay_ms = parse_duration(text)->count();
    }
  }
  return change;
}

bool is_there(const std::vector<SegmentationSpec>& specs, const SegmentAction& action) {
  const auto other = std::ranges::find(specs, action.where_segmentation, &SegmentationSpec::name);
  return other != specs.end() && std::ranges::all_of(action.where_segments, [&](const auto& name) {
           return std::ranges::find(other->segments, name, &SegmentInfo::name) !=
                  other->segments.end();
         });
}

// The segments whose actions are not a preset's.
std::vector<std::string> own_actions(const SegmentationTexts& texts) {
  std::vector<std::string> names;
  const auto given = texts.find("segments");
  if (given == texts.end()) return names;
  const absl::StatusOr<std::vector<SegmentChange>> changes = read_segments(given->second);
  for (const SegmentChange& change : *changes) {
    if (change.actions) names.push_back(change.name);
  }
  return names;
}

}  // namespace

absl::StatusOr<std::string> canonical_segmentation_text(SettingKind kind, std::string_view text) {
  if (kind == SettingKind::kPreset) {
    if (find_preset(text) != nullptr) return std::string(text);
    return absl::InvalidArgumentError(fmt::format("allowed: {}", fmt::join(preset_names(), ", ")));
  }
  // An empty list has an empty text.
  const std::string_view value = text.empty() ? "[]" : text;
  absl::Status status;
  if (kind == SettingKind::kAxes) {
    status = read_axes(value).status();
  } else if (kind == SettingKind::kSegments) {
    status = read_segments(value).status();
  } else if (kind == SettingKind::kCentroids) {
    status = read_centroids(value).status();
  } else if (kind == SettingKind::kSegmentMap) {
    status = read_map(value).status();
    if (status.ok() && find_preset(value) != nullptr) return std::string(value);
  } else {
    status = read_segmentation(value).status();
  }
  if (!status.ok()) return status;
  return one_line(value);
}

bool is_default_segmentation(std::string_view name) {
  return name == "rfm" || name == "cluster" || name == "churn";
}

absl::StatusOr<SegmentationSpec> segmentation_spec(std::string_view name,
                                                   const SegmentationTexts& texts) {
  const absl::StatusOr<SegmentationChange> change = change_of(texts);
  if (!change.ok()) return change.status();
  const auto preset = texts.find("preset");
  if (const auto whole = texts.find(""); whole != texts.end() && preset == texts.end()) {
    const absl::StatusOr<SegmentationChange> logged = read_segmentation(whole->second);
    if (!logged.ok()) return logged.status();
    const absl::StatusOr<SegmentationSpec> base = apply(*logged, nullptr, name);
    if (!base.ok()) return base.status();
    return apply(*change, &*base, name);
  }
  const SegmentationSpec* const base =
      find_preset(preset == texts.end() ? name : std::string_view(preset->second));
  return apply(*change, base, name);
}

void drop_idle_actions(std::vector<SegmentationSpec>& specs,
                       const std::map<std::string, SegmentationTexts>& texts) {
  for (SegmentationSpec& spec : specs) {
    const auto given = texts.find(spec.name);
    const std::vector<std::string> own =
        given == texts.end() ? std::vector<std::string>{} : own_actions(given->second);
    for (SegmentInfo& info : spec.segments) {
      if (std::ranges::find(own, info.name) != own.end()) continue;
      std::erase_if(info.actions, [&](const SegmentAction& action) {
        return !action.where_segmentation.empty() && !is_there(specs, action);
      });
    }
  }
}

std::vector<SettingDifference> segmentation_differences(std::string_view name,
                                                        std::string_view before,
                                                        std::string_view now) {
  const std::string key = fmt::format("segmentation.{}", name);
  std::vector<SettingDifference> differences;
  const auto leaves = [&](std::string_view text) -> std::map<std::string, std::string> {
    const absl::StatusOr<SegmentationSpec> spec =
        segmentation_spec(name, {{"", std::string(text)}});
    if (!spec.ok()) return {{"", std::string(text)}};
    const auto all = leaves_of(*spec);
    return {all.begin(), all.end()};
  };
  if (before.empty() || now.empty()) {
    if (before.empty() != now.empty()) {
      differences.push_back(
          {key, before.empty() ? "not there" : "there", now.empty() ? "not there" : "there"});
    }
    return differences;
  }
  const std::map<std::string, std::string> old_leaves = leaves(before);
  const std::map<std::string, std::string> new_leaves = leaves(now);
  std::map<std::string, std::string> paths = old_leaves;
  paths.insert(new_leaves.begin(), new_leaves.end());
  const auto value = [](const std::map<std::string, std::string>& side, const std::string& path) {
    const auto found = side.find(path);
    return found == side.end() ? std::string("nothing") : found->second;
  };
  for (const auto& [path, unused] : paths) {
    const std::string old_value = value(old_leaves, path);
    const std::string new_value = value(new_leaves, path);
    if (old_value != new_value)
      differences.push_back({fmt::format("{}.{}", key, path), old_value, new_value});
  }
  return differences;
}

std::string_view former_segmentation_key(std::string_view key) {
  if (key == "dwell") return "it is now stay, which does not hold what the customer does";
  if (key == "low" || key == "high") {
    return "the cuts of the risk are now those of its axis: axes = [{name = \"risk\", cuts = "
           "[0.33, "
           "0.66]}]";
  }
  return "";
}

}  // namespace rfm
