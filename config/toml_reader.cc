#include "config/toml_reader.h"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>

#include "absl/status/status.h"
#include "config/setting_value.h"

namespace rfm {

namespace {

bool is_plain(const toml::node& node) { return !node.is_table() && !node.is_array(); }

TomlType type_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string:
      return TomlType::kString;
    case toml::node_type::integer:
      return TomlType::kInteger;
    case toml::node_type::floating_point:
      return TomlType::kReal;
    case toml::node_type::boolean:
      return TomlType::kToggle;
    default:
      return TomlType::kOther;
  }
}

std::string plain_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* integer = node.as_integer()) return fmt::format("{}", integer->get());
  if (const auto* real = node.as_floating_point()) return format_real(real->get());
  if (const auto* toggle = node.as_boolean()) return toggle->get() ? "true" : "false";
  return "";
}

// `node` as TOML on one line.
std::string inline_text(const toml::node& node) {
  if (const auto* array = node.as_array()) {
    std::vector<std::string> parts;
    for (const toml::node& element : *array) parts.push_back(inline_text(element));
    return fmt::format("[{}]", fmt::join(parts, ", "));
  }
  if (const auto* table = node.as_table()) {
    std::vector<std::string> parts;
    for (const auto& [key, value] : *table)
      parts.push_back(fmt::format("{} = {}", quote(key.str()), inline_text(value)));
    return fmt::format("{{{}}}", fmt::join(parts, ", "));
  }
  return node.is_string() ? quote(plain_text(node)) : plain_text(node);
}

void flatten(const toml::table& table, const std::string& prefix, std::vector<TomlValue>& out) {
  for (const auto& [key, node] : table) {
    TomlValue value;
    value.key = prefix.empty() ? std::string(key.str()) : fmt::format("{}.{}", prefix, key.str());
    value.line = static_cast<int>(node.source().begin.line);
    if (const auto* child = node.as_table()) {
      if (!child->empty()) {
        flatten(*child, value.key, out);
        continue;
      }
      value.type = TomlType::kEmptyTable;
    } else if (const auto* array = node.as_array()) {
      const bool plain = std::all_of(array->begin(), array->end(), is_plain);
      value.type = plain ? TomlType::kList : TomlType::kStructured;
      std::vector<std::string> parts;
      for (const toml::node& element : *array) parts.push_back(plain_text(element));
      value.text = plain ? fmt::format("{}", fmt::join(parts, ", ")) : inline_text(node);
    } else {
      value.type = type_of(node);
      value.text = plain_text(node);
    }
    out.push_back(std::move(value));
  }
}

absl::StatusOr<toml::table> parse_value(std::string_view text) {
  toml::parse_result parsed = toml::parse(fmt::format("value = {}", text));
  if (!parsed)
    return absl::InvalidArgumentError(fmt::format("not TOML: {}", parsed.error().description()));
  return std::move(parsed).table();
}

absl::StatusOr<ScoreRange> read_range(const toml::node& node) {
  const std::string text = plain_text(node);
  const std::size_t dash = text.find('-');
  const auto low = parse_integer(std::string_view(text).substr(0, dash));
  const auto high =
      dash == std::string::npos ? low : parse_integer(std::string_view(text).substr(dash + 1));
  if (!low || !high || *low < 1 || *high < *low || *high > kScoreMax) {
    return absl::InvalidArgumentError(
        fmt::format("range \"{}\"; allowed: a score 1-5, or two as in \"4-5\"", text));
  }
  return ScoreRange{static_cast<std::uint8_t>(*low), static_cast<std::uint8_t>(*high)};
}

absl::StatusOr<SegmentRule> read_rule(const toml::table& table) {
  SegmentRule rule;
  for (const auto& [key, node] : table) {
    const std::string_view name = key.str();
    if (name == "segment" && node.is_string()) {
      rule.segment = plain_text(node);
      continue;
    }
    ScoreRange* const range = name == "r"    ? &rule.r
                              : name == "f"  ? &rule.f
                              : name == "m"  ? &rule.m
                              : name == "fm" ? &rule.fm
                                             : nullptr;
    if (range == nullptr) {
      return absl::InvalidArgumentError(
          fmt::format("a cell has the key \"{}\"; allowed: segment (text), r, f, m, fm", name));
    }
    absl::StatusOr<ScoreRange> read = read_range(node);
    if (!read.ok()) return read.status();
    *range = *read;
  }
  if (rule.segment.empty()) return absl::InvalidArgumentError("a cell has no segment");
  return rule;
}

