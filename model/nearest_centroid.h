// Which cluster a customer belongs to, and when silence alone will change it.
#pragma once

#include <cstdint>
#include <optional>

#include "model/day.h"
#include "model/model_version.h"

namespace rfm {

// log1p of recency in days at `at_ms`; 0 up to the last purchase.
double recency_feature(std::int64_t last_purchase_ms, std::int64_t at_ms);

// sum_i weight[i] (x[i] - c[i])^2.
inline double squared_distance(const FeatureVector& weight, const FeatureVector& x,
                               const FeatureVector& c) {
  const double r = x[0] - c[0];
  const double f = x[1] - c[1];
  const double m = x[2] - c[2];
  return weight[0] * (r * r) + (weight[1] * (f * f) + weight[2] * (m * m));
}

// Id of the nearest centroid; ties: lowest id. `model.cluster_count` >= 1.
int nearest(const ClusterModel& model, const FeatureVector& x);

// The cluster after hysteresis: the nearest one j if d2[j] < (1 - hysteresis) d2[current], else
// `current`. current = -1: none yet, the nearest.
int decide(const ClusterModel& model, const FeatureVector& x, int current, double hysteresis);

// A customer's features that time does not change, and what they are compared with.
struct SilentCustomer {
  double f = 0;  // log1p F, raw.
  double m = 0;  // log1p max(M, 0), raw.
  std::int64_t last_purchase_ms = 0;
  int current = 0;  // Cluster id, >= 0.
};

// Smallest t in (after_ms, until_ms] with decide(x(t)) != current, where x(t) =
// (recency_feature(last, t), f, m). Exact to the millisecond with respect to decide(); hence the
// same whatever `after_ms` it is asked from.
std::optional<std::int64_t> next_switch_ms(const ClusterModel& model,
                                           const SilentCustomer& customer, double hysteresis,
                                           std::int64_t after_ms, std::int64_t until_ms);

// How far the centroids may move, each by at most this in scaled distance units and with the same
// weights, before decide() gives something else than `current`: (dist_j - k dist_current) / (1 + k)
// with k = sqrt(1 - hysteresis), the least over j != current (Hamerly, 2010). Negative: it may
// already. Infinite if there is one cluster.
struct SwitchMargin {
  double now = 0;      // While the customer is at x.
  double at_span = 0;  // After x[0] has grown by the span.
  // In between, where x[0] has grown by a share s of the span, the margin is at least now + s
  // (at_span - now).
};
// `recency_span` >= 0: in units of x[0].
SwitchMargin switch_margin(const ClusterModel& model, const FeatureVector& x, int current,
                           double hysteresis, double recency_span);

// The largest move of a centroid from `before` to `after` in scaled units, which is what a margin
// is held against; infinite where the weights or the cluster counts differ.
double centroid_move_max(const ClusterModel& before, const ClusterModel& after);

}  // namespace rfm
