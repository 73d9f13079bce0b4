#include "model/nearest_centroid.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

#include "model/deterministic_math.h"

namespace rfm {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::size_t index(int cluster) { return static_cast<std::size_t>(cluster); }

// One customer's way through the centroids as recency grows.
//
// For j != current let g_j(t) = d2[j] - (1 - h) d2[current], computed as decide() does: a switch
// happens where some g_j < 0. In the scaled recency coordinate x every g_j is a parabola h x^2 - 2
// B_j x + C_j (a line for h = 0), so that it turns negative at most once. The root says where;
// evaluating g itself settles the millisecond.
class Path {
 public:
  Path(const ClusterModel& model, const SilentCustomer& customer, double hysteresis)
      : model_(model), customer_(customer), keep_(1 - hysteresis), hysteresis_(hysteresis) {}

  // min over j of g_j at recency `x0`. Negative exactly where decide() switches.
  double gap(double x0) const {
    const FeatureVector x = {x0, customer_.f, customer_.m};
    const double kept = keep_ * squared_distance(model_.weight, x, centroid(customer_.current));
    double smallest = kInfinity;
    for (int j = 0; j < model_.cluster_count; ++j) {
      if (j == customer_.current) continue;
      smallest = std::min(smallest, squared_distance(model_.weight, x, centroid(j)) - kept);
    }
    return smallest;
  }

  double gap_at(std::int64_t at_ms) const {
    return gap(recency_feature(customer_.last_purchase_ms, at_ms));
  }

  // A gap above this is positive for certain; below it, rounding may have given the sign.
  double gap_noise(std::int64_t at_ms) const {
    const FeatureVector x = {recency_feature(customer_.last_purchase_ms, at_ms), customer_.f,
                             customer_.m};
    double largest = 1;
    for (int j = 0; j < model_.cluster_count; ++j) {
      largest = std::max(largest, squared_distance(model_.weight, x, centroid(j)));
    }
    return 0x1p-47 * largest;
  }

  // Smallest raw step y in [0, y_max] from recency x0 with g_j(x0 + y) <= 0 in real numbers, or a
  // step that touches zero up to rounding; infinite if there is none. Takes g_j(x0) >= 0 for
  // granted.
  double first_root(int j, double x0, double y_max) const {
    const FeatureVector& a = centroid(j);
    const FeatureVector& c = centroid(customer_.current);
    const FeatureVector x = {x0, customer_.f, customer_.m};
    const double weight = model_.weight[0];
    // g(y) / weight = h y^2 - 2 b y + g0.
    const double b = (a[0] - x0) - keep_ * (c[0] - x0);
    if (!(b > 0)) return kInfinity;
    const double kept = keep_ * squared_distance(model_.weight, x, c);
    const double other = squared_distance(model_.weight, x, a);
    const double noise = 0x1p-46 * (1 + other + kept) / weight;
    const double g0 = std::max(0.0, (other - kept) / weight);
    // The lowest value in reach; most customers are done here.
    const double y_low = hysteresis_ * y_max < b ? y_max : b / hysteresis_;
    if ((hysteresis_ * y_low - 2 * b) * y_low + g0 > noise) return kInfinity;
    const double root = g0 / (b + std::sqrt(std::max(0.0, b * b - hysteresis_ * g0)));
    return std::min(root, y_max);
  }

