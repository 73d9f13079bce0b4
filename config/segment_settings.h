// The texts of the settings segmentation.rfm.map and segmentation.rfm.segments, and the map that
// they make.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "model/segment_map.h"

namespace rfm {

// A preset's name as it is; anything else as a list of cells on one line.
absl::StatusOr<std::string> canonical_segment_map(std::string_view text);
absl::StatusOr<std::string> canonical_segment_infos(std::string_view text);

// Errors name the cell or the segment.
absl::StatusOr<SegmentMap> segment_map(std::string_view map_text, std::string_view infos_text);

}  // namespace rfm
