#include "model/kmeans.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>

#include "model/deterministic_math.h"
#include "model/two_doubles.h"

namespace rfm {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kQuantum = 0x1p-28;
constexpr double kRoundToQuantum = 0x1.8p24;  // Adding it leaves multiples of kQuantum.
constexpr std::size_t kBlock = 64;  // Points per inner loop: constant, so that it vectorises.

using Block = std::array<double, kBlock>;

// The points feature by feature, padded to whole blocks with copies of the last point.
struct Points {
  std::size_t count = 0;
  std::array<std::vector<double>, kFeatureCount> raw;     // Multiples of kQuantum.
  std::array<std::vector<double>, kFeatureCount> scaled;  // raw * sqrt(weight).
  FeatureVector scale{};

  FeatureVector scaled_at(std::size_t i) const {
    return {scaled[0][i], scaled[1][i], scaled[2][i]};
  }
};

Points make_points(std::span<const FeatureVector> points, const FeatureVector& weight) {
  Points result;
  result.count = points.size();
  const std::size_t padded = (points.size() + kBlock - 1) / kBlock * kBlock;
  for (std::size_t f = 0; f < kFeatureCount; ++f) {
    result.scale[f] = std::sqrt(weight[f]);
    result.raw[f].resize(padded);
    result.scaled[f].resize(padded);
    for (std::size_t i = 0; i < points.size(); ++i) {
      result.raw[f][i] = (points[i][f] + kRoundToQuantum) - kRoundToQuantum;
      result.scaled[f][i] = result.raw[f][i] * result.scale[f];
    }
    for (std::size_t i = points.size(); i < padded; ++i) {
      result.raw[f][i] = result.raw[f][i - 1];
      result.scaled[f][i] = result.scaled[f][i - 1];
    }
  }
  return result;
}

double squared(const FeatureVector& a, const FeatureVector& b) {
  const double r = a[0] - b[0];
  const double f = a[1] - b[1];
  const double m = a[2] - b[2];
  return r * r + (f * f + m * m);
}

// d2 of the block's points at `first` to `center`, scaled.
Block block_distances(const Points& points, std::size_t first, const FeatureVector& center) {
  const double* r = points.scaled[0].data() + first;
  const double* f = points.scaled[1].data() + first;
  const double* m = points.scaled[2].data() + first;
  Block distances;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const double dr = r[i] - center[0];
    const double df = f[i] - center[1];
    const double dm = m[i] - center[2];
    distances[i] = dr * dr + (df * df + dm * dm);
  }
  return distances;
}

