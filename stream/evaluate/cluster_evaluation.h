// How near the clusters of a run stayed to what a batch fit finds on the same customers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/contribution.h"
#include "model/model_version.h"
#include "state/event_time.h"
#include "state/resident_rows.h"
#include "state/rules.h"
#include "stream/analyse/cluster_count_evaluation.h"

namespace rfm {

// Inertias are sums over the sample of the squared distance to the nearest centroid, in the metric
// of the fresh fit (z-scores of log1p of R, F, M at that moment).
struct ClusterAssessment {
  EventTime at{};
  std::int64_t version = 0;  // In effect at `at`.
  std::size_t customers = 0;
  int cluster_count = 0;
  double adopted_inertia = 0;
  double trained_inertia = 0;
  double fresh_inertia = 0;  // Best of ten k-means++ starts.

  double adopted_ratio() const { return adopted_inertia / fresh_inertia; }
  double trained_ratio() const { return trained_inertia / fresh_inertia; }
};

// `sample`: at boundary `at`, at least as many customers as clusters. `adopted`: in effect there;
// `trained`: what the refit made of this sample, with as many clusters.
ClusterAssessment assess_clusters(std::span<const SampleRow> sample, EventTime at,
                                  const ClusterModel& adopted, const ClusterModel& trained);

// How many rows have a cluster, and how many of these have another one nearer (hysteresis keeps
// them from changing).
struct LabelCount {
  std::size_t labelled = 0;
  std::size_t not_nearest = 0;

  void add(const LabelCount& other);
  double not_nearest_share() const;  // 0 if there are none.
};
LabelCount count_labels(const ResidentRows& rows, const Rules& rules, const ModelVersion& version,
                        EventTime at);

}  // namespace rfm
