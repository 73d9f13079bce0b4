// The notation of settings: text with units to numbers and back. Canonical text is what parse and
// format agree on: format(parse(x)) is the same for every way to write x.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "config/setting_table.h"

namespace rfm {

// "100ms", "60s", "15m", "1h", "400d", "2w": a whole number and a unit. Not negative.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
std::string format_duration(
    std::chrono::milliseconds duration);  // In the largest unit that divides it.

// "100B", "512KiB", "64MiB", "1GiB".
std::optional<std::int64_t> parse_bytes(std::string_view text);
std::string format_bytes(std::int64_t bytes);

std::optional<std::int64_t> parse_integer(std::string_view text);
std::optional<double> parse_real(std::string_view text);  // Finite.
std::string format_real(double value);                    // Shortest text that reads back the same.

std::optional<std::chrono::minutes> parse_utc_offset(
    std::string_view text);  // "+01:00", "-05:30", "Z"
std::string format_utc_offset(std::chrono::minutes offset);

// "net|gross" to its parts.
std::vector<std::string> split_choices(std::string_view text);

// "rfm, churn" to its parts; absent: a part is no name or is there twice.
std::optional<std::vector<std::string>> parse_names(std::string_view text);

// "1.3, 0.7, 1.2"; each above 0.
std::optional<std::array<double, 3>> parse_scale(std::string_view text);
std::string format_scale(const std::array<double, 3>& scale);

// Milliseconds since 1970; absent: "now".
using Instant = std::optional<std::int64_t>;
std::optional<Instant> parse_instant(std::string_view text);
std::string format_instant(const Instant& instant);

// "one of net, gross", "a duration from 0s to 30d such as "60s"", ...
std::string allowed_values(const SettingSpec& spec);

// The canonical text of `text` for `spec`, or InvalidArgument saying what is allowed (without the
// key).
absl::StatusOr<std::string> canonical_text(const SettingSpec& spec, std::string_view text);

}  // namespace rfm
