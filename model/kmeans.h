// K-Means by Lloyd's algorithm (1982) with Hamerly's bounds (2010) and greedy k-means++ seeding
// (Arthur and Vassilvitskii, 2007), and the weekly refit: a warm start against fresh challengers.
//
// Deterministic: coordinates are rounded to multiples of 2^-28, so that sums of up to 2^20 points
// are exact and do not depend on their order; random numbers are std::mt19937_64 bits, no std
// distribution.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/model_version.h"

namespace rfm {

struct KMeansOptions {
  int cluster_count = 5;
  std::uint64_t seed = 0;
  int first_start_count = 10;     // k-means++ starts where there is no previous model.
  int challenger_count = 5;       // k-means++ starts against a warm one.
  double challenger_gain = .005;  // A challenger is taken if it is better by more than this share.
  int fit_rows_max =
      8192;  // Starts run on the first this many points; only the best is polished on all.
  int iterations_max = 300;
};

enum class KMeansOrigin : std::uint8_t { kFirst, kWarm, kChallenger };

struct KMeansFit {
  std::vector<FeatureVector>
      centroids;  // Raw log1p space. Rows of a warm fit keep the previous order.
  std::vector<std::int64_t> member_counts;
  FeatureVector weight{};
  double inertia = 0;  // Sum over the points of d2 to the nearest centroid.
  KMeansOrigin origin = KMeansOrigin::kFirst;
};

// 1 / variance (ddof 0) of each feature; 1 where the variance is 0.
FeatureVector inverse_variances(std::span<const FeatureVector> points);

// Lloyd from `start` to its fixed point. A cluster without points keeps its centroid.
KMeansFit lloyd(std::span<const FeatureVector> points, const FeatureVector& weight,
                std::span<const FeatureVector> start, int iterations_max);

// `previous` empty: best of `first_start_count` fresh starts. Otherwise Lloyd from `previous`, or
// the best of `challenger_count` fresh starts if that is better by more than `challenger_gain`. Its
// centroids are in no particular order then (hungarian.h). Needs at least `cluster_count` points,
// `previous` empty or of that size. The points' order matters only beyond `fit_rows_max`: the
// caller sorts by id hash.
KMeansFit refit(std::span<const FeatureVector> points, std::span<const FeatureVector> previous,
                const KMeansOptions& options);

}  // namespace rfm
