// Rows and columns of CSV (RFC 4180) with any separator: the only code that knows quotes. Debian 12
// has no CSV library for C++. Spaces around a quoted column are no part of it; a quote inside of a
// column that does not begin with one stands for itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rfm {

// The most line ends that the quotes of one row may hold.
inline constexpr int kQuotedLinesMax = 64;

// Index in `text`, which starts with a row, of the line feed that ends it; absent: more text is
// needed. Line feeds inside of quoted columns do not count. Where a quote does not close properly,
// the row ends with its first line, so that one stray quote costs one row and not all that follow.
std::optional<std::size_t> find_row_end(std::string_view text, char separator);

// `row` without the line end behind it.
std::string_view without_line_end(std::string_view row);

// Takes the columns of one row off its front.
class CsvColumns {
 public:
  enum class Next : std::uint8_t {
    kColumn,
    kEnd,           // There was no further column.
    kBrokenQuotes,  // A quoted column is not closed, or text follows it.
  };

  // `row` has no line end. Doubled quotes are undone in `scratch`, which must have room for the
  // row. Both must outlive the columns.
  CsvColumns(std::string_view row, char separator, char* scratch)
      : next_(row.data()), end_(row.data() + row.size()), separator_(separator), to_(scratch) {}

  Next next(std::string_view& column);

 private:
  Next next_quoted(std::string_view& column);

  const char* next_;
  const char* end_;
  char separator_;
  char* to_;
  bool is_done_ = false;
};

}  // namespace rfm
