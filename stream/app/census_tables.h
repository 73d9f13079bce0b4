// The tables `segments` and `cohorts`: what a census counts.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "stream/analyse/census.h"
#include "stream/app/table_output.h"

namespace rfm {

absl::Status write_segments(const Census& census, const std::string& currency, TableOutput& output);
absl::Status write_cohorts(const Census& census, const std::string& currency, TableOutput& output);

}  // namespace rfm
