// One row of CSV as fields, by the layout that its file's header gave.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "stream/decode/csv_layout.h"
#include "stream/decode/record_fields.h"

namespace rfm {

// One belongs to one thread.
class CsvRow {
 public:
  CsvRow(CsvLayout layout, TextEncoding encoding)
      : layout_(std::move(layout)), encoding_(encoding) {}

  // Splits `row`; a line end after it is left out. Columns that are not there are absent. Returns
  // what is wrong with its form, or nothing.
  std::optional<std::string> read(std::string_view row);

  // Of the last row; views into it and this live until the next one. UTF-8; only a description
  // keeps the spaces around it. An empty column is an empty string.
  const RecordFields& fields() const { return fields_; }
  const CsvLayout& layout() const { return layout_; }
  // Of the last row, in columns.
  std::size_t size() const { return size_; }

 private:
  CsvLayout layout_;
  TextEncoding encoding_;
  std::string scratch_;
  std::size_t size_ = 0;
  RecordFields fields_;
};

}  // namespace rfm
