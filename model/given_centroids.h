// Centroids that a segmentation names instead of taking the model's: fixed points, for instance
// those that a notebook published.
#pragma once

#include "absl/status/status.h"
#include "model/model_version.h"
#include "model/segmentation_spec.h"

namespace rfm {

// InvalidArgument: a number that is out of range, a centroid that is there twice, a segment that no
// centroid leads to, or one that is not described.
absl::Status check_centroids(const SegmentationSpec& spec);

// Of checked ones: row = place in the list; weight = 1 / scale^2. Names none.
ClusterModel cluster_model_of(const SegmentationSpec& spec);

}  // namespace rfm
