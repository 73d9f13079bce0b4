// What a mistyped key was meant to be.
#pragma once

#include <string>
#include <string_view>

namespace rfm {

// The known key nearest to `key` by edit distance; empty if none is near.
std::string nearest_setting(std::string_view key);

}  // namespace rfm
