// config/default.toml, written from the table of settings.
#include <fmt/format.h>

#include <sstream>

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
    case SettingKind::kSegmentInfo:
      return std::string(text);
    default:
      return quote(text);
  }
}

}  // namespace

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
      section = std::string(spec.key.substr(0, dot));
      out += "\n";
      if (const std::string_view title = section_title(section); !title.empty())
        out += comment(title);
      out += fmt::format("[{}]\n", section);
    } else {
      out += "\n";
    }
    out += comment(spec.description);
    const bool semantic = spec.scope == SettingScope::kSemantic;
    out +=
        comment(fmt::format("Allowed: {}.{}", allowed_values(spec), semantic ? " Semantic." : ""));
    out += fmt::format("{} = {}\n", spec.key.substr(dot + 1), toml_value(spec, spec.default_text));
  }
  return out;
}

}  // namespace rfm
