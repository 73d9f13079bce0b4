// `input.preset`: how the records of known producers are mapped.
#pragma once

#include "absl/status/status.h"
#include "config/settings.h"

namespace rfm {

// Gives the settings that have their default what the preset says.
absl::Status apply_preset(Settings& settings);

}  // namespace rfm
