#include "model/kmeans.h"

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <random>

#include "model/deterministic_math.h"
#include "model/lloyd.h"

namespace rfm {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kQuantum = 0x1p-28;
constexpr std::size_t kBlock = kPointBlock;

using Block = Eigen::Array<double, kBlock, 1>;

Eigen::Map<const Block> block_at(const std::vector<double>& column, std::size_t first) {
  return Eigen::Map<const Block>(column.data() + first);
}

// The lesser of `distances` and d2 of the block's points at `first` to `center`, scaled.
Block nearer(const PointColumns& points, std::size_t first, const FeatureVector& center,
             const std::vector<double>& distances) {
  return ((block_at(points.scaled[0], first) - center[0]).square() +
          ((block_at(points.scaled[1], first) - center[1]).square() +
           (block_at(points.scaled[2], first) - center[2]).square()))
      .min(block_at(distances, first));
}

// Sum of values[0, count), always in the same order, which Eigen's own sum is not on every machine:
// eight interleaved sums.
double block_sum(const Block& values, std::size_t count) {
  constexpr Eigen::Index kLanes = 8;
  Eigen::Array<double, kLanes, 1> lanes = Eigen::Array<double, kLanes, 1>::Zero();
  const auto end = static_cast<Eigen::Index>(count);
  Eigen::Index i = 0;
  for (; i + kLanes <= end; i += kLanes) lanes += values.segment<kLanes>(i);
  for (; i < end; ++i) lanes[i % kLanes] += values[i];
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
         ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

double uniform_01(std::mt19937_64& rng) { return static_cast<double>(rng() >> 11) * 0x1p-53; }

// Greedy k-means++: each next seed is the best of 2 + ln k candidates drawn by d2.
class Seeding {
 public:
  Seeding(const PointColumns& points, std::mt19937_64& rng)
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
    total_ = 0;
    for (std::size_t first = 0; first < points_.count; first += kBlock) {
      const Block nearest = nearer(points_, first, center, distance_);
      Eigen::Map<Block>(distance_.data() + first) = nearest;
      total_ += block_sum(nearest, std::min(kBlock, points_.count - first));
    }
  }

  double total_with(std::size_t candidate) const {
    const FeatureVector center = points_.scaled_at(candidate);
    double total = 0;
    for (std::size_t first = 0; first < points_.count; first += kBlock) {
      const Block nearest = nearer(points_, first, center, distance_);
      total += block_sum(nearest, std::min(kBlock, points_.count - first));
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

  const PointColumns& points_;
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

// One set of points twice: what depends on their order uses the first.
struct Points {
  Points(std::span<const FeatureVector> points, const FeatureVector& weight)
      : in_order(make_columns(points, weight)), by_place(sorted_by_place(in_order)) {}

  PointColumns in_order;
  PointColumns by_place;
};

Outcome run_lloyd(const Points& points, std::vector<FeatureVector> start, int iterations_max,
                  double move_min) {
  Lloyd lloyd(points.by_place, std::move(start));
  lloyd.run(iterations_max, move_min);
  const std::span<const std::int64_t> counts = lloyd.counts();
  return {lloyd.centroids(), {counts.begin(), counts.end()}, lloyd.inertia(points.in_order)};
}

// The best of `count` fresh starts on `first_points`, then to its fixed point on `points`.
Outcome best_fresh(const Points& points, const Points& first_points, const KMeansOptions& options,
                   int count) {
  std::mt19937_64 rng(options.seed);
  Outcome best;
  for (int start = 0; start < count; ++start) {
    Seeding seeding(first_points.in_order, rng);
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
  return to_fit(run_lloyd(Points(points, weight), {start.begin(), start.end()}, iterations_max, 0),
                weight, KMeansOrigin::kWarm);
}

KMeansFit refit(std::span<const FeatureVector> points, std::span<const FeatureVector> previous,
                const KMeansOptions& options) {
  const FeatureVector weight = inverse_variances(points);
  const Points all(points, weight);
  const auto first_count = std::min(points.size(), static_cast<std::size_t>(options.fit_rows_max));
  const Points first(points.first(first_count), weight);
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
