// Where a CSV row ends in a stream of bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace rfm {

// The most line ends that the quotes of one row may hold.
inline constexpr int kQuotedLinesMax = 64;

// Index in `text`, which starts with a row, of the line feed that ends it; absent: more text is
// needed. Line feeds inside of quoted columns do not count. Where a quote does not close properly,
// the row ends with its first line, so that one stray quote costs one row and not all that follow.
std::optional<std::size_t> find_row_end(std::string_view text);

}  // namespace rfm
