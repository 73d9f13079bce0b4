#include "stream/decode/csv_split.h"

#include <cstring>

namespace rfm {

std::optional<std::size_t> find_row_end(std::string_view text, char separator) {
  const std::size_t first_end = text.find('\n');
  if (first_end == std::string_view::npos) return std::nullopt;
  if (text.substr(0, first_end).find('"') == std::string_view::npos) return first_end;

  enum class State { kColumnStart, kPlain, kQuoted, kQuoteInQuoted, kBehindQuoted };
  State state = State::kColumnStart;
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
    } else if (c == separator) {
      state = State::kColumnStart;
    } else if (state == State::kQuoteInQuoted || state == State::kBehindQuoted) {
      if (c != ' ' && c != '\r') return first_end;
      state = State::kBehindQuoted;
    } else if (state == State::kColumnStart && c != ' ') {
      state = c == '"' ? State::kQuoted : State::kPlain;
    }
  }
  return std::nullopt;
}

std::string_view without_line_end(std::string_view row) {
  if (!row.empty() && row.back() == '\n') row.remove_suffix(1);
  if (!row.empty() && row.back() == '\r') row.remove_suffix(1);
  return row;
}

CsvColumns::Next CsvColumns::next(std::string_view& column) {
  if (is_done_) return Next::kEnd;
  const char* const first = next_;
  const std::size_t rest = static_cast<std::size_t>(end_ - first);
  if (rest > 0 && (*first == '"' || *first == ' ')) {
    const char* start = first;
    while (start != end_ && *start == ' ') ++start;
    if (start != end_ && *start == '"') {
      next_ = start + 1;
      return next_quoted(column);
    }
  }
  const void* const found = rest == 0 ? nullptr : std::memchr(first, separator_, rest);
  is_done_ = found == nullptr;
  const char* const end = is_done_ ? end_ : static_cast<const char*>(found);
  column = {first, static_cast<std::size_t>(end - first)};
  next_ = is_done_ ? end_ : end + 1;
  return Next::kColumn;
}

CsvColumns::Next CsvColumns::next_quoted(std::string_view& column) {
  const char* const first = next_;
  const char* const undone = to_;
  std::size_t size = 0;
  for (;;) {
    const std::size_t rest = static_cast<std::size_t>(end_ - next_);
    const void* const found = rest == 0 ? nullptr : std::memchr(next_, '"', rest);
    if (found == nullptr) return Next::kBrokenQuotes;
    const char* const quote = static_cast<const char*>(found);
    const auto part = static_cast<std::size_t>(quote - next_);
    const bool is_doubled = quote + 1 != end_ && quote[1] == '"';
    next_ = quote + 1;
    if (to_ == undone && !is_doubled) {  // Nothing to undo.
      column = {first, static_cast<std::size_t>(quote - first)};
      break;
    }
    std::memcpy(to_, quote - part, part + (is_doubled ? 1 : 0));
    to_ += part + (is_doubled ? 1 : 0);
    size += part + (is_doubled ? 1 : 0);
    if (!is_doubled) {
      column = {undone, size};
      break;
    }
    ++next_;
  }
  while (next_ != end_ && *next_ == ' ' && separator_ != ' ') ++next_;
  is_done_ = next_ == end_;
  if (is_done_) return Next::kColumn;
  return *next_++ == separator_ ? Next::kColumn : Next::kBrokenQuotes;
}

}  // namespace rfm
