#include "config/setting_value.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "absl/status/status.h"
#include "model/day.h"
#include "stream/decode/mapping.h"
#include "stream/text/host_port.h"
#include "stream/text/time_text.h"

namespace rfm {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

struct Unit {
  std::string_view name;
  std::int64_t size;
};

constexpr std::array<Unit, 6> kDurationUnits = {{
    {"w", 7 * kDayMs},  // Read, never written.
    {"d", kDayMs},
    {"h", 3'600'000},
    {"m", 60'000},
    {"s", 1'000},
    {"ms", 1},
}};
constexpr std::array<Unit, 4> kByteUnits = {
    {{"GiB", 1LL << 30}, {"MiB", 1LL << 20}, {"KiB", 1LL << 10}, {"B", 1}}};

std::optional<std::int64_t> parse_with_unit(std::string_view text, std::span<const Unit> units) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::optional<std::int64_t> count = parse_integer(text.substr(0, digits));
  if (!count) return std::nullopt;
  const std::string_view unit_name = trimmed(text.substr(digits));
  for (const Unit& unit : units) {
    if (unit.name != unit_name) continue;
    if (*count > std::numeric_limits<std::int64_t>::max() / unit.size) return std::nullopt;
    return *count * unit.size;
  }
  return std::nullopt;
}

std::string format_with_unit(std::int64_t value, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (value % unit.size == 0 && value / unit.size > 0)
      return fmt::format("{}{}", value / unit.size, unit.name);
  }
  return fmt::format("{}{}", value, units.back().name);
}

absl::Status not_allowed(const SettingSpec& spec) {
  return absl::InvalidArgumentError(fmt::format("allowed: {}", allowed_values(spec)));
}

// `parse` and `format` of one number, with the spec's limits.
template <typename Parse, typename Format>
absl::StatusOr<std::string> canonical_number(const SettingSpec& spec, std::string_view text,
                                             Parse parse, Format format) {
  const auto value = parse(text);
  if (!value) return not_allowed(spec);
  if (!spec.min.empty() && *value < *parse(spec.min)) return not_allowed(spec);
  if (!spec.max.empty() && *value > *parse(spec.max)) return not_allowed(spec);
  return format(*value);
}

bool is_name(std::string_view text) {
  constexpr std::size_t kNameMax =
      200;  // Of the 249 a topic's name may have; leaves room for "<app>-changelog".
  return !text.empty() && text.size() <= kNameMax && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z') || c == '.' || c == '_' ||
                  c == '-';
         });
}

std::string limits(const SettingSpec& spec) {
  if (!spec.min.empty() && !spec.max.empty())
    return fmt::format(" from {} to {}", spec.min, spec.max);
  if (!spec.min.empty()) return fmt::format(" of at least {}", spec.min);
  return "";
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const std::optional<std::int64_t> ms = parse_with_unit(text, kDurationUnits);
  if (!ms) return std::nullopt;
  return std::chrono::milliseconds{*ms};
}

std::string format_duration(std::chrono::milliseconds duration) {
  if (duration.count() == 0) return "0s";
  return format_with_unit(duration.count(), std::span(kDurationUnits).subspan(1));
}

std::optional<std::int64_t> parse_bytes(std::string_view text) {
  return parse_with_unit(text, kByteUnits);
}
std::string format_bytes(std::int64_t bytes) { return format_with_unit(bytes, kByteUnits); }

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_real(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(value)) return std::nullopt;
  return value == 0 ? 0.0 : value;  // No negative zero.
}

std::string format_real(double value) {
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), end};
}

std::optional<std::chrono::minutes> parse_utc_offset(std::string_view text) {
  if (text == "Z") return std::chrono::minutes{0};
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  for (const std::size_t digit : {1U, 2U, 4U, 5U}) {
    if (!is_digit(text[digit])) return std::nullopt;
  }
  const int minutes =
      (text[1] - '0') * 600 + (text[2] - '0') * 60 + (text[4] - '0') * 10 + (text[5] - '0');
  if (text[4] > '5' || minutes > 18 * 60) return std::nullopt;
  return std::chrono::minutes{text[0] == '-' ? -minutes : minutes};
}

