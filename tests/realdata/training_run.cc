#include "tests/realdata/training_run.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "model/day.h"
#include "model/deterministic_math.h"
#include "model/nearest_centroid.h"

namespace rfm {

FeatureVector features(const SampleRow& row, std::int64_t at_ms) {
  return {recency_feature(row.last_purchase_ms, at_ms), det_log1p(row.frequency),
          det_log1p(static_cast<double>(std::max<std::int64_t>(0, row.monetary)) / 10000)};
}

const ModelVersion& TrainingRun::run(std::int64_t epoch, std::span<const SampleRow> customers) {
  const ModelVersion effective = training_.latest();
  std::vector<Contribution> parts(static_cast<std::size_t>(partition_count_));
  for (Contribution& part : parts) {
    part.epoch = epoch;
    part.has_sample = wants_sample(schedule_, epoch, &effective);
    if (effective.clusters)
      part.clusters.resize(static_cast<std::size_t>(effective.clusters->cluster_count));
  }
  for (const SampleRow& row : customers) {
    Contribution& part = parts[row.id_hash % parts.size()];
    ++part.population;
    if (part.has_sample && is_sampled(row.id_hash, effective.sample_shift))
      part.sample.push_back(row);
    if (effective.clusters) add(row, boundary_ms(epoch), *effective.clusters, part);
  }
  std::vector<const Contribution*> pointers;
  for (const Contribution& part : parts) pointers.push_back(&part);
  training_.train(epoch, merge(pointers));
  return training_.latest();
}

void TrainingRun::add(const SampleRow& row, std::int64_t at_ms, const ClusterModel& model,
                      Contribution& part) {
  const FeatureVector x = features(row, at_ms);
  const auto known = labels_.emplace(row.id_hash, -1).first;
  known->second = decide(model, x, known->second, hysteresis_);
  ClusterSums& sums = part.clusters[static_cast<std::size_t>(known->second)];
  ++sums.n;
  sums.sum_f += fixed_log1p(row.frequency);
  sums.sum_m += fixed_log1p(static_cast<double>(std::max<std::int64_t>(0, row.monetary)) / 10000);
  ++sums.last_purchase_days[static_cast<std::int32_t>(row.last_purchase_ms / kDayMs)];
}

}  // namespace rfm
