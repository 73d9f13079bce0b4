// The format of an input, told from its beginning.
#pragma once

#include <optional>
#include <string>

#include "config/settings.h"

namespace rfm {

struct ToldFormat {
  // The value of input.format under which most of the first records are events, with the settings
  // otherwise; where none are, "csv" if the first line looks like the header of one. Absent: it
  // does not, or the input is neither a regular file nor standard input.
  std::optional<std::string> format;
  // What was read of standard input, which can be read once only (FileSourceOptions::beginning).
  std::string beginning;
};
ToldFormat told_format(const std::string& path, Settings settings);

}  // namespace rfm