std::string format_utc_offset(std::chrono::minutes offset) {
  const auto minutes = std::abs(static_cast<int>(offset.count()));
  return fmt::format("{}{:02}:{:02}", offset.count() < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

std::vector<std::string> split_choices(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, '|');
  return {parts.begin(), parts.end()};
}

std::optional<std::vector<std::string>> parse_names(std::string_view text) {
  std::vector<std::string> names;
  if (trimmed(text).empty()) return names;
  for (const std::string_view part : split(text, ',')) {
    const std::string_view name = trimmed(part);
    if (!is_name(name) || std::ranges::find(names, name) != names.end()) return std::nullopt;
    names.emplace_back(name);
  }
  return names;
}

std::optional<std::array<double, 3>> parse_scale(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, ',');
  std::array<double, 3> scale{};
  if (parts.size() != scale.size()) return std::nullopt;
  for (std::size_t i = 0; i < scale.size(); ++i) {
    const std::optional<double> value = parse_real(trimmed(parts[i]));
    if (!value || *value <= 0) return std::nullopt;
    scale[i] = *value;
  }
  return scale;
}

std::string format_scale(const std::array<double, 3>& scale) {
  return fmt::format("{}, {}, {}", format_real(scale[0]), format_real(scale[1]),
                     format_real(scale[2]));
}

std::optional<Instant> parse_instant(std::string_view text) {
  if (text == "now") return Instant{};
  // A date alone is its midnight.
  TimeReader reader(std::chrono::minutes{0}, DateOrder::kYear);
  const std::optional<EventTime> at = reader.read(text);
  if (!at) return std::nullopt;
  return Instant{to_ms(*at)};
}

std::string format_instant(const Instant& instant) {
  return instant ? to_rfc3339(from_ms(*instant)) : "now";
}

std::string allowed_values(const SettingSpec& spec) {
  switch (spec.kind) {
    case SettingKind::kText:
      return "text that is not empty";
    case SettingKind::kName:
      return "letters, digits, '.', '_' and '-', at most 200";
    case SettingKind::kChoice:
      return fmt::format("{}", fmt::join(split_choices(spec.choices), ", "));
    case SettingKind::kInteger:
      return fmt::format("a whole number{}", limits(spec));
    case SettingKind::kReal:
      return fmt::format("a number{}", limits(spec));
    case SettingKind::kDuration:
      return fmt::format("a whole number with a unit (ms, s, m, h, d, w) such as \"{}\",{}",
                         spec.default_text, limits(spec));
    case SettingKind::kWindow:
      return fmt::format("\"lifetime\", or a duration such as \"365d\",{}", limits(spec));
    case SettingKind::kBytes:
      return fmt::format("a whole number with a unit (B, KiB, MiB, GiB) such as \"{}\",{}",
                         spec.default_text, limits(spec));
    case SettingKind::kListen:
      return "HOST:PORT such as \"127.0.0.1:7367\" or \"[::1]:7367\" (port 0: the system chooses), "
             "or empty";
    case SettingKind::kCurrency:
      return "three capital letters such as \"GBP\"";
    case SettingKind::kUtcOffset:
      return "an offset such as \"+01:00\", at most 18 hours";
    case SettingKind::kPointer:
      return "a JSON pointer such as \"/order/id\", several of which the first that holds "
             "something counts (\"/after/id, /before/id\"), a constant (\"=GBP\") as the only or "
             "the last of them, or empty";
    case SettingKind::kColumn:
      return spec.key == "admin.token_file" ? "the path of a file, or empty"
                                            : "the name of a column, or empty";
    case SettingKind::kTypeRules:
      return "rules such as \"ignore if /test, credit if /kind = refund, invoice\", or empty";
    case SettingKind::kIds:
      return spec.key == "admin.hosts"
                 ? "host names such as \"rfmstream, shop.example.com\", or empty"
                 : "ids such as \"0, guest\", or empty";
    case SettingKind::kToggle:
      return "true, false";
    case SettingKind::kNames:
      return "names such as \"rfm, churn\"";
    case SettingKind::kPreset:
      return "a preset's name; `rfmstream segments list` lists them";
    case SettingKind::kAxes:
      return "a list of {name, quantity, method, bins, cuts, bounds, margin}";
    case SettingKind::kSegmentMap:
      return "a preset's name, rows of names, or a list of {segment, ...}";
    case SettingKind::kSegments:
      return "a list of {name, rank, description, lost, actions}";
    case SettingKind::kCentroids:
      return "a list of {segment, r, f, m}";
    case SettingKind::kScale:
      return "three numbers above 0 such as \"1.3, 0.7, 1.2\"";
    case SettingKind::kInstant:
      return "\"now\", or a time such as \"2011-12-10T00:00:00Z\"";
    case SettingKind::kSegmentation:
      return "a table of a segmentation's keys";
  }
  return "";
}

