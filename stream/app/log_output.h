// Log lines on standard error, for people or for machines.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace spdlog {  // NOLINT(readability-identifier-naming): the library's name.
class formatter;
}

namespace rfm {

enum class LogFormat : std::uint8_t { kText, kJson };

// Log lines from `level` on (as in log.level) go to standard error. The last call counts.
void log_to_standard_error(const std::string& level, LogFormat format = LogFormat::kText);

// Logs why the process ends, whatever log.level is.
void log_failure(std::string_view why);

// One JSON object a line: time, level, lane, partition, message. What is of a lane or of a
// partition says so at its beginning ("lane 0: ...", "partition 3 has ..."); a lane's own thread
// carries its name besides.
std::unique_ptr<spdlog::formatter> json_log_formatter();

}  // namespace rfm
