// The status in Prometheus' text format. Every family is there from the beginning, with or without
// samples; docs/operations.md lists them. Counters are of this process and never fall.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "admin/health.h"
#include "admin/process_figures.h"

namespace rfm {

std::string metrics_text(const ProbeContext& context, std::string_view version,
                         const std::optional<ProcessFigures>& process);

}  // namespace rfm