  // Smallest t in [from, until] with a switch near `estimate`, before which every gap is positive.
  std::optional<std::int64_t> settle(std::int64_t estimate, std::int64_t from,
                                     std::int64_t until) const {
    std::int64_t high = std::clamp(estimate, from, until);
    const double noise = gap_noise(high);
    for (std::int64_t step = 1; high < until && gap_at(high) > noise; step *= 2) {
      if (step > kSearchMaxMs) return std::nullopt;
      high = std::min(until, high + step);
    }
    std::int64_t low = std::min(high, std::clamp(estimate, from, until));
    for (std::int64_t step = 1; low > from && gap_at(low) <= noise; step *= 2) {
      low = std::max(from, low - step);
    }
    while (low < high) {  // The first instant whose gap is not certainly positive.
      const std::int64_t middle = low + (high - low) / 2;
      if (gap_at(middle) <= noise) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    for (; low <= until; ++low) {  // Through the noise, usually no step at all.
      const double g = gap_at(low);
      if (g < 0) return low;
      if (g > noise) return std::nullopt;
    }
    return std::nullopt;
  }

 private:
  static constexpr std::int64_t kSearchMaxMs = 1 << 20;

  const FeatureVector& centroid(int j) const { return model_.centroids[index(j)]; }

  const ClusterModel& model_;
  const SilentCustomer& customer_;
  double keep_;
  double hysteresis_;
};

}  // namespace

double recency_feature(std::int64_t last_purchase_ms, std::int64_t at_ms) {
  const std::int64_t age_ms = std::max<std::int64_t>(0, at_ms - last_purchase_ms);
  return det_log1p_finite(static_cast<double>(age_ms) / kDayMs);
}

int nearest(const ClusterModel& model, const FeatureVector& x) {
  int best = 0;
  double best_distance = squared_distance(model.weight, x, model.centroids[0]);
  for (int j = 1; j < model.cluster_count; ++j) {
    const double distance = squared_distance(model.weight, x, model.centroids[index(j)]);
    if (distance < best_distance) {
      best = j;
      best_distance = distance;
    }
  }
  return best;
}

int decide(const ClusterModel& model, const FeatureVector& x, int current, double hysteresis) {
  const int best = nearest(model, x);
  if (current < 0 || best == current) return best;
  const double to_best = squared_distance(model.weight, x, model.centroids[index(best)]);
  const double to_current = squared_distance(model.weight, x, model.centroids[index(current)]);
  return to_best < (1 - hysteresis) * to_current ? best : current;
}

std::optional<std::int64_t> next_switch_ms(const ClusterModel& model,
                                           const SilentCustomer& customer, double hysteresis,
                                           std::int64_t after_ms, std::int64_t until_ms) {
  if (until_ms <= after_ms || model.cluster_count < 2) return std::nullopt;
  const Path path(model, customer, hysteresis);
  const std::int64_t from = after_ms + 1;
  const double x0 = recency_feature(customer.last_purchase_ms, from);
  if (path.gap(x0) < 0) return from;
  const double y_max = recency_feature(customer.last_purchase_ms, until_ms) - x0;

  std::array<double, kClustersMax> roots{};
  std::size_t root_count = 0;
  for (int j = 0; j < model.cluster_count; ++j) {
    if (j == customer.current) continue;
    const double root = path.first_root(j, x0, y_max);
    if (root < kInfinity) roots[root_count++] = root;
  }
  std::sort(roots.begin(), roots.begin() + static_cast<std::ptrdiff_t>(root_count));
  for (std::size_t i = 0; i < root_count; ++i) {
    const double age_ms = det_expm1(x0 + roots[i]) * kDayMs;
    const std::int64_t remaining = until_ms - customer.last_purchase_ms;
    const std::int64_t estimate =
        customer.last_purchase_ms +
        (age_ms < static_cast<double>(remaining) ? static_cast<std::int64_t>(age_ms) : remaining);
    const std::optional<std::int64_t> found = path.settle(estimate, from, until_ms);
    if (found) return found;  // A root without a switch only touches zero.
  }
  return std::nullopt;
}

// As x[0] grows a distance is a convex function: above its tangent, which bounds the others, and
// below its chord, which bounds the current one. So dist_j - k dist_current is above a straight
// line for every j, and the least of them, which is concave, above the chord of its ends.
SwitchMargin switch_margin(const ClusterModel& model, const FeatureVector& x, int current,
                           double hysteresis, double recency_span) {
  const double keep = std::sqrt(1 - hysteresis);
  const FeatureVector x_end = {x[0] + recency_span, x[1], x[2]};
  const FeatureVector& own = model.centroids[index(current)];
  const double kept = keep * std::sqrt(squared_distance(model.weight, x, own));
  const double kept_end = keep * std::sqrt(squared_distance(model.weight, x_end, own));
  SwitchMargin margin{.now = kInfinity, .at_span = kInfinity};
  for (int j = 0; j < model.cluster_count; ++j) {
    if (j == current) continue;
    const FeatureVector& other = model.centroids[index(j)];
    const double distance = std::sqrt(squared_distance(model.weight, x, other));
    const double slope =
        distance > 0 ? model.weight[0] * (x[0] - other[0]) / distance : -std::sqrt(model.weight[0]);
    margin.now = std::min(margin.now, distance - kept);
    margin.at_span = std::min(margin.at_span, distance + slope * recency_span - kept_end);
  }
  return {.now = margin.now / (1 + keep), .at_span = margin.at_span / (1 + keep)};
}

double centroid_move_max(const ClusterModel& before, const ClusterModel& after) {
  if (before.cluster_count != after.cluster_count || before.weight != after.weight)
    return kInfinity;
  double largest = 0;
  for (int j = 0; j < after.cluster_count; ++j) {
    largest = std::max(largest, squared_distance(after.weight, before.centroids[index(j)],
                                                 after.centroids[index(j)]));
  }
  return std::sqrt(largest);
}

}  // namespace rfm
