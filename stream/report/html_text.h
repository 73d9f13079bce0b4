// HTML under construction.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rfm {

// For text and for attribute values in double quotes.
std::string escaped_html(std::string_view text);

enum class Align : unsigned char { kLeft, kRight };

// A table as people read it: numbers to the right.
class HtmlTable {
 public:
  struct Column {
    std::string name;
    Align align = Align::kRight;
  };
  HtmlTable(std::string_view caption, const std::vector<Column>& columns);

  // Sums come last, set apart.
  enum class Row : unsigned char { kOne, kSum };

  // As many cells as there are columns; plain text.
  void row(const std::vector<std::string>& cells, Row kind = Row::kOne);

  std::string html() const { return html_ + "</tbody></table></div>\n"; }

 private:
  std::vector<Column> columns_;
  std::string html_;
};

}  // namespace rfm
