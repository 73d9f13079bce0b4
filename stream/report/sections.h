// The parts of the report.
#pragma once

#include <cstddef>
#include <string>

#include "stream/report/report_input.h"

namespace rfm {

struct ReportSection {
  std::string id;
  std::string title;
  std::string finding;  // What it shows, in a sentence; plain text.
  std::string body;     // HTML.
};

ReportSection overview_section(const ReportInput& input);
ReportSection best_customers_section(const ReportInput& input);
ReportSection concentration_section(const ReportInput& input);
ReportSection spends_less_section(const ReportInput& input);

ReportSection segments_section(const ReportInput& input, std::size_t segmentation);
// Of a segmentation whose map is a table: two coordinates.
bool has_grid(const ReportInput& input, std::size_t segmentation);
ReportSection grid_section(const ReportInput& input, std::size_t segmentation);
ReportSection countries_section(const ReportInput& input);
ReportSection natural_classes_section(const ReportInput& input);
ReportSection cluster_counts_section(const ReportInput& input);

ReportSection sales_months_section(const ReportInput& input);
ReportSection sales_countries_section(const ReportInput& input);
ReportSection sales_hours_section(const ReportInput& input);
ReportSection sales_products_section(const ReportInput& input);

ReportSection cohorts_section(const ReportInput& input);
ReportSection lost_section(const ReportInput& input);
ReportSection risk_section(const ReportInput& input);
ReportSection churn_figures_section(const ReportInput& input);

}  // namespace rfm
