// The format of an input file, told from its first records.
#pragma once

#include <optional>
#include <string>

#include "config/settings.h"

namespace rfm {

// The value of input.format under which most of the first records are events, with these settings
// otherwise; absent: none are, or it is no regular file (standard input is read once only).
std::optional<std::string> told_format(const std::string& path, Settings settings);

}  // namespace rfm
