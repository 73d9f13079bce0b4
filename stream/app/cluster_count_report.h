// `evaluate clusters --k A..B`: what speaks for each number of clusters, as a table with what it
// says in words.
#pragma once

#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/training.h"
#include "stream/analyse/cluster_count_comparison.h"

namespace rfm {

// "4" or "2..10", within what there may be of clusters.
absl::StatusOr<ClusterCounts> read_cluster_counts(const std::string& text);

// `refits`: at least one, in order of time; the figures are those of the last one's sample, and of
// the refits over all of them. `currency`: that of M.
absl::Status report_cluster_counts(const ClusterCounts& counts, std::span<const RefitSample> refits,
                                   const TrainingOptions& training, const std::string& currency);

}  // namespace rfm
