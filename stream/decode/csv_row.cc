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
  CsvColumns columns(row, layout_.separator, scratch_.data());
  for (;; ++size_) {
    std::string_view text;
    const CsvColumns::Next next = columns.next(text);
    if (next == CsvColumns::Next::kEnd) break;
    if (next == CsvColumns::Next::kBrokenQuotes)
      return "a quoted column is not closed, or text follows it";
    const bool has_header = size_ < layout_.columns.size();
    if (!is_utf8_row && !is_utf8(text)) {
      const std::optional<Field> field = has_header ? layout_.columns[size_] : std::nullopt;
      return not_utf8(field ? layout_.labels[static_cast<std::size_t>(*field)] : "", text);
    }
    if (!has_header) {
      has_more |= !trimmed(text).empty();
      continue;
    }
    const std::optional<Field>& field = layout_.columns[size_];
    if (!field) continue;
    if (encoding_ != TextEncoding::kUtf8 && !text.empty()) {
      const std::size_t count = to_utf8(text, encoding_, anew);
      text = {anew, count};
      anew += count;
    }
    if (*field != Field::kDescription) text = trimmed(text);
    fields_[*field] = {text, form_of(*field, text)};
  }
  if (!is_utf8_row) return not_utf8("", row);  // Around quotes.
  if (has_more) {
    return fmt::format("the row has {} columns, the header {}", size_, layout_.columns.size());
  }
  return std::nullopt;
}

}  // namespace rfm
