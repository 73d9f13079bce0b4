// What the service does with its customers at each boundary, without a pipeline: adopt, label with
// hysteresis, contribute, train.
#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "model/training.h"

namespace rfm {

class TrainingRun {
 public:
  // Customers are split over `partition_count` contributions.
  TrainingRun(const TrainingOptions& options, int partition_count, double hysteresis)
      : training_(options),
        schedule_(options.schedule),
        partition_count_(partition_count),
        hysteresis_(hysteresis) {}

  // `customers`: as of the boundary, sorted by id_hash. Returns the version trained there.
  const ModelVersion& run(std::int64_t epoch, std::span<const SampleRow> customers);

  // The version in effect at the next boundary.
  const ModelVersion& latest() const { return training_.latest(); }

 private:
  void add(const SampleRow& row, std::int64_t at_ms, const ClusterModel& model, Contribution& part);

  Training training_;
  RefitSchedule schedule_;
  int partition_count_;
  double hysteresis_;
  std::map<std::uint64_t, int> labels_;
};

// log1p of R, F, max(M, 0).
FeatureVector features(const SampleRow& row, std::int64_t at_ms);

}  // namespace rfm
