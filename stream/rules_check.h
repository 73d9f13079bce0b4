// The rules are in the model log: a start with other semantic settings is refused.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"

namespace rfm {

// kFailedPrecondition listing every key that differs, with both values.
absl::Status check_same_rules(const std::map<std::string, std::string>& logged,
                              const std::map<std::string, std::string>& given);

}  // namespace rfm
