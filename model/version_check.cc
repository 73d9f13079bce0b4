#include "model/version_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "model/churn_risk.h"
#include "model/day.h"
#include "model/nbd.h"

namespace rfm {
namespace {

// Event time ends before it (year 2200); ages and epochs are far from where integers end.
constexpr std::int64_t kEpochsMax = 100'000;
constexpr std::int64_t kAgeMaxMs = kEpochsMax * kDayMs;
constexpr int kShiftMax = 63;
constexpr double kFeatureMax = 64;  // log1p of whatever 64 bits hold is less.
// 1 / variance of such features, which have a quantum of 2^-28 (kmeans.cc, inverse_variances).
constexpr double kWeightMin = 0x1p-12;
constexpr double kWeightMax = 0x1p56;
constexpr double kHazardMax = 1e100;  // Sums of products of a few of them are finite.

template <class... Arguments>
absl::Status fault(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  return absl::InvalidArgumentError(fmt::format(format, std::forward<Arguments>(arguments)...));
}

bool is_within(double value, double low, double high) { return value >= low && value <= high; }

absl::Status check_number(std::string_view field, double value, double low, double high) {
  if (is_within(value, low, high)) return absl::OkStatus();
  return fault("{}: {} is not from {} to {}", field, value, low, high);
}

absl::Status check_cuts(const std::vector<TrainedCuts>& trained) {
  for (std::size_t i = 0; i < trained.size(); ++i) {
    const auto& [quantity, method, bins, cuts] = trained[i];
    const std::string field = fmt::format("cuts[{}]", i);
    if (bins < kBinsMin || bins > kBinsMax)
      return fault("{}.bins: {} is not from {} to {}", field, bins, kBinsMin, kBinsMax);
    if (cuts.empty()) continue;
    if (cuts.size() != static_cast<std::size_t>(bins) - 1)
      return fault("{}.cuts: {} of them for {} bins", field, cuts.size(), bins);
    if (!std::ranges::is_sorted(cuts)) return fault("{}.cuts: they do not ascend", field);
    if (cuts.front() < 0) return fault("{}.cuts: {} is negative", field, cuts.front());
    if (quantity == Quantity::kRecency && cuts.back() > kAgeMaxMs)
      return fault("{}.cuts: {} is not from 0 to {}", field, cuts.back(), kAgeMaxMs);
  }
  return absl::OkStatus();
}

absl::Status check_clusters(const std::string& field, const ClusterModel& clusters) {
  const int count = clusters.cluster_count;
  if (count < kClustersMin || count > kClustersMax) {
    return fault("{}.centroids: {} of them, not {} to {}", field, count, kClustersMin,
                 kClustersMax);
  }
  if (clusters.names.size() != static_cast<std::size_t>(count))
    return fault("{}.centroids: {} names for {}", field, clusters.names.size(), count);
  for (const double weight : clusters.weight) {
    absl::Status status = check_number(field + ".weight", weight, kWeightMin, kWeightMax);
    if (!status.ok()) return status;
  }
  for (std::size_t c = 0; c < clusters.names.size(); ++c) {
    for (const double x : clusters.centroids[c]) {
      absl::Status status =
          check_number(fmt::format("{}.centroids[{}].center", field, c), x, 0, kFeatureMax);
      if (!status.ok()) return status;
    }
  }
  return check_number(field + ".inertia_per_customer", clusters.inertia_per_customer, 0,
                      std::numeric_limits<double>::max());
}

// They can take the place of those in force.
absl::Status check_held(const HeldClusters& held, const ModelVersion& version) {
  if (held.epoch < 0 || held.epoch > version.trained_epoch) {
    return fault("held.trained_epoch: {} is not from 0 to {}", held.epoch, version.trained_epoch);
  }
  if (absl::Status status = check_number("held.moved", held.moved, 0, 1); !status.ok())
    return status;
  if (absl::Status status = check_clusters("held.clusters", held.clusters); !status.ok())
    return status;
  if (version.clusters && version.clusters->cluster_count == held.clusters.cluster_count)
    return absl::OkStatus();
  return fault("held.clusters.centroids: {} of them, not as many as in force",
               held.clusters.cluster_count);
}

absl::Status check_churn(const ChurnModel& churn) {
  absl::Status status =
      check_number("churn.nbd_r", churn.nbd_r, kNbdParameterMin, kNbdParameterMax);
  if (status.ok()) {
    status = check_number("churn.nbd_alpha_days", churn.nbd_alpha_days, kNbdParameterMin,
                          kNbdParameterMax);
  }
  for (std::size_t i = 0; i < kHazardFeatureCount && status.ok(); ++i) {
    status = check_number("churn.mean", churn.mean[i], 0, kFeatureMax);
    if (status.ok()) status = check_number("churn.sd", churn.sd[i], 0, kFeatureMax);
  }
  if (!status.ok()) return status;
  const RawHazard raw = raw_hazard(churn);
  for (const double slope : raw.slope) {
    if (!is_within(slope, -kHazardMax, kHazardMax))
      return fault("churn.coefficient: {} for one standard deviation is out of range", slope);
  }
  return check_number("churn.intercept", raw.intercept, -kHazardMax, kHazardMax);
}

bool is_follower(ClusterChange change) {
  return change == ClusterChange::kMoved || change == ClusterChange::kRefitWarm ||
         change == ClusterChange::kRefitChallenger;
}

absl::Status check_cluster_change(const ModelVersion& before, const ModelVersion& version) {
  const ClusterChange change = version.cluster_change;
  if (before.clusters == version.clusters) {
    if (change == ClusterChange::kNone) return absl::OkStatus();
    return fault("cluster_change: the clusters are those of the version before");
  }
  if (!version.clusters) return fault("clusters: they are missing, the version before has them");
  if (!before.clusters) {
    if (change == ClusterChange::kFirstFit) return absl::OkStatus();
    return fault("cluster_change: the version before has no clusters, so it is first_fit");
  }
  if (before.clusters->cluster_count != version.clusters->cluster_count) {
    return fault("clusters.centroids: {} of them, {} in the version before",
                 version.clusters->cluster_count, before.clusters->cluster_count);
  }
  if (!is_follower(change))
    return fault("cluster_change: the clusters are not those of the version before");
  if (change == ClusterChange::kMoved && before.clusters->weight != version.clusters->weight)
    return fault("clusters.weight: it changes only with a refit");
  return absl::OkStatus();
}

}  // namespace

absl::Status check_version(const ModelVersion& version) {
  if (version.number < 0) return fault("version: {} is negative", version.number);
  if (version.trained_epoch < 0 || version.trained_epoch > kEpochsMax)
    return fault("trained_epoch: {} is not from 0 to {}", version.trained_epoch, kEpochsMax);
  if (version.population < 0) return fault("population: {} is negative", version.population);
  if (version.sample_shift < 0 || version.sample_shift > kShiftMax)
    return fault("sample_shift: {} is not from 0 to {}", version.sample_shift, kShiftMax);
  for (std::size_t i = 0; i < version.empty_partitions.size(); ++i) {
    const std::int32_t least = i == 0 ? 0 : version.empty_partitions[i - 1] + 1;
    if (version.empty_partitions[i] < least)
      return fault("empty_partitions: they do not ascend from 0");
  }
  if (absl::Status status = check_cuts(version.cuts); !status.ok()) return status;
  if (version.clusters) {
    if (absl::Status status = check_clusters("clusters", *version.clusters); !status.ok())
      return status;
  }
  if (version.held) {
    if (absl::Status status = check_held(*version.held, version); !status.ok()) return status;
  }
  return version.churn ? check_churn(*version.churn) : absl::OkStatus();
}

absl::Status check_cut_specs(const ModelVersion& version, std::span<const CutSpec> specs) {
  if (version.cuts.empty()) return absl::OkStatus();
  const auto same = [](const TrainedCuts& cuts, const CutSpec& spec) {
    return cuts.quantity == spec.quantity && cuts.method == spec.method && cuts.bins == spec.bins;
  };
  if (std::ranges::equal(version.cuts, specs, same)) return absl::OkStatus();
  return fault("cuts: they are not those that the segmentations of the rules ask for");
}

absl::Status check_successor(const ModelVersion& before, const ModelVersion& version) {
  if (before.churn && !version.churn)
    return fault("churn: it is missing, the version before has it");
  if (absl::Status status = check_cluster_change(before, version); !status.ok()) return status;
  if (version.cuts_changed != (version.cuts != before.cuts))
    return fault("cuts_changed: it is not what the cuts show");
  if (version.churn_changed != (version.churn != before.churn))
    return fault("churn_changed: it is not what the churn model shows");
  const bool same = !version.cuts_changed && !version.churn_changed &&
                    version.cluster_change == ClusterChange::kNone && version.held == before.held &&
                    version.sample_shift == before.sample_shift;
  if (version.unchanged != same) return fault("unchanged: it is not what the version shows");
  if (version.number != before.number + (same ? 0 : 1))
    return fault("version: {} follows {}", version.number, before.number);
  return absl::OkStatus();
}

}  // namespace rfm
