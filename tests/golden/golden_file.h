// Text that a test must reproduce: tests/golden/<name>. UPDATE_GOLDEN=1 rewrites it.
#pragma once

#include <string>
#include <string_view>

namespace rfm {

void expect_golden(const std::string& name, std::string_view text);

// As it is kept, of a format that is read but no longer written.
std::string read_golden(const std::string& name);

// Bytes as lines of 32 hexadecimal digit pairs.
std::string hex_lines(std::string_view bytes);
std::string bytes_of_hex(std::string_view text);

}  // namespace rfm
