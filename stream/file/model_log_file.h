// The model log as a file of JSON lines {"key","headers","value"}: what a replay leaves, and what
// another one follows.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "stream/format/model_log.h"

namespace rfm {

// kNotFound, or kDataLoss naming the line.
absl::StatusOr<ModelLog> read_model_log_file(const std::string& path);

// Replaces the file as a whole.
absl::Status write_model_log_file(const std::string& path, const ModelLog& log);

}  // namespace rfm
