// The trainer's numbers: from merged contributions to model versions. Pure: the same contributions
// give the same bits, however customers were split over partitions. Knows no log, clock or thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "model/churn.h"
#include "model/contribution.h"
#include "model/day.h"
#include "model/model_version.h"
#include "model/segmentation.h"

namespace rfm {

// Refits at the boundaries at which this weekday begins.
struct RefitSchedule {
  int refit_weekday = 0;  // 0 = Monday .. 6 = Sunday.
  bool trains = true;     // false: there are no samples, so nothing is ever fitted.
};

// Epoch k begins k days after 1970-01-01.
std::int64_t boundary_ms(std::int64_t epoch);
bool is_refit_epoch(const RefitSchedule& schedule, std::int64_t epoch);

// Whether the contribution at `epoch` carries a sample: at refit epochs, and at every one until
// there are clusters; never where nothing is trained. `effective` is the version in effect at the
// boundary (adopted before the snapshot), null if none. Both sides ask this.
bool wants_sample(const RefitSchedule& schedule, std::int64_t epoch, const ModelVersion* effective);

// Whether the customer is in the sample taken under `sample_shift`: id_hash < 2^64 >> sample_shift.
bool is_sampled(std::uint64_t id_hash, int sample_shift);

struct TrainingOptions {
  // Those of the rules' segmentations.
  std::vector<CutSpec> cut_specs{Segmentations::defaults().cut_specs().begin(),
                                 Segmentations::defaults().cut_specs().end()};
  int cluster_count = 5;  // 1..kClustersMax.
  // Least time from the first boundary with population_on customers to the first fit: in the first
  // weeks everybody is recent and has bought once.
  std::int64_t cluster_history_ms = 49 * kDayMs;
  double move_min = .02;  // Daily centroids are published if one moved by more than this share of
                          // its distance to the nearest other.
  RefitSchedule schedule{};
  int challenger_count = 5;
  double challenger_gain = .005;
  // A challenger that would move more than this share of the sample is held. Not in the first weeks
  // of clusters (kSettlingRefits).
  double moved_max = .4;
  int population_on = 500;   // From here on quintiles, clusters and churn models;
  int population_off = 400;  // below, absolute cuts again and no refits.
  int sample_max = 65536;
  int fit_rows_max = 8192;  // Of the clusters.
  int churn_weeks = 26;
  int churn_rows_max = 4096;  // A week: 100,000 in all, for six coefficients.
  double churn_lambda = 10;
  std::uint64_t seed = 0;
};

// All parts added up, in the given order; samples merged by id_hash. The parts belong to one epoch,
// or are older snapshots that stand in for a missing partition. A part without clusters counts as
// zeros. Of several samples only those of parts with has_sample count; the result has one if any
// part has.
Contribution merge(std::span<const Contribution* const> parts);

class Training {
 public:
  explicit Training(TrainingOptions options);
  const TrainingOptions& options() const { return options_; }
  // Of what is trained from here on. The weekday and the number of clusters stay.
  void set_options(const TrainingOptions& options) { options_ = options; }

  // At a restart: the last published version with its whole content, and the epochs of the first
  // one with population_on customers and of the last first fit. Then add_sample for the refit
  // epochs up to it, in order.
  void restore(ModelVersion latest, std::optional<std::int64_t> populated_epoch,
               std::optional<std::int64_t> first_fit_epoch);
  // A past refit epoch's merged sample (sorted by id_hash); others are ignored. Not needed for the
  // epoch trained next: train() takes it from the contribution.
  void add_sample(std::int64_t epoch, std::vector<SampleRow> sample);

  // The outcome at boundary `epoch`, which must be later than the last one. `merged.clusters` are
  // sums by the ids of latest(), which is the version in effect at that boundary.
  ModelVersion train(std::int64_t epoch, Contribution merged);

  // The clusters that have been held since `epoch` are taken at the epoch trained next, unless they
  // are not any more.
  void promote(std::int64_t epoch) { promoted_ = epoch; }

  const ModelVersion& latest() const { return latest_; }

  // A first fit is early, and the refits that follow have much to mend.
  static constexpr int kSettlingRefits = 8;

 private:
  struct WeeklySample {
    std::int64_t epoch = 0;
    std::vector<SampleRow> rows;
  };

  // The parts of the version trained at an epoch. An empty sample means there is none.
  // Under `churn`, which measures risk and value.
  std::vector<TrainedCuts> train_cuts(const ModelVersion& next,
                                      std::span<const SampleRow> sample) const;
  void train_clusters(const Contribution& merged, std::span<const SampleRow> sample,
                      ModelVersion& next) const;
  ClusterModel move_centroids(std::int64_t epoch, const Contribution& merged) const;
  // Names are checked here, and only here (cluster_names.h).
  void refit_clusters(std::int64_t epoch, std::span<const SampleRow> sample,
                      ModelVersion& next) const;
  bool is_settled(std::int64_t epoch) const;
  void remember(std::int64_t epoch, std::vector<SampleRow> sample);

  TrainingOptions options_;
  ModelVersion latest_;
  std::optional<std::int64_t> populated_epoch_;  // The first one with population_on customers.
  std::optional<std::int64_t> first_fit_epoch_;  // Of the clusters.
  std::optional<std::int64_t> promoted_;         // Asked for, not looked at yet.
  std::optional<WeeklySample> previous_sample_;  // The last refit epoch's, waiting for its labels.
  std::vector<ChurnWeek> weeks_;                 // The latest labelled ones, oldest first.
};

}  // namespace rfm