absl::StatusOr<std::vector<SegmentRule>> read_rows(const toml::array& array) {
  constexpr const char* kShape = "rows of the map: allowed are five rows of five names";
  std::array<std::array<std::string, kScoreMax>, kScoreMax> rows;
  if (array.size() != rows.size()) return absl::InvalidArgumentError(kShape);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const toml::array* const names = array[row].as_array();
    if (names == nullptr || names->size() != rows[row].size())
      return absl::InvalidArgumentError(kShape);
    for (std::size_t column = 0; column < rows[row].size(); ++column) {
      if (!(*names)[column].is_string()) return absl::InvalidArgumentError(kShape);
      rows[row][column] = plain_text((*names)[column]);
    }
  }
  return rules_from_rows(rows);
}

std::string format_range(ScoreRange range) {
  if (range.low == range.high) return fmt::format("\"{}\"", int{range.low});
  return fmt::format("\"{}-{}\"", int{range.low}, int{range.high});
}

}  // namespace

absl::StatusOr<std::vector<TomlValue>> read_toml(std::string_view toml,
                                                 std::string_view source_name) {
  toml::parse_result parsed = toml::parse(toml);
  if (!parsed) {
    return absl::InvalidArgumentError(fmt::format("{}:{}: {}", source_name,
                                                  parsed.error().source().begin.line,
                                                  parsed.error().description()));
  }
  std::vector<TomlValue> values;
  flatten(parsed.table(), "", values);
  std::stable_sort(values.begin(), values.end(),
                   [](const TomlValue& a, const TomlValue& b) { return a.line < b.line; });
  return values;
}

absl::StatusOr<std::vector<SegmentRule>> read_segment_rules(std::string_view text) {
  absl::StatusOr<toml::table> parsed = parse_value(text);
  if (!parsed.ok()) return parsed.status();
  const toml::array* const array = (*parsed)["value"].as_array();
  if (array == nullptr || array->empty()) {
    return absl::InvalidArgumentError(
        "allowed: a preset, five rows of five names, or a list of cells");
  }
  if (array->front().is_array()) return read_rows(*array);
  std::vector<SegmentRule> rules;
  for (const toml::node& node : *array) {
    if (!node.is_table()) return absl::InvalidArgumentError("a cell of the map is not a table");
    absl::StatusOr<SegmentRule> rule = read_rule(*node.as_table());
    if (!rule.ok()) return rule.status();
    rules.push_back(*std::move(rule));
  }
  return rules;
}

std::string format_segment_rules(const std::vector<SegmentRule>& rules) {
  std::vector<std::string> parts;
  for (const SegmentRule& rule : rules) {
    std::string part = fmt::format("{{segment = {}", quote(rule.segment));
    for (const auto& [axis, range] : {std::pair<std::string_view, ScoreRange>{"r", rule.r},
                                      {"f", rule.f},
                                      {"m", rule.m},
                                      {"fm", rule.fm}}) {
      if (range != ScoreRange{}) part += fmt::format(", {} = {}", axis, format_range(range));
    }
    parts.push_back(part + "}");
  }
  return fmt::format("[{}]", fmt::join(parts, ", "));
}

absl::StatusOr<std::vector<SegmentInfo>> read_segment_infos(std::string_view text) {
  absl::StatusOr<toml::table> parsed = parse_value(text);
  if (!parsed.ok()) return parsed.status();
  const toml::array* const array = (*parsed)["value"].as_array();
  if (array == nullptr)
    return absl::InvalidArgumentError("allowed: a list of {name, rank, description, action}");
  std::vector<SegmentInfo> infos;
  for (const toml::node& node : *array) {
    const toml::table* const table = node.as_table();
    if (table == nullptr)
      return absl::InvalidArgumentError(
          "a segment is not a table {name, rank, description, action}");
    SegmentInfo info;
    bool has_rank = false;
    for (const auto& [key, value] : *table) {
      const std::string_view name = key.str();
      if (name == "name" && value.is_string()) {
        info.name = plain_text(value);
      } else if (name == "description" && value.is_string()) {
        info.description = plain_text(value);
      } else if (name == "action" && value.is_string()) {
        info.action = plain_text(value);
      } else if (name == "rank" && value.is_integer() && value.as_integer()->get() >= 0 &&
                 value.as_integer()->get() <= 1'000'000) {
        info.rank = static_cast<int>(value.as_integer()->get());
        has_rank = true;
      } else {
        return absl::InvalidArgumentError(
            fmt::format("key \"{}\" of a segment; allowed: name, description, action (texts), rank "
                        "(0 to 1000000)",
                        name));
      }
    }
    if (info.name.empty() || !has_rank)
      return absl::InvalidArgumentError("a segment needs a name and a rank");
    infos.push_back(std::move(info));
  }
  return infos;
}

std::string format_segment_infos(const std::vector<SegmentInfo>& infos) {
  std::vector<std::string> parts;
  for (const SegmentInfo& info : infos) {
    parts.push_back(fmt::format("{{name = {}, rank = {}, description = {}, action = {}}}",
                                quote(info.name), info.rank, quote(info.description),
                                quote(info.action)));
  }
  return fmt::format("[{}]", fmt::join(parts, ", "));
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace rfm
