// What the trainer publishes: everything a worker needs to score a customer. Numbers only.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "model/segmentation_spec.h"

namespace rfm {

inline constexpr int kFeatureCount =
    3;  // log1p of R (days), F, max(M, 0) (currency units), in this order.
inline constexpr int kClustersMin = 2;
inline constexpr int kClustersMax = 16;

using FeatureVector = std::array<double, kFeatureCount>;

// Centroids in raw log1p space; d2(x, c) = sum_i weight[i] (x[i] - c[i])^2 with weight = 1/sd^2,
// which is k-means on z-scores (the means cancel).
struct ClusterModel {
  int cluster_count = 0;
  FeatureVector weight{};
  std::array<FeatureVector, kClustersMax>
      centroids{};                   // Rows 0..cluster_count-1; row = stable cluster id.
  std::vector<std::uint16_t> names;  // One per cluster id: its code (cluster_names.h).
  double inertia_per_customer = 0;   // On the data of the last refit.

  friend bool operator==(const ClusterModel&, const ClusterModel&) = default;
};

// Weekly hazard of a purchase, with that of the NBD (nbd.h) as offset: logit h = logit h0 +
// intercept + sum_i coefficient[i] * (x_i - mean[i]) / sd[i], x = log1p of R, F, M, gap,
// R/max(gap,1) (days, currency units).
inline constexpr int kHazardFeatureCount = 5;
struct ChurnModel {
  double nbd_r = 0;
  double nbd_alpha_days = 0;
  double intercept = 0;
  std::array<double, kHazardFeatureCount> coefficient{};
  std::array<double, kHazardFeatureCount> mean{};
  std::array<double, kHazardFeatureCount> sd{};

  friend bool operator==(const ChurnModel&, const ChurnModel&) = default;
};

// The cuts of one trained axis, in its unit.
struct TrainedCuts {
  Quantity quantity = Quantity::kRecency;
  CutMethod method = CutMethod::kQuantile;
  int bins = 5;
  std::vector<std::int64_t> cuts;  // bins - 1, ascending; empty: there is nothing to measure yet.

  friend bool operator==(const TrainedCuts&, const TrainedCuts&) = default;
};

// A challenger's clusters that an operator may take: they fit better, but move too many.
struct HeldClusters {
  std::int64_t epoch = 0;  // At which it was trained.
  double moved = 0;        // Share of the sample that it would move.
  ClusterModel clusters;

  friend bool operator==(const HeldClusters&, const HeldClusters&) = default;
};

enum class ClusterChange : std::uint8_t { kNone, kFirstFit, kMoved, kRefitWarm, kRefitChallenger };

// The outcome of training at one epoch boundary. Trained at the start of `trained_epoch`, it takes
// effect at the start of `trained_epoch + 1`. An epoch whose training changed nothing repeats the
// number of the version before it (`unchanged`).
struct ModelVersion {
  std::int64_t number =
      0;  // 1, 2, ...: counts versions that differ from the one before; 0 = none yet.
  std::int64_t trained_epoch = 0;  // Days since 1970-01-01 (in epochs).
  bool unchanged = false;
  std::int64_t population = 0;  // Customers with a counted purchase at the boundary.
  int sample_shift = 0;         // A customer is sampled if id_hash < 2^64 >> sample_shift.

  // In the order of the rules' specs (Segmentations::cut_specs). Empty while there are too few
  // customers: then the axes' own `fixed` ones hold, as they do for specs that rules have added
  // since, which are not in it.
  std::vector<TrainedCuts> cuts;
  bool cuts_changed = false;  // Against the version before.

  std::optional<ClusterModel> clusters;
  ClusterChange cluster_change = ClusterChange::kNone;
  std::optional<HeldClusters> held;  // Of the last refit; not in force.

  std::optional<ChurnModel> churn;
  bool churn_changed = false;

  // Input partitions that had held no record by then, in order. What they contribute later for this
  // boundary is no part of it.
  std::vector<std::int32_t> empty_partitions;

  friend bool operator==(const ModelVersion&, const ModelVersion&) = default;
};

}  // namespace rfm
