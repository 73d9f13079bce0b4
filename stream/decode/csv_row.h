// One row of CSV (RFC 4180) with the columns of Online Retail.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "stream/decode/record_fields.h"

namespace rfm {

// One belongs to one thread.
class CsvRow {
 public:
  // Splits `row`, which is copied; a line end after it is left out. Returns what is wrong with its
  // form, or nothing.
  std::optional<std::string> read(std::string_view row);

  // Of the last row; views live until the next one. Strings only; an empty column is an empty
  // string.
  const RecordFields& fields() const { return fields_; }

 private:
  std::string scratch_;
  RecordFields fields_;
};

// Whether `row` names the eight columns of Online Retail, in either spelling it is distributed
// with.
bool is_uci_header(std::string_view row);

// What messages call the fields.
std::string_view csv_label(Field field);

}  // namespace rfm
