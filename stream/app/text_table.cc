#include "stream/app/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace rfm {
namespace {

constexpr std::size_t kLineMax = 100;

}  // namespace

void print_table(const std::vector<std::vector<std::string>>& lines) {
  const std::size_t last = lines.front().size() - 1;
  std::size_t indent = 0;
  std::vector<std::size_t> widths(last, 0);
  for (std::size_t column = 0; column < last; ++column) {
    for (const auto& line : lines) widths[column] = std::max(widths[column], line[column].size());
    indent += widths[column] + 2;
  }
  for (const auto& line : lines) {
    std::string text;
    for (std::size_t column = 0; column < last; ++column)
      text += fmt::format("{:<{}}", line[column], widths[column] + 2);
    std::istringstream words(line[last]);
    std::size_t used = text.size();
    for (std::string word; words >> word;) {
      if (used > indent && used + 1 + word.size() > kLineMax) {
        text += "\n" + std::string(indent, ' ');
        used = indent;
      }
      if (used > indent) {
        text += ' ';
        ++used;
      }
      text += word;
      used += word.size();
    }
    text.resize(text.find_last_not_of(' ') + 1);
    fmt::print("{}\n", text);
  }
}

}  // namespace rfm
