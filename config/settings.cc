#include "config/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "config/nearest_setting.h"
#include "config/segmentation_text.h"
#include "config/setting_value.h"
#include "config/toml_reader.h"
#include "state/assertion.h"

namespace rfm {

namespace {

bool is_passthrough(std::string_view key) {
  return std::any_of(passthrough_prefixes().begin(), passthrough_prefixes().end(),
                     [&](std::string_view prefix) {
                       return key.size() > prefix.size() && key.substr(0, prefix.size()) == prefix;
                     });
}

bool is_section(std::string_view key) {
  const std::string prefix = fmt::format("{}.", key);
  const auto starts = [&](std::string_view name) {
    return name.substr(0, prefix.size()) == prefix;
  };
  return key == "segmentation" ||
         std::any_of(setting_table().begin(), setting_table().end(),
                     [&](const SettingSpec& spec) { return starts(spec.key); }) ||
         std::any_of(passthrough_prefixes().begin(), passthrough_prefixes().end(), starts);
}

// "rfmstream.toml:12: message"
absl::Status at(std::string_view where, std::string_view message) {
  return absl::InvalidArgumentError(where.empty() ? std::string(message)
                                                  : fmt::format("{}: {}", where, message));
}

absl::Status unknown_setting(std::string_view where, std::string_view key) {
  if (const auto parts = split_segmentation_key(key)) {
    if (const std::string_view former = former_segmentation_key(parts->key); !former.empty())
      return at(where, fmt::format("{} is no setting any more: {}", key, former));
  }
  const std::string nearest = nearest_setting(key);
  return at(where,
            fmt::format("unknown setting {}{} (\"rfmstream config show\" lists all settings)", key,
                        nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest)));
}

absl::Status refused(std::string_view where, std::string_view key, std::string_view text,
                     std::string_view reason) {
  constexpr std::size_t kShownMax = 120;
  const std::string shown =
      text.size() > kShownMax ? fmt::format("{}...", text.substr(0, kShownMax)) : std::string(text);
  return at(where,
            fmt::format("{} = {} is refused; {}", key, shown.empty() ? "\"\"" : shown, reason));
}

// `text` of an empty list is empty.
bool type_fits(SettingKind kind, TomlType type, std::string_view text) {
  switch (kind) {
    case SettingKind::kInteger:
      return type == TomlType::kInteger;
    case SettingKind::kReal:
      return type == TomlType::kInteger || type == TomlType::kReal;
    case SettingKind::kToggle:
      return type == TomlType::kToggle;
    case SettingKind::kSegmentMap:
      return type == TomlType::kString || type == TomlType::kStructured;
    case SettingKind::kPointer:
    case SettingKind::kTypeRules:
    case SettingKind::kIds:
    case SettingKind::kNames:
    case SettingKind::kScale:
      return type == TomlType::kString || type == TomlType::kList;
    case SettingKind::kAxes:
    case SettingKind::kSegments:
    case SettingKind::kCentroids:
      return type == TomlType::kStructured || (type == TomlType::kList && text.empty());
    default:
      return type == TomlType::kString;
  }
}

std::string_view type_name(TomlType type) {
  switch (type) {
    case TomlType::kString:
      return "text";
    case TomlType::kInteger:
      return "a whole number";
    case TomlType::kReal:
      return "a number";
    case TomlType::kToggle:
      return "true or false";
    case TomlType::kList:
    case TomlType::kStructured:
      return "a list";
    case TomlType::kEmptyTable:
      return "a section";
    case TomlType::kOther:
      break;
  }
  return "a date or time";
}

absl::StatusOr<std::string> canonical_setting(const SettingSpec& spec, std::string_view text) {
  switch (spec.kind) {
    case SettingKind::kPreset:
    case SettingKind::kAxes:
    case SettingKind::kSegmentMap:
    case SettingKind::kSegments:
    case SettingKind::kCentroids:
    case SettingKind::kSegmentation:
      return canonical_segmentation_text(spec.kind, text);
    default:
      return canonical_text(spec, text);
  }
}

}  // namespace

