#include "stream/decode/csv_row.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>

#include "stream/decode/csv_split.h"
#include "stream/text/utf8.h"

namespace rfm {
namespace {

// "Country is not UTF-8": the first column that is not.
std::string not_utf8(std::string_view name, std::string_view text) {
  return fmt::format("{}: {} is not UTF-8; is the file in cp1252 or latin-1 (input.encoding)?",
                     name.empty() ? "a column" : name, shown(text));
}

// Around it. False for nearly every column, without a call.
bool may_have_spaces(std::string_view text) {
  const auto may_be_space = [](char c) { return c <= ' '; };  // Beyond ASCII too.
  return !text.empty() && (may_be_space(text.front()) || may_be_space(text.back()));
}

// CSV has no other types than text.
FieldForm form_of(Field field, std::string_view text) {
  if (field != Field::kConsent) return FieldForm::kString;
  if (text == "true" || text == "True" || text == "TRUE") return FieldForm::kTrue;
  if (text == "false" || text == "False" || text == "FALSE") return FieldForm::kFalse;
  return FieldForm::kString;
}

}  // namespace

std::optional<std::string> CsvRow::read(std::string_view row) {
  row = without_line_end(row);
  // First what quotes leave, then what is written anew in UTF-8. It never shrinks, so that most
  // rows cost nothing here.
  const std::size_t room = row.size() * (1 + kUtf8BytesPerByte);
  if (scratch_.size() < room) scratch_.resize(room);
  char* anew = scratch_.data() + row.size();
  fields_.clear();
  size_ = 0;
  const bool is_utf8_row = encoding_ != TextEncoding::kUtf8 || is_utf8(row);
  bool has_more = false;  // Text in a column that the header does not have.
  static constexpr std::optional<Field> kNoField;
  CsvColumns columns(row, layout_.separator, scratch_.data());
  for (;; ++size_) {
    const bool has_header = size_ < layout_.columns.size();
    const std::optional<Field>& field = has_header ? layout_.columns[size_] : kNoField;
    // Written where it stays: a copy right behind it waits until both its halves are stored.
    std::string_view unread;
    std::string_view& text = field ? fields_[*field].text : unread;
    const CsvColumns::Next next = columns.next(text);
    if (next == CsvColumns::Next::kEnd) break;
    if (next == CsvColumns::Next::kBrokenQuotes)
      return "a quoted column is not closed, or text follows it";
    if (!is_utf8_row && !is_utf8(text))
      return not_utf8(field ? layout_.labels[static_cast<std::size_t>(*field)] : "", text);
    if (!field) {
      has_more |= !has_header && !trimmed(text).empty();
      continue;
    }
    if (encoding_ != TextEncoding::kUtf8 && !text.empty()) {
      const std::size_t count = to_utf8(text, encoding_, anew);
      text = {anew, count};
      anew += count;
    }
    if (*field != Field::kDescription && may_have_spaces(text)) text = trimmed(text);
    fields_[*field].form = form_of(*field, text);
  }
  if (!is_utf8_row) return not_utf8("", row);  // Around quotes.
  if (has_more) {
    return fmt::format("the row has {} columns, the header {}", size_, layout_.columns.size());
  }
  return std::nullopt;
}

}  // namespace rfm
