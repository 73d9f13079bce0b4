// Text from outside, which may not be text.
#pragma once

#include <string>
#include <string_view>

namespace rfm {

bool is_utf8(std::string_view text);

// Each byte that is part of no character becomes U+FFFD.
std::string with_replacements(std::string_view text);

// `text` between quotes, for a message: at most 40 bytes of it, control characters and whatever is
// not UTF-8 as \xNN.
std::string shown(std::string_view text);

}  // namespace rfm
