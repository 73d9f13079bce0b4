// The tables [segmentation.NAME]: which segmentations they make, and how two sides differ.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/setting_table.h"
#include "model/segmentation.h"

namespace rfm {

// The canonical text of a value of one of the segmentations' own kinds, or InvalidArgument.
absl::StatusOr<std::string> canonical_segmentation_text(SettingKind kind, std::string_view text);

// There unless they are disabled.
bool is_default_segmentation(std::string_view name);

// Keys and texts of one table, without what it does not set.
using SegmentationTexts = std::map<std::string, std::string, std::less<>>;

// What a table makes; a whole segmentation, which the other keys change, is under the key "".
// Errors begin with the key they are about, where there is one ("map: ...").
absl::StatusOr<SegmentationSpec> segmentation_spec(std::string_view name,
                                                   const SegmentationTexts& texts);

// Actions of presets and of the model log that depend on a segmentation or a segment that is not
// there never apply: they are left out. `texts` says, by name, what a table has of its own.
void drop_idle_actions(std::vector<SegmentationSpec>& specs,
                       const std::map<std::string, SegmentationTexts>& texts);

// One setting that differs.
struct SettingDifference {
  std::string key;  // "segmentation.rfm.stay"
  std::string before;
  std::string now;
};

// Of two whole segmentations as the model log has them; an empty text is one that is not there.
std::vector<SettingDifference> segmentation_differences(std::string_view name,
                                                        std::string_view before,
                                                        std::string_view now);

// What became of a key of versions before, to say instead of a guess; empty: nothing.
std::string_view former_segmentation_key(std::string_view key);

}  // namespace rfm
