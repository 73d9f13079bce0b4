// config/default.toml, written from the table of settings.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <set>
#include <sstream>

#include "config/segmentation_text.h"
#include "config/setting_value.h"
#include "config/settings.h"
#include "config/toml_reader.h"

namespace rfm {

namespace {

constexpr std::size_t kLineMax = 100;

// `text` as comment lines.
std::string comment(std::string_view text) {
  std::string out;
  std::string line = "#";
  std::istringstream words{std::string(text)};
  for (std::string word; words >> word;) {
    if (line.size() + 1 + word.size() > kLineMax) {
      out += fmt::format("{}\n", line);
      line = "#";
    }
    line += fmt::format(" {}", word);
  }
  return fmt::format("{}{}\n", out, line);
}

std::string toml_value(const SettingSpec& spec, std::string_view text) {
  switch (spec.kind) {
    case SettingKind::kInteger:
    case SettingKind::kReal:
    case SettingKind::kToggle:
    case SettingKind::kAxes:
    case SettingKind::kSegments:
    case SettingKind::kCentroids:
      return std::string(text);
    default:
      return quote(text);
  }
}

// The TOML of what a spec has for a key of its table; absent: it has no such key.
std::optional<std::string> segmentation_key_text(const SegmentationSpec& spec,
                                                 std::string_view key) {
  const SettingSpec& setting = *find_setting(fmt::format("segmentation.{}.{}", spec.name, key));
  const std::optional<std::string> text = segmentation_text(spec, key);
  if (!text) return std::nullopt;
  const std::vector<std::string> items = list_items(spec, key);
  if (items.empty()) return toml_value(setting, *text);
  return fmt::format("[\n  {},\n]", fmt::join(items, ",\n  "));
}

std::string allowed(const SettingSpec& spec) {
  const bool semantic = spec.scope == SettingScope::kSemantic;
  return comment(fmt::format("Allowed: {}.{}", allowed_values(spec), semantic ? " Semantic." : ""));
}

// The default segmentations; what a key means is said where it first is.
std::string documented_segmentations() {
  std::string out =
      "\n" + comment(
                 "Any number of tables [segmentation.NAME]: these three are there by default, "
                 "others besides them or changes of them are as docs/segmentations.md says. "
                 "`rfmstream segments show PRESET --toml` prints any preset like this.");
  std::set<std::string_view> described;
  for (const std::string_view name : {"rfm", "cluster", "churn"}) {
    out += fmt::format("{}[segmentation.{}]\n", name == "rfm" ? "" : "\n", name);
    for (const SettingSpec& spec : segmentation_table()) {
      const std::optional<std::string> text = segmentation_key_text(*find_preset(name), spec.key);
      if (!text) continue;
      if (described.insert(spec.key).second) {
        if (described.size() > 1) out += "\n";
        out += comment(spec.description) + allowed(spec);
      }
      out += fmt::format("{} = {}\n", spec.key, *text);
    }
  }
  return out;
}

}  // namespace

std::string documented_segmentation(const SegmentationSpec& segmentation) {
  std::string out = fmt::format("[segmentation.{}]\n", segmentation.name);
  for (const SettingSpec& spec : segmentation_table()) {
    if (spec.key == "preset" || spec.key == "enabled") continue;
    const std::optional<std::string> text = segmentation_key_text(segmentation, spec.key);
    if (text) out += fmt::format("{} = {}\n", spec.key, *text);
  }
  return out;
}

std::string documented_defaults() {
  std::string out = comment(
      "All settings of rfmstream with their defaults. A settings file (--config FILE) needs only "
      "what differs; "
      "environment variables override it (RFMSTREAM_KAFKA__BROKERS=..., section and key in "
      "capitals "
      "with __ for the dot, so that secrets are not in the list of processes), and --set "
      "section.key=value overrides all. \"Semantic\" settings decide state and transitions: "
      "they are stored "
      "with the application at its first start and cannot differ later.");
  std::string section;
  for (const SettingSpec& spec : setting_table()) {
    const std::size_t dot = spec.key.rfind('.');
    if (spec.key.substr(0, dot) != section) {
      if (section == "model") out += documented_segmentations();
      section = std::string(spec.key.substr(0, dot));
      out += "\n";
      if (const std::string_view title = section_title(section); !title.empty())
        out += comment(title);
      out += fmt::format("[{}]\n", section);
    } else {
      out += "\n";
    }
    out += comment(spec.description);
    out += allowed(spec);
    out += fmt::format("{} = {}\n", spec.key.substr(dot + 1), toml_value(spec, spec.default_text));
  }
  return out;
}

}  // namespace rfm
