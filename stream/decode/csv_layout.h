// What the header of a CSV says: where the columns are that are read, and how they are separated.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "stream/decode/record_fields.h"
#include "stream/text/decimal.h"
#include "stream/text/time_text.h"
#include "stream/text/utf8.h"

namespace rfm {

// How a CSV is written, as far as its header does not show it.
struct CsvOptions {
  char separator = '\0';  // '\0': as the header shows.
  TextEncoding encoding = TextEncoding::kUtf8;
  NumberForm numbers{};
  DateOrder date_order = DateOrder::kUnstated;
  std::array<std::string, kFieldCount> columns{};  // Names in the header; empty: the known ones.
};

// What a row of the file is.
enum class CsvRows : std::uint8_t {
  kLines,   // A line of an invoice: quantity and unit price.
  kOrders,  // A whole invoice: a total. Below zero it is a credit, where there is no type.
};

struct CsvLayout {
  char separator = ',';
  CsvRows rows = CsvRows::kLines;
  std::vector<std::optional<Field>> columns{};    // By place; absent: nobody reads it.
  std::array<std::string, kFieldCount> labels{};  // The columns' names, for messages.
  std::vector<std::string> unread{};              // Names of columns that nobody reads.
};

// Names are compared without case, spaces and punctuation, in any order. InvalidArgument naming
// what is missing, double or not there, as it goes on behind the path of the file.
absl::StatusOr<CsvLayout> read_csv_header(std::string_view header, const CsvOptions& options);

// "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
extern const std::string_view kOnlineRetailHeader;
CsvLayout online_retail_layout();

// What the settings call the field ("invoice_no"); empty: no column has it.
std::string_view csv_setting(Field field);

// "columns split at ";": InvoiceNo, Quantity, ...; not read: TotalPrice"
std::string describe(const CsvLayout& layout);

}  // namespace rfm
