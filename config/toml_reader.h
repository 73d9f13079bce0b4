// TOML to text, for config/settings.cc. The only file that knows the TOML library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace rfm {

enum class TomlType : std::uint8_t {
  kString,
  kInteger,
  kReal,
  kToggle,
  kList,        // Of plain values; text "a, b, c".
  kStructured,  // A list with lists or tables in it; text is TOML on one line.
  kEmptyTable,
  kOther,  // Dates and times.
};

struct TomlValue {
  std::string key;  // Dotted, from the root.
  std::string text;
  TomlType type = TomlType::kString;
  int line = 0;
};

// All values in the order of their lines. Errors are InvalidArgument with "source:line: ".
absl::StatusOr<std::vector<TomlValue>> read_toml(std::string_view toml,
                                                 std::string_view source_name);

struct TomlField;

// A value with its parts.
struct TomlNode {
  enum class Shape : std::uint8_t { kPlain, kList, kTable };

  Shape shape = Shape::kPlain;
  TomlType type = TomlType::kString;  // kPlain.
  std::string text;                   // kPlain: as in TomlValue.
  std::vector<TomlNode> items;        // kList.
  std::vector<TomlField> fields;      // kTable, in order of name.
};

struct TomlField {
  std::string key;
  TomlNode value;
};

absl::StatusOr<TomlNode> read_toml_node(std::string_view text);
// On one line; reads back to the same node.
std::string toml_text(const TomlNode& node);

// A key as it is, or quoted where it must be.
std::string toml_key(std::string_view key);

// A TOML basic string with its quotes.
std::string quote(std::string_view text);

}  // namespace rfm
