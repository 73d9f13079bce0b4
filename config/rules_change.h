// How the rules of a model log differ from others, and which of that a running application can go
// over to.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "config/segmentation_settings.h"

namespace rfm {

using SemanticSettings = std::map<std::string, std::string>;

// By key; a key that either side lacks counts as its default, because older versions of the program
// did not know it. Of a segmentation on both sides each leaf that differs.
std::vector<SettingDifference> rules_differences(const SemanticSettings& before,
                                                 const SemanticSettings& after);

// kInvalidArgument names every key that cannot change while state is kept, and why.
absl::Status check_rules_change(const SemanticSettings& before, const SemanticSettings& after);

}  // namespace rfm
