// The tables of what a state's books hold: sales, moves, and the sizes of segments day by day.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "stream/analyse/moves_summary.h"
#include "stream/analyse/sales_summary.h"
#include "stream/app/table_output.h"

namespace rfm {

absl::Status write_sales_by_day(const SalesSummary& sales, const std::string& currency,
                                TableOutput& output);
absl::Status write_sales_by_hour(const SalesSummary& sales, const std::string& currency,
                                 TableOutput& output);
absl::Status write_sales_by_product(const SalesSummary& sales, const std::string& currency,
                                    TableOutput& output);
absl::Status write_transitions(const MovesSummary& moves, const std::string& currency,
                               TableOutput& output);
absl::Status write_segments_by_day(const MovesSummary& moves, const std::string& currency,
                                   TableOutput& output);

}  // namespace rfm
