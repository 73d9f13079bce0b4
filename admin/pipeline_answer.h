// The service's status as JSON: what /pipeline answers.
#pragma once

#include <string>

#include "admin/health.h"

namespace rfm {

std::string pipeline_json(const ProbeContext& context);

}  // namespace rfm
