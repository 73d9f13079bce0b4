#include "config/segment_settings.h"

#include <vector>

#include "config/toml_reader.h"

namespace rfm {

absl::StatusOr<std::string> canonical_segment_map(std::string_view text) {
  if (!preset_rules(text).empty()) return std::string(text);
  absl::StatusOr<std::vector<SegmentRule>> rules = read_segment_rules(text);
  if (!rules.ok()) return rules.status();
  return format_segment_rules(*rules);
}

absl::StatusOr<std::string> canonical_segment_infos(std::string_view text) {
  if (text.empty()) return "[]";
  absl::StatusOr<std::vector<SegmentInfo>> infos = read_segment_infos(text);
  if (!infos.ok()) return infos.status();
  return format_segment_infos(*infos);
}

absl::StatusOr<SegmentMap> segment_map(std::string_view map_text, std::string_view infos_text) {
  std::vector<SegmentRule> rules = preset_rules(map_text);
  if (rules.empty()) {
    absl::StatusOr<std::vector<SegmentRule>> read = read_segment_rules(map_text);
    if (!read.ok()) return read.status();
    rules = *std::move(read);
  }
  absl::StatusOr<std::vector<SegmentInfo>> infos = read_segment_infos(infos_text);
  if (!infos.ok()) return infos.status();
  return SegmentMap::create(rules, *infos);
}

}  // namespace rfm
