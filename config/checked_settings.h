// Settings that hold together: each by itself was checked when it was read (config/settings.h).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/settings.h"

namespace rfm {

// What no single key shows: bands in order, the window inside the horizon, a total segment map,
// topics of their own, what the decoder and the client ask of their options. InvalidArgument names
// the key.
absl::Status check_settings(const Settings& settings);

// Defaults, `file` (if any), the settings among `environment` ("NAME=value"), each of `overrides`
// ("key=value"), the later winning; checked.
absl::StatusOr<Settings> load_settings(const std::optional<std::string>& file,
                                       const std::vector<std::string>& environment,
                                       const std::vector<std::string>& overrides);

// Defaults with the semantic settings of a model log, checked. A key this version does not know is
// an error: its meaning is unknown.
absl::StatusOr<Settings> logged_settings(const std::map<std::string, std::string>& semantic);

}  // namespace rfm
