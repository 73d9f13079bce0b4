// Two CSV files for Power BI, joined by CustomerID.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "config/settings.h"
#include "stream/app/state_arguments.h"

namespace rfm {

inline constexpr const char* kPowerBiCustomers = "customer_segments.csv";
inline constexpr const char* kPowerBiSales = "df_sales.csv";

// Into a directory, which is made if it is not there: the customers of the state and the rows of
// the CSV `input`.
absl::Status export_for_powerbi(const OpenedState& state, const std::string& input,
                                const Settings& settings, const std::string& directory);

}  // namespace rfm