// Sum of values[0, count), always in the same order: eight interleaved sums.
double block_sum(const Block& values, std::size_t count) {
  std::array<double, 8> lanes{};
  for (std::size_t i = 0; i < count; ++i) lanes[i % 8] += values[i];
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
         ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

// Lloyd's algorithm on groups of four points. A group is skipped while the centroids have not
// travelled far enough since it was last looked at to change any of its labels: the bounds of
// Hamerly (2010), kept per group and as the one difference between second and first distance.
// Skipping needs a clear gap, so that the outcome is the plain one.
class Lloyd {
 public:
  Lloyd(const Points& points, std::vector<FeatureVector> centroids)
      : points_(points),
        k_(centroids.size()),
        raw_(std::move(centroids)),
        scaled_(k_),
        label_(points.raw[0].size(), kNoLabel),
        expiry_(points.raw[0].size() / kGroup, -kInfinity),
        sums_(k_),
        counts_(k_) {
    for (std::size_t j = 0; j < k_; ++j) scaled_[j] = to_scaled(raw_[j]);
  }

  // Until no centroid moves by more than `move_min` (scaled units), at most `iterations_max` steps.
  void run(int iterations_max, double move_min) {
    reassign();
    for (int iteration = 1; iteration < iterations_max; ++iteration) {
      if (move_centroids() <= move_min || !reassign()) break;
    }
    move_centroids();
  }

  // Sum of d2 to the nearest centroid, always in the same order.
  double inertia() const {
    std::array<double, kGroup> lanes{};
    for (std::size_t first = 0; first < points_.count; first += kGroup) {
      const Nearest found = nearest(first);
      const std::size_t count = std::min(kGroup, points_.count - first);
      for (std::size_t i = 0; i < count; ++i) lanes[i] += found.best[i];
    }
    return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
  }

  const std::vector<FeatureVector>& centroids() const { return raw_; }
  const std::vector<std::int64_t>& counts() const { return counts_; }

 private:
  static constexpr std::size_t kGroup = 4;
  static constexpr std::uint8_t kNoLabel = 255;
  static constexpr std::uint64_t kLabelMask =
      kClustersMax - 1;  // In the lowest bits of a distance.
  static constexpr double kGapSlack =
      1e-9;  // Rounding is some 1e-15 a step, distances of the order of 1.

  // d2 to the nearest and second nearest centroid. The nearest one's id is in the lowest bits of
  // `best`: this makes the minimum carry it along, at a relative error of 2^-48; ties go to the
  // lowest id.
  struct Nearest {
    std::array<double, kGroup> best;
    std::array<double, kGroup> second;
  };

  FeatureVector to_scaled(const FeatureVector& raw) const {
    return {raw[0] * points_.scale[0], raw[1] * points_.scale[1], raw[2] * points_.scale[2]};
  }

  Nearest nearest(std::size_t first) const {
    Nearest found;
    for (std::size_t half = 0; half < kGroup; half += 2) {
      const Two r = load_two(points_.scaled[0].data() + first + half);
      const Two f = load_two(points_.scaled[1].data() + first + half);
      const Two m = load_two(points_.scaled[2].data() + first + half);
      Two best = {kInfinity, kInfinity};
      Two second = {kInfinity, kInfinity};
      for (std::size_t j = 0; j < k_; ++j) {
        const Two dr = r - scaled_[j][0];
        const Two df = f - scaled_[j][1];
        const Two dm = m - scaled_[j][2];
        const Two d = dr * dr + (df * df + dm * dm);
        const auto bits = (std::bit_cast<TwoBits>(d) & ~kLabelMask) | static_cast<std::uint64_t>(j);
        const Two tagged = std::bit_cast<Two>(bits);
        second = smaller(second, larger(best, tagged));
        best = smaller(best, tagged);
      }
      store_two(found.best.data() + half, best);
      store_two(found.second.data() + half, second);
    }
    return found;
  }

  // To the members' means. The largest move.
  double move_centroids() {
    double largest = 0;
    double next_largest = 0;
    for (std::size_t j = 0; j < k_; ++j) {
      if (counts_[j] == 0) continue;
      const auto n = static_cast<double>(counts_[j]);
      const FeatureVector mean = {sums_[j][0] / n, sums_[j][1] / n, sums_[j][2] / n};
      const FeatureVector center = to_scaled(mean);
      const double move = std::sqrt(squared(center, scaled_[j]));
      raw_[j] = mean;
      scaled_[j] = center;
      next_largest = std::max(next_largest, std::min(move, largest));
      largest = std::max(largest, move);
    }
    travelled_ += largest + next_largest;
    return largest;
  }

  // Every point to its nearest centroid. False if no label changed.
  bool reassign() {
    bool changed = false;
    for (std::size_t group = 0; group < expiry_.size(); ++group) {
      if (travelled_ < expiry_[group]) continue;
      const std::size_t first = group * kGroup;
      const Nearest found = nearest(first);
      double gap = kInfinity;
      for (std::size_t i = 0; i < kGroup; ++i) {
        gap = std::min(gap, std::sqrt(found.second[i]) - std::sqrt(found.best[i]));
      }
      expiry_[group] = travelled_ + gap - kGapSlack;
      for (std::size_t i = 0; i < kGroup; ++i) {
        const auto label =
            static_cast<std::uint8_t>(std::bit_cast<std::uint64_t>(found.best[i]) & kLabelMask);
        if (label == label_[first + i] || first + i >= points_.count) continue;
        relabel(first + i, label);
        changed = true;
      }
    }
    return changed;
  }

  void relabel(std::size_t i, std::uint8_t label) {
    const std::uint8_t before = label_[i];
    label_[i] = label;
    for (std::size_t f = 0; f < kFeatureCount; ++f) {
      if (before != kNoLabel) sums_[before][f] -= points_.raw[f][i];
      sums_[label][f] += points_.raw[f][i];
    }
    if (before != kNoLabel) --counts_[before];
    ++counts_[label];
  }

  const Points& points_;
  std::size_t k_;
  std::vector<FeatureVector> raw_;
  std::vector<FeatureVector> scaled_;
  std::vector<std::uint8_t> label_;
  std::vector<double>
      expiry_;            // Of each group: the value of travelled_ up to which its labels stand.
  double travelled_ = 0;  // Sum over the steps of the two largest centroid moves.
  std::vector<FeatureVector> sums_;
  std::vector<std::int64_t> counts_;
};

double uniform_01(std::mt19937_64& rng) { return static_cast<double>(rng() >> 11) * 0x1p-53; }

// Greedy k-means++: each next seed is the best of 2 + ln k candidates drawn by d2.
class Seeding {
 public:
  Seeding(const Points& points, std::mt19937_64& rng)
      : points_(points), rng_(rng), distance_(points.raw[0].size(), kInfinity) {}

  std::vector<FeatureVector> run(std::size_t k) {
    const auto n = static_cast<double>(points_.count);
    const auto trials = static_cast<std::size_t>(2 + det_log(static_cast<double>(k)));
    take(static_cast<std::size_t>(uniform_01(rng_) * n));
    while (seeds_.size() < k) {
      std::size_t chosen = 0;
      double chosen_total = kInfinity;
      for (std::size_t trial = 0; trial < trials; ++trial) {
        const std::size_t candidate = draw();
        const double total = total_with(candidate);
        if (total < chosen_total) {
          chosen = candidate;
          chosen_total = total;
        }
      }
      take(chosen);
    }
    return seeds_;
  }

 private:
  void take(std::size_t i) {
    seeds_.push_back({points_.raw[0][i], points_.raw[1][i], points_.raw[2][i]});
    const FeatureVector center = points_.scaled_at(i);
    Block to_center{};
    total_ = 0;
    for (std::size_t first = 0; first < points_.count; first += kBlock) {
      to_center = block_distances(points_, first, center);
      double* own = distance_.data() + first;
      for (std::size_t j = 0; j < kBlock; ++j) {
        own[j] = to_center[j] < own[j] ? to_center[j] : own[j];
        to_center[j] = own[j];
      }
      total_ += block_sum(to_center, std::min(kBlock, points_.count - first));
    }
  }

  double total_with(std::size_t candidate) const {
    const FeatureVector center = points_.scaled_at(candidate);
    Block to_center{};
    double total = 0;
    for (std::size_t first = 0; first < points_.count; first += kBlock) {
      to_center = block_distances(points_, first, center);
      const double* own = distance_.data() + first;
      for (std::size_t j = 0; j < kBlock; ++j)
        to_center[j] = own[j] < to_center[j] ? own[j] : to_center[j];
      total += block_sum(to_center, std::min(kBlock, points_.count - first));
    }
    return total;
  }

  // A point with probability proportional to its d2 to the seeds.
  std::size_t draw() {
    double rest = uniform_01(rng_) * total_;
    for (std::size_t i = 0; i < points_.count; ++i) {
      rest -= distance_[i];
      if (rest < 0) return i;
    }
    return points_.count - 1;
  }

  const Points& points_;
  std::mt19937_64& rng_;
  std::vector<double> distance_;  // d2 to the nearest seed.
  double total_ = 0;
  std::vector<FeatureVector> seeds_;
};

struct Outcome {
  std::vector<FeatureVector> centroids;
  std::vector<std::int64_t> counts;
  double inertia = kInfinity;
};

constexpr double kStartMoveMin =
    1e-3;  // Enough to rank starts; the best goes on to its fixed point.

Outcome run_lloyd(const Points& points, std::vector<FeatureVector> start, int iterations_max,
                  double move_min) {
  Lloyd lloyd(points, std::move(start));
  lloyd.run(iterations_max, move_min);
  return {lloyd.centroids(), lloyd.counts(), lloyd.inertia()};
}

// The best of `count` fresh starts on `first_points`, then to its fixed point on `points`.
Outcome best_fresh(const Points& points, const Points& first_points, const KMeansOptions& options,
                   int count) {
  std::mt19937_64 rng(options.seed);
  Outcome best;
  for (int start = 0; start < count; ++start) {
    Seeding seeding(first_points, rng);
    std::vector<FeatureVector> seeds = seeding.run(static_cast<std::size_t>(options.cluster_count));
    Outcome outcome =
        run_lloyd(first_points, std::move(seeds), options.iterations_max, kStartMoveMin);
    if (outcome.inertia < best.inertia) best = std::move(outcome);
  }
  return run_lloyd(points, std::move(best.centroids), options.iterations_max, 0);
}

KMeansFit to_fit(Outcome outcome, const FeatureVector& weight, KMeansOrigin origin) {
  return {.centroids = std::move(outcome.centroids),
          .member_counts = std::move(outcome.counts),
          .weight = weight,
          .inertia = outcome.inertia,
          .origin = origin};
}

}  // namespace

