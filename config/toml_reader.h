// TOML to text, for config/settings.cc. The only file that knows the TOML library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "model/segment_catalog.h"
#include "model/segment_map.h"

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

// A map as five rows of five names, or as a list of {segment, r, f, m, fm} with "4", 4 or "4-5".
absl::StatusOr<std::vector<SegmentRule>> read_segment_rules(std::string_view text);
std::string format_segment_rules(const std::vector<SegmentRule>& rules);

// A list of {name, rank, description, action}.
absl::StatusOr<std::vector<SegmentInfo>> read_segment_infos(std::string_view text);
std::string format_segment_infos(const std::vector<SegmentInfo>& infos);

// A TOML basic string with its quotes.
std::string quote(std::string_view text);

}  // namespace rfm
