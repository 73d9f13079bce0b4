#include "stream/evaluate/cluster_evaluation.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "model/nearest_centroid.h"
#include "state/evaluation.h"

namespace rfm {
namespace {

std::span<const FeatureVector> centroids_of(const ClusterModel& model) {
  return std::span(model.centroids).first(static_cast<std::size_t>(model.cluster_count));
}

double inertia_of(std::span<const FeatureVector> points, const FeatureVector& weight,
                  std::span<const FeatureVector> centroids) {
  double sum = 0;
  for (const FeatureVector& point : points) {
    double best = std::numeric_limits<double>::infinity();
    for (const FeatureVector& centroid : centroids)
      best = std::min(best, squared_distance(weight, point, centroid));
    sum += best;
  }
  return sum;
}

}  // namespace

ClusterAssessment assess_clusters(std::span<const SampleRow> sample, EventTime at,
                                  const ClusterModel& adopted, const ClusterModel& trained) {
  const std::vector<FeatureVector> points = points_of(sample, at);
  const KMeansFit fresh = fresh_fit(points, adopted.cluster_count);
  return {.at = at,
          .version = 0,
          .customers = points.size(),
          .cluster_count = adopted.cluster_count,
          .adopted_inertia = inertia_of(points, fresh.weight, centroids_of(adopted)),
          .trained_inertia = inertia_of(points, fresh.weight, centroids_of(trained)),
          .fresh_inertia = inertia_of(points, fresh.weight, fresh.centroids)};
}

void LabelCount::add(const LabelCount& other) {
  labelled += other.labelled;
  not_nearest += other.not_nearest;
}

double LabelCount::not_nearest_share() const {
  return labelled == 0 ? 0 : static_cast<double>(not_nearest) / static_cast<double>(labelled);
}

LabelCount count_labels(const ResidentRows& rows, const Rules& rules, const ModelVersion& version,
                        EventTime at) {
  LabelCount count;
  if (!version.clusters) return count;
  rows.for_each([&](const CustomerRow& row) {
    if (row.member == 0) return;
    ++count.labelled;
    const FeatureVector x = features_of(facts_of(row, rules, &version, at));
    if (nearest(*version.clusters, x) != row.member - 1) ++count.not_nearest;
  });
  return count;
}

}  // namespace rfm
