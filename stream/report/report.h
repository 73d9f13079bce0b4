// The analyses that retailers make of their customers by hand, as one HTML page that needs nothing
// else: what each shows in a sentence, as a chart and as a table.
#pragma once

#include <string>
#include <vector>

#include "model/model_version.h"
#include "stream/analyse/census.h"
#include "stream/evaluate/churn_evaluation.h"

namespace rfm {

struct ReportInput {
  const Census& census;
  const ModelVersion& version;  // In force at the census' instant.
  std::string currency;
  std::string source;  // What it is made of, as the reader knows it.
  // How good the churn risks were; null: `churn_missing` says why that is not known.
  const ChurnReport* churn = nullptr;
  std::string churn_missing;
};

std::string report_html(const ReportInput& input);

}  // namespace rfm
