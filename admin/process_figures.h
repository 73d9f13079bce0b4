// What the system says of this process.
#pragma once

#include <cstdint>
#include <optional>

namespace rfm {

struct ProcessFigures {
  double cpu_seconds = 0;
  double start_time_seconds = 0;  // Since 1970-01-01 UTC.
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_files = 0;
  std::uint64_t files_max = 0;
};

// Absent: there is no /proc, or not in its known form.
std::optional<ProcessFigures> process_figures();

}  // namespace rfm
