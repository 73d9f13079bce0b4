// The segment map out of the settings segmentation.rfm.map and segmentation.rfm.segments.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "config/settings.h"
#include "model/segment_map.h"

namespace rfm {

// A preset's name as it is; anything else as a list of cells on one line.
absl::StatusOr<std::string> canonical_segment_map(std::string_view text);
absl::StatusOr<std::string> canonical_segment_infos(std::string_view text);

// Errors name the cell or the segment.
absl::StatusOr<SegmentMap> segment_map(const Settings& settings);

}  // namespace rfm
