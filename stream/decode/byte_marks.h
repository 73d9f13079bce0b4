// What bytes are that are no text of ours.
#pragma once

#include <string_view>

namespace rfm {

// As its first bytes tell; empty: they do not.
std::string_view other_encoding(std::string_view value);

}  // namespace rfm
