// Text that a test must reproduce: tests/golden/<name>. UPDATE_GOLDEN=1 rewrites it.
#pragma once

#include <string>
#include <string_view>

namespace rfm {

void expect_golden(const std::string& name, std::string_view text);

// Bytes as lines of 32 hexadecimal digit pairs.
std::string hex_lines(std::string_view bytes);

}  // namespace rfm
