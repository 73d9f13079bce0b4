// What speaks for one number of clusters or another: figures of fresh fits on one weekly sample, of
// the optimal classes of each axis, and of how memberships last from refit to refit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/contribution.h"
#include "model/kmeans.h"
#include "model/model_version.h"
#include "model/segmentation_spec.h"
#include "model/training.h"
#include "state/event_time.h"

namespace rfm {

// log1p of R (days), F and max(M, 0) (currency units) at `at`, in the sample's order.
std::vector<FeatureVector> points_of(std::span<const SampleRow> sample, EventTime at);

// What a batch program finds: the best of ten k-means++ starts, each on all points (at least as
// many as clusters).
inline constexpr int kFreshStarts = 10;
KMeansFit fresh_fit(std::span<const FeatureVector> points, int cluster_count);

struct RefitSample {
  EventTime at{};
  std::vector<SampleRow> rows;  // Of all partitions, sorted by id_hash.
};

// A fresh fit (fresh_fit), its figures in z-scores of log1p of R, F, M (model/cluster_validity.h).
struct ClusterCountFigures {
  int cluster_count = 0;
  double inertia = 0;
  double silhouette = 0;  // Exact, of the first silhouette_rows_max rows.
  double simplified_silhouette = 0;
  double calinski_harabasz = 0;
  double davies_bouldin = 0;
  double smallest_share = 0;  // Of the customers, those in the smallest cluster.
};

// The exact silhouette compares every customer with every other. Of more than so many those with
// the lowest hashes of their ids are taken.
inline constexpr std::size_t kSilhouetteRowsMax = 8192;

// `points`: of a sample in its order (points_of), more than there are clusters.
ClusterCountFigures judge_cluster_count(std::span<const FeatureVector> points, int cluster_count,
                                        std::size_t silhouette_rows_max = kSilhouetteRowsMax);

// The optimal classes of one axis alone (natural_breaks).
struct AxisClasses {
  std::vector<std::int64_t> cuts;  // class_count - 1, ascending; the axis's own units.
  double squares_left = 0;         // Sum of squared deviations from the classes' means.
};
AxisClasses split_axis(std::span<const std::int64_t> values, int class_count);

// The values of kRecency, kFrequency or kMonetary, as axis_value gives them.
std::vector<std::int64_t> axis_values(const RefitSample& sample, Quantity quantity);

// Means over pairs of successive refits of the adjusted Rand index of two memberships.
struct MembershipStability {
  std::size_t pair_count = 0;
  // Of the later refit's customers as they stand then, by the centroids of the earlier refit and by
  // those of the later one: what the refit alone changes.
  double by_refit = 0;
  // Of the customers in both samples, each as of its own refit: what the customers' own moves
  // change too.
  double by_time = 0;
};

// Refits for each of several cluster counts over a history, as the service does it: warm, against
// challengers. Its daily moves of the centroids are left out.
class RefitWalk {
 public:
  // Counts from `first` to `last`.
  RefitWalk(int first, int last, const TrainingOptions& training);

  // In order of time; at least `last` customers.
  void add(const RefitSample& sample);

  MembershipStability stability(int cluster_count) const;

 private:
  struct Chain {
    int cluster_count = 0;
    ClusterModel model{};       // Of the last refit.
    std::vector<int> labels{};  // Of its sample.
    std::size_t pair_count = 0;
    double by_refit_sum = 0;
    double by_time_sum = 0;
  };

  void add(const RefitSample& sample, std::span<const FeatureVector> points, Chain& chain) const;

  TrainingOptions training_;
  std::vector<Chain> chains_;
  std::vector<std::uint64_t> hashes_;  // Of the last sample, ascending.
};

}  // namespace rfm