absl::StatusOr<std::string> canonical_text(const SettingSpec& spec, std::string_view text) {
  switch (spec.kind) {
    case SettingKind::kText:
      if (text.empty() || std::any_of(text.begin(), text.end(), is_control))
        return not_allowed(spec);
      return std::string(text);
    case SettingKind::kName:
      if (!is_name(text)) return not_allowed(spec);
      return std::string(text);
    case SettingKind::kPointer:
      if (!parse_field_source(text).ok()) return not_allowed(spec);
      return std::string(text);
    case SettingKind::kTypeRules:
      if (!parse_type_rules(text).ok()) return not_allowed(spec);
      return std::string(text);
    case SettingKind::kIds:
      if (!parse_ids(text).ok()) return not_allowed(spec);
      return std::string(text);
    case SettingKind::kColumn:
      if (std::any_of(text.begin(), text.end(), is_control)) return not_allowed(spec);
      return std::string(text);
    case SettingKind::kChoice: {
      const std::vector<std::string> choices = split_choices(spec.choices);
      if (std::find(choices.begin(), choices.end(), text) == choices.end())
        return not_allowed(spec);
      return std::string(text);
    }
    case SettingKind::kListen:
      if (!text.empty() && !parse_host_port(text)) return not_allowed(spec);
      return std::string(text);
    case SettingKind::kCurrency:
      if (text.size() != 3 || !std::all_of(text.begin(), text.end(), is_upper))
        return not_allowed(spec);
      return std::string(text);
    case SettingKind::kUtcOffset:
      return canonical_number(spec, text, parse_utc_offset, format_utc_offset);
    case SettingKind::kInteger:
      return canonical_number(spec, text, parse_integer,
                              [](std::int64_t value) { return fmt::format("{}", value); });
    case SettingKind::kReal:
      return canonical_number(spec, text, parse_real, format_real);
    case SettingKind::kWindow:
      if (text == "lifetime") return std::string(text);
      return canonical_number(spec, text, parse_duration, format_duration);
    case SettingKind::kDuration:
      return canonical_number(spec, text, parse_duration, format_duration);
    case SettingKind::kBytes:
      return canonical_number(spec, text, parse_bytes, format_bytes);
    case SettingKind::kToggle:
      if (text != "true" && text != "false") return not_allowed(spec);
      return std::string(text);
    case SettingKind::kNames: {
      const std::optional<std::vector<std::string>> names = parse_names(text);
      if (!names) return not_allowed(spec);
      return fmt::format("{}", fmt::join(*names, ", "));
    }
    case SettingKind::kScale: {
      const std::optional<std::array<double, 3>> scale = parse_scale(text);
      return scale ? absl::StatusOr<std::string>(format_scale(*scale)) : not_allowed(spec);
    }
    case SettingKind::kInstant: {
      const auto instant = parse_instant(text);
      return instant ? absl::StatusOr<std::string>(format_instant(*instant)) : not_allowed(spec);
    }
    case SettingKind::kPreset:
    case SettingKind::kAxes:
    case SettingKind::kSegmentMap:
    case SettingKind::kSegments:
    case SettingKind::kCentroids:
    case SettingKind::kSegmentation:
      break;  // config/segmentation_settings.h
  }
  return absl::InternalError("a structured setting has no simple text");
}

}  // namespace rfm
