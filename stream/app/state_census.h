// What the commands tell of a stored state: a pass over its customers, its census and its books.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/model_version.h"
#include "stream/analyse/census.h"
#include "stream/analyse/moves_summary.h"
#include "stream/analyse/sales_summary.h"
#include "stream/app/state_arguments.h"

namespace rfm {

// In order of partition and customer id, with a line of progress on standard error where it takes
// long; `verb` as Progress has it.
using VisitCustomer = std::function<absl::Status(
    const PartitionSnapshot& partition, const CustomerRow& row, const CustomerFacts& facts)>;
absl::Status visit_customers(const OpenedState& state, const std::string& verb,
                             const VisitCustomer& visit);

// The state outlives it.
absl::StatusOr<Census> census_of(const OpenedState& state, const CensusOptions& options);

// What its books hold.
absl::StatusOr<SalesSummary> sales_of(const OpenedState& state);
// The state outlives it.
absl::StatusOr<MovesSummary> moves_of(const OpenedState& state);

// In force where the state's clock is.
const ModelVersion& version_of(const OpenedState& state);
// As the model log has it.
std::string currency_of(const OpenedState& state);

}  // namespace rfm