FeatureVector inverse_variances(std::span<const FeatureVector> points) {
  FeatureVector weight = {1, 1, 1};
  const auto n = static_cast<double>(points.size());
  for (std::size_t f = 0; f < kFeatureCount; ++f) {
    double sum = 0;
    for (const FeatureVector& x : points) sum += x[f];
    const double mean = sum / n;
    double squares = 0;
    for (const FeatureVector& x : points) squares += (x[f] - mean) * (x[f] - mean);
    const double variance = squares / n;
    if (variance > kQuantum * kQuantum) weight[f] = 1 / variance;
  }
  return weight;
}

KMeansFit lloyd(std::span<const FeatureVector> points, const FeatureVector& weight,
                std::span<const FeatureVector> start, int iterations_max) {
  return to_fit(
      run_lloyd(make_points(points, weight), {start.begin(), start.end()}, iterations_max, 0),
      weight, KMeansOrigin::kWarm);
}

KMeansFit refit(std::span<const FeatureVector> points, std::span<const FeatureVector> previous,
                const KMeansOptions& options) {
  const FeatureVector weight = inverse_variances(points);
  const Points all = make_points(points, weight);
  const auto first_count = std::min(points.size(), static_cast<std::size_t>(options.fit_rows_max));
  const Points first = make_points(points.first(first_count), weight);
  if (previous.empty()) {
    return to_fit(best_fresh(all, first, options, options.first_start_count), weight,
                  KMeansOrigin::kFirst);
  }
  Outcome warm = run_lloyd(all, {previous.begin(), previous.end()}, options.iterations_max, 0);
  if (options.challenger_count > 0) {
    Outcome challenger = best_fresh(all, first, options, options.challenger_count);
    if (challenger.inertia < (1 - options.challenger_gain) * warm.inertia) {
      return to_fit(std::move(challenger), weight, KMeansOrigin::kChallenger);
    }
  }
  return to_fit(std::move(warm), weight, KMeansOrigin::kWarm);
}

}  // namespace rfm
