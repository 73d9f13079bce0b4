// The rows of a CSV as `replay` counts them, one after the other.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/settings.h"
#include "stream/app/csv_events.h"

namespace rfm {

// Where what counts ends. Sales without a customer move no clock and may have been counted beyond
// it: those among the first `rows` of the file are.
struct CsvEnd {
  EventTime time = kNever;  // What is at or after it is left out.
  std::uint64_t rows = 0;
};

struct CsvRead {
  std::uint64_t rows = 0;
  std::uint64_t refused = 0;     // Left out: `replay` makes dead letters of them.
  std::uint64_t later = 0;       // Left out: beyond the end.
  std::uint64_t input_mark = 0;  // As a state has it (PartitionMeta); 0: there is no row.
};

// Calls `visit` for each row that is taken and is before `end`, until it returns an error; with a
// line of progress. Credits have the signs that the books give them (state/sales_book.h): those of
// a customer's credit whose lines add up to more than nothing are turned, of `amount` and of
// `quantity` and `units`. So the file is read twice; kInvalidArgument: it can be read only once.
absl::StatusOr<CsvRead> read_csv_sales(const std::string& path, const Settings& settings,
                                       const CsvEnd& end,
                                       const std::function<absl::Status(const CsvSale&)>& visit);

}  // namespace rfm
