// The part of Settings that knows segmentations, and the comparison with a model log.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "config/rules_change.h"
#include "config/segmentation_text.h"
#include "config/setting_value.h"
#include "config/settings.h"

namespace rfm {

namespace {

constexpr std::array<std::string_view, 3> kDefaultNames = {"churn", "cluster", "rfm"};

bool is_structured(const SettingSpec& spec) {
  return spec.kind == SettingKind::kAxes || spec.kind == SettingKind::kSegmentMap ||
         spec.kind == SettingKind::kSegments || spec.kind == SettingKind::kCentroids;
}

bool is_off(const SegmentationTexts& texts) {
  const auto enabled = texts.find("enabled");
  return enabled != texts.end() && enabled->second == "false";
}

}  // namespace

std::map<std::string, SegmentationTexts> Settings::segmentation_texts() const {
  std::map<std::string, SegmentationTexts> texts;
  for (const std::string_view name : kDefaultNames) texts[std::string(name)];
  for (const auto& [key, entry] : entries_) {
    if (const auto parts = split_segmentation_key(key))
      texts[std::string(parts->name)][std::string(parts->key)] = entry.text;
  }
  return texts;
}

absl::Status Settings::refuse_segmentation(std::string_view name,
                                           const absl::Status& status) const {
  const std::string prefix = fmt::format("segmentation.{}.", name);
  const std::string message(status.message());
  // "map: ..." is about that key, if it is set; what the model says is about the map, mostly.
  std::string key = prefix + message.substr(0, message.find(':'));
  std::string reason = fmt::format("segmentation.{}: {}", name, message);
  for (const std::string& candidate : {key, prefix + "map", prefix + "axes", prefix + "segments"}) {
    const Entry* const found = find_entry(candidate);
    if (found != nullptr && !found->where.empty())
      return absl::InvalidArgumentError(fmt::format("{}: {}", found->where, reason));
  }
  const auto any = entries_.lower_bound(prefix);
  if (any != entries_.end() && any->first.starts_with(prefix) && !any->second.where.empty())
    reason = fmt::format("{}: {}", any->second.where, reason);
  return absl::InvalidArgumentError(reason);
}

absl::StatusOr<Segmentations> Settings::segmentations() const {
  const std::map<std::string, SegmentationTexts> all = segmentation_texts();
  std::vector<SegmentationSpec> specs;
  for (const auto& [name, texts] : all) {
    if (is_off(texts)) continue;
    absl::StatusOr<SegmentationSpec> spec = segmentation_spec(name, texts);
    if (!spec.ok()) return refuse_segmentation(name, spec.status());
    // By itself first, so that its place can be said.
    if (const auto made = Segmentation::create(*spec); !made.ok())
      return refuse_segmentation(name, made.status());
    specs.push_back(*std::move(spec));
  }
  if (specs.empty()) {
    return absl::InvalidArgumentError(
        "all segmentations are disabled: allowed is at least one, [segmentation.NAME]");
  }
  drop_idle_actions(specs, all);
  return Segmentations::create(std::move(specs));
}

void Settings::add_segmentations(std::vector<EffectiveSetting>& settings) const {
  for (const auto& [name, texts] : segmentation_texts()) {
    const std::string prefix = fmt::format("segmentation.{}.", name);
    const bool is_whole = texts.contains("");
    const bool is_default = is_default_segmentation(name);
    const auto given_preset = texts.find("preset");
    const std::string preset = given_preset == texts.end() ? name : given_preset->second;
    const absl::StatusOr<SegmentationSpec> spec = segmentation_spec(name, texts);
    for (const SettingSpec& key : segmentation_table()) {
      const Entry* const found = find_entry(prefix + std::string(key.key));
      std::optional<std::string> text;
      if (spec.ok()) text = segmentation_text(*spec, key.key);
      if (is_off(texts) ? key.key != "enabled" : found == nullptr && !text) continue;
      if (key.key == "preset" && (is_whole || find_preset(preset) == nullptr)) continue;
      std::optional<std::string> usual;
      if (is_default) usual = segmentation_text(*find_preset(name), key.key);
      EffectiveSetting row;
      row.key = prefix + std::string(key.key);
      row.spec = &key;
      if (found != nullptr) {
        row.text = found->text;
        row.origin = found->origin;
        row.where = found->where;
        if (key.key == "enabled") text = found->text;
        if (key.key == "preset") text = found->text;
      } else {
        row.origin = is_whole                       ? SettingOrigin::kModelLog
                     : is_default && preset == name ? SettingOrigin::kDefault
                                                    : SettingOrigin::kPreset;
        row.text = is_structured(key) && !is_whole ? fmt::format("preset {}", preset) : *text;
      }
      row.is_changed = text != usual;
      settings.push_back(std::move(row));
    }
  }
}

bool Settings::is_chosen(std::string_view key) const {
  const Entry* const found = find_entry(key);
  return found != nullptr && found->origin != SettingOrigin::kDefault;
}

absl::Status Settings::check_same_rules(const std::map<std::string, std::string>& logged,
                                        std::string_view advice, Compared compared) const {
  const std::map<std::string, SegmentationTexts> texts = segmentation_texts();
  // Whether what is said of a segmentation was chosen: its table's key, or a preset for all of
  // them.
  const auto is_chosen_of = [&](std::string_view name, const std::string& key) {
    const auto table = texts.find(std::string(name));
    if (table == texts.end() || table->second.empty()) return false;
    if (!is_default_segmentation(name) || table->second.contains("preset")) return true;
    const std::string prefix = fmt::format("segmentation.{}", name);
    if (key == prefix) return table->second.contains("enabled");
    const std::string path = key.substr(prefix.size() + 1);
    return table->second.contains(path.substr(0, path.find('.')));
  };
  std::string differences;
  for (const auto& [key, before, now] : rules_differences(logged, semantic())) {
    const auto parts = split_segmentation_key(key);
    const bool chosen = parts ? is_chosen_of(parts->name, key) : is_chosen(key);
    if (compared == Compared::kAll || chosen)
      differences += fmt::format("\n  {}: {} in the model log, {} here", key, before, now);
  }
  if (differences.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "settings that change state or transitions differ from those this application started with:" +
      fmt::format("{}\n{}", differences, advice));
}

}  // namespace rfm
