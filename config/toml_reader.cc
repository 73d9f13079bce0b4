#include "config/toml_reader.h"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cstddef>
#include <optional>

#include "absl/status/status.h"
#include "config/setting_value.h"

namespace rfm {

namespace {

// Of a dotted key or a table's header. The library goes down by a call for each part, and a file
// may come from anybody who has the token.
constexpr int kKeyPartsMax = 16;

// Behind the string that begins at `at`.
std::size_t string_end(std::string_view toml, std::size_t at) {
  const char quote = toml[at];
  const std::string many(3, quote);
  const bool is_long = toml.substr(at).starts_with(many);
  const std::string_view fence = std::string_view(many).substr(0, is_long ? 3 : 1);
  at += fence.size();
  while (at < toml.size() && !toml.substr(at).starts_with(fence)) {
    if (!is_long && toml[at] == '\n') return at;  // It has no end, which the library says.
    at += quote == '"' && toml[at] == '\\' ? 2U : 1U;
  }
  at = std::min(at + fence.size(), toml.size());
  // Up to two of its own may stand before the end of a long one.
  for (int more = 0; is_long && more < 2 && at < toml.size() && toml[at] == quote; ++more) ++at;
  return at;
}

// The line of the first key with too many parts.
std::optional<int> line_of_long_key(std::string_view toml) {
  int line = 1;
  int parts = 1;
  for (std::size_t at = 0; at < toml.size();) {
    const char c = toml[at];
    std::size_t next = at + 1;
    if (c == '"' || c == '\'') {
      next = string_end(toml, at);
    } else if (c == '#') {
      next = std::min(toml.find('\n', at), toml.size());
    } else if (c == '.') {
      if (++parts > kKeyPartsMax) return line;
    } else if (std::string_view("=,{[\n").find(c) != std::string_view::npos) {
      parts = 1;
    }
    line += static_cast<int>(std::ranges::count(toml.substr(at, next - at), '\n'));
    at = next;
  }
  return std::nullopt;
}

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

TomlNode node_of(const toml::node& node) {
  TomlNode made;
  if (const auto* array = node.as_array()) {
    made.shape = TomlNode::Shape::kList;
    for (const toml::node& element : *array) made.items.push_back(node_of(element));
  } else if (const auto* table = node.as_table()) {
    made.shape = TomlNode::Shape::kTable;
    for (const auto& [key, value] : *table)
      made.fields.push_back({std::string(key.str()), node_of(value)});
  } else {
    made.type = type_of(node);
    made.text = plain_text(node);
  }
  return made;
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
      value.text = plain ? fmt::format("{}", fmt::join(parts, ", ")) : toml_text(node_of(node));
    } else {
      value.type = type_of(node);
      value.text = plain_text(node);
    }
    out.push_back(std::move(value));
  }
}

}  // namespace

absl::StatusOr<std::vector<TomlValue>> read_toml(std::string_view toml,
                                                 std::string_view source_name) {
  if (const std::optional<int> line = line_of_long_key(toml)) {
    return absl::InvalidArgumentError(
        fmt::format("{}:{}: a key of more than {} parts", source_name, *line, kKeyPartsMax));
  }
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

absl::StatusOr<TomlNode> read_toml_node(std::string_view text) {
  if (line_of_long_key(text)) return absl::InvalidArgumentError("not TOML: a key of many parts");
  const toml::parse_result parsed = toml::parse(fmt::format("value = {}", text));
  if (!parsed)
    return absl::InvalidArgumentError(fmt::format("not TOML: {}", parsed.error().description()));
  // More than one value would be lines of a file.
  if (parsed.table().size() != 1) return absl::InvalidArgumentError("not one TOML value");
  return node_of(*parsed.table().get("value"));
}

std::string toml_text(const TomlNode& node) {
  std::vector<std::string> parts;
  switch (node.shape) {
    case TomlNode::Shape::kList:
      for (const TomlNode& item : node.items) parts.push_back(toml_text(item));
      return fmt::format("[{}]", fmt::join(parts, ", "));
    case TomlNode::Shape::kTable:
      for (const auto& [key, value] : node.fields)
        parts.push_back(fmt::format("{} = {}", toml_key(key), toml_text(value)));
      return fmt::format("{{{}}}", fmt::join(parts, ", "));
    case TomlNode::Shape::kPlain:
      break;
  }
  return node.type == TomlType::kString ? quote(node.text) : node.text;
}

std::string toml_key(std::string_view key) {
  const bool is_bare = !key.empty() && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
  return is_bare ? std::string(key) : quote(key);
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
