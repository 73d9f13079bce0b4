// What a report is made of, and how it calls things.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "model/model_version.h"
#include "stream/analyse/census.h"
#include "stream/analyse/sales_summary.h"
#include "stream/evaluate/churn_evaluation.h"

namespace rfm {

// What a customer bought of anything, less what came back.
struct CustomerUnits {
  std::string customer_id;
  std::int64_t units = 0;  // In 10^-4.
};

struct ReportInput {
  const Census& census;
  const ModelVersion& version;  // In force at the census' instant.
  const SalesSummary& sales;    // Empty where the state keeps none.
  std::string currency;
  std::string source;                        // What it is made of, as the reader knows it.
  std::vector<CustomerUnits> best_by_units;  // Most first; empty: not known, as of a state.
  // How good the churn risks were; null: `churn_missing` says why that is not known.
  const ChurnReport* churn = nullptr;
  std::string churn_missing;
};

// "net revenue" or "gross revenue".
std::string revenue_name(const ReportInput& input);
// "GBP"; where it is not known, words.
std::string currency_name(const ReportInput& input);
// The name of a segment of the census' rules.
const std::string& segment_name(const ReportInput& input, std::size_t segmentation,
                                SegmentCode code);
double share_of(std::int64_t part, std::int64_t whole);
double share_of(Money part, Money whole);

}  // namespace rfm
