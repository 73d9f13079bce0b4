// The analyses that retailers make of their customers by hand, as one HTML page that needs nothing
// else: what each shows in a sentence, as a chart and as a table.
#pragma once

#include <string>

#include "stream/report/report_input.h"

namespace rfm {

std::string report_html(const ReportInput& input);

}  // namespace rfm
