#include "stream/decode/csv_split.h"

namespace rfm {

std::optional<std::size_t> find_row_end(std::string_view text) {
  const std::size_t first_end = text.find('\n');
  if (first_end == std::string_view::npos) return std::nullopt;
  if (text.substr(0, first_end).find('"') == std::string_view::npos) return first_end;

  enum class State { kColumnStart, kPlain, kQuoted, kQuoteInQuoted } state = State::kColumnStart;
  int lines = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (state == State::kQuoted) {
      if (c == '"') state = State::kQuoteInQuoted;
      if (c == '\n' && ++lines > kQuotedLinesMax) return first_end;
    } else if (state == State::kQuoteInQuoted && c == '"') {
      state = State::kQuoted;
    } else if (c == '\n') {
      return i;
    } else if (c == ',') {
      state = State::kColumnStart;
    } else if (state == State::kQuoteInQuoted && c != '\r') {
      return first_end;
    } else if (state == State::kColumnStart) {
      state = c == '"' ? State::kQuoted : State::kPlain;
    }
  }
  return std::nullopt;
}

}  // namespace rfm
