// Whether a version from outside may be computed with.
#pragma once

#include <span>

#include "absl/status/status.h"
#include "model/model_version.h"

namespace rfm {

// What a version read from outside must fulfil before anything is computed with it: every number in
// its range and finite, as many names as centroids. InvalidArgument: "<field>: what is wrong".
absl::Status check_version(const ModelVersion& version);

// What it must fulfil beside that as the successor of `before` (the first one: of ModelVersion()):
// clusters and churn model never go away, ids of clusters stay, and what it says of its changes is
// what changed.
absl::Status check_successor(const ModelVersion& before, const ModelVersion& version);

// Whether a version was trained for these axes.
absl::Status check_cut_specs(const ModelVersion& version, std::span<const CutSpec> specs);

}  // namespace rfm