std::string_view name(SettingOrigin origin) {
  switch (origin) {
    case SettingOrigin::kDefault:
      return "default";
    case SettingOrigin::kPreset:
      return "preset";
    case SettingOrigin::kFile:
      return "file";
    case SettingOrigin::kEnvironment:
      return "environment";
    case SettingOrigin::kOverride:
      return "--set";
    case SettingOrigin::kModelLog:
      return "model log";
  }
  return "";
}

std::string shown_text(const EffectiveSetting& setting) {
  const bool is_secret = std::ranges::any_of(
      std::array{"password", "secret", ".pem"},
      [&](const char* part) { return setting.key.find(part) != std::string::npos; });
  return is_secret && !setting.text.empty() ? "(not shown)" : setting.text;
}

Settings::Settings() {
  for (const SettingSpec& spec : setting_table()) {
    entries_[std::string(spec.key)] = {std::string(spec.default_text), SettingOrigin::kDefault, ""};
  }
}

absl::Status Settings::merge_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path)) {
    return absl::InvalidArgumentError(
        fmt::format("{}: cannot be opened; --config names the settings file", path));
  }
  const std::string toml{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) return absl::InvalidArgumentError(fmt::format("{}: cannot be read", path));
  return merge_toml(toml, path);
}

absl::Status Settings::merge_toml(std::string_view toml, std::string_view source_name) {
  absl::StatusOr<std::vector<TomlValue>> values = read_toml(toml, source_name);
  if (!values.ok()) return values.status();
  for (const TomlValue& value : *values) {
    const std::string where = fmt::format("{}:{}", source_name, value.line);
    if (value.type == TomlType::kEmptyTable && is_section(value.key)) continue;
    const auto parts = split_segmentation_key(value.key);
    if (parts && parts->key.empty() && value.type == TomlType::kEmptyTable) {
      // A table that says no more than that the segmentation is there.
      absl::Status status =
          assign(fmt::format("{}.enabled", value.key), "true", SettingOrigin::kFile, where);
      if (!status.ok()) return status;
      continue;
    }
    const SettingSpec* const spec = find_setting(value.key);
    const bool passthrough = is_passthrough(value.key);
    if ((spec == nullptr && !passthrough) || (parts && parts->key.empty()))
      return unknown_setting(where, value.key);
    const bool fits = passthrough ? value.type <= TomlType::kToggle
                                  : type_fits(spec->kind, value.type, value.text);
    if (!fits) {
      return refused(
          where, value.key, value.text,
          fmt::format("it is {}; allowed: {}", type_name(value.type),
                      passthrough ? "text, a number, true or false" : allowed_values(*spec)));
    }
    absl::Status status = assign(value.key, value.text, SettingOrigin::kFile, where);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Settings::merge_environment(const std::vector<std::string>& variables) {
  constexpr std::string_view kPrefix = "RFMSTREAM_";
  for (const std::string& variable : variables) {
    const std::size_t equals = variable.find('=');
    if (!variable.starts_with(kPrefix) || equals == std::string::npos) continue;
    const std::string name = variable.substr(0, equals);
    std::string key;
    for (std::size_t i = kPrefix.size(); i < name.size(); ++i) {
      const char c = name[i];
      if (name.compare(i, 2, "__") == 0) {
        key += '.';
        ++i;
      } else {
        key += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      }
    }
    absl::Status status =
        assign(key, variable.substr(equals + 1), SettingOrigin::kEnvironment, name);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Settings::set(std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return absl::InvalidArgumentError(fmt::format(
        "--set {}: allowed: section.key=value, such as --set rfm.monetary=gross", assignment));
  }
  std::string_view text = assignment.substr(equals + 1);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    text = text.substr(1, text.size() - 2);
  return assign(assignment.substr(0, equals), text, SettingOrigin::kOverride, "--set");
}

absl::Status Settings::assign_unset(std::string_view key, std::string_view text,
                                    SettingOrigin origin, std::string_view where) {
  return is_default(key) ? assign(key, text, origin, where) : absl::OkStatus();
}

absl::Status Settings::assign(std::string_view key, std::string_view text, SettingOrigin origin,
                              std::string_view where) {
  if (is_passthrough(key)) {
    entries_[std::string(key)] = {std::string(text), origin, std::string(where)};
    return absl::OkStatus();
  }
  const SettingSpec* const spec = find_setting(key);
  if (spec == nullptr ||
      (spec->kind == SettingKind::kSegmentation && origin != SettingOrigin::kModelLog)) {
    return unknown_setting(where, key);
  }
  absl::StatusOr<std::string> canonical = canonical_setting(*spec, text);
  if (!canonical.ok()) return refused(where, key, text, std::string(canonical.status().message()));
  entries_[std::string(key)] = {*std::move(canonical), origin, std::string(where)};
  return absl::OkStatus();
}

absl::Status Settings::refuse(std::string_view key, std::string_view reason) const {
  return refused(entry(key).where, key, entry(key).text, reason);
}

const Settings::Entry& Settings::entry(std::string_view key) const {
  const auto found = entries_.find(key);
  RFM_ASSERT(found != entries_.end());
  return found->second;
}

const Settings::Entry* Settings::find_entry(std::string_view key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

bool Settings::is_logged(std::string_view key) const {
  return entry(key).origin == SettingOrigin::kModelLog;
}

bool Settings::is_default(std::string_view key) const {
  return entry(key).origin == SettingOrigin::kDefault;
}

const std::string& Settings::text(std::string_view key) const { return entry(key).text; }

std::int64_t Settings::integer(std::string_view key) const {
  RFM_ASSERT(find_setting(key) != nullptr && find_setting(key)->kind == SettingKind::kInteger);
  return *parse_integer(text(key));
}

double Settings::real(std::string_view key) const {
  RFM_ASSERT(find_setting(key) != nullptr && find_setting(key)->kind == SettingKind::kReal);
  return *parse_real(text(key));
}

std::chrono::milliseconds Settings::duration(std::string_view key) const {
  RFM_ASSERT(find_setting(key) != nullptr && find_setting(key)->kind == SettingKind::kDuration);
  return *parse_duration(text(key));
}

std::optional<std::chrono::milliseconds> Settings::window(std::string_view key) const {
  RFM_ASSERT(find_setting(key) != nullptr && find_setting(key)->kind == SettingKind::kWindow);
  return parse_duration(text(key));
}

std::chrono::minutes Settings::utc_offset(std::string_view key) const {
  RFM_ASSERT(find_setting(key) != nullptr && find_setting(key)->kind == SettingKind::kUtcOffset);
  return *parse_utc_offset(text(key));
}

std::int64_t Settings::bytes(std::string_view key) const {
  RFM_ASSERT(find_setting(key) != nullptr && find_setting(key)->kind == SettingKind::kBytes);
  return *parse_bytes(text(key));
}

std::map<std::string, std::string> Settings::passthrough(std::string_view prefix) const {
  std::map<std::string, std::string> properties;
  for (auto it = entries_.lower_bound(prefix); it != entries_.end(); ++it) {
    if (it->first.compare(0, prefix.size(), prefix) != 0) break;
    properties[it->first.substr(prefix.size())] = it->second.text;
  }
  return properties;
}

std::vector<EffectiveSetting> Settings::effective() const {
  std::vector<EffectiveSetting> settings;
  for (const SettingSpec& spec : setting_table()) {
    const Entry& found = entry(spec.key);
    settings.push_back({std::string(spec.key), found.text, found.origin, found.where, &spec,
                        found.text != spec.default_text});
  }
  add_segmentations(settings);
  for (const auto& [key, found] : entries_) {
    if (is_passthrough(key))
      settings.push_back({key, found.text, found.origin, found.where, nullptr, true});
  }
  return settings;
}

std::map<std::string, std::string> Settings::semantic() const {
  std::map<std::string, std::string> semantic;
  for (const SettingSpec& spec : setting_table()) {
    if (spec.scope == SettingScope::kSemantic) semantic[std::string(spec.key)] = text(spec.key);
  }
  const absl::StatusOr<Segmentations> made = segmentations();
  RFM_ASSERT(made.ok());
  for (const Segmentation& segmentation : made->all()) {
    semantic[fmt::format("segmentation.{}", segmentation.name())] =
        format_segmentation(segmentation.spec());
  }
  return semantic;
}

}  // namespace rfm
