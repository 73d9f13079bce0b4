// Lloyd's algorithm (1982) with the bounds of Hamerly (2010), and the points it runs on. Part of
// kmeans.h, which says what is exact.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/model_version.h"

namespace rfm {

// Points per inner loop: constant, so that it vectorises.
inline constexpr std::size_t kPointBlock = 64;

// Points feature by feature, padded to whole blocks with copies of the last point.
struct PointColumns {
  std::size_t count = 0;
  std::array<std::vector<double>, kFeatureCount> raw;     // Multiples of 2^-28.
  std::array<std::vector<double>, kFeatureCount> scaled;  // raw * sqrt(weight).
  FeatureVector scale{};

  FeatureVector scaled_at(std::size_t i) const {
    return {scaled[0][i], scaled[1][i], scaled[2][i]};
  }
};

PointColumns make_columns(std::span<const FeatureVector> points, const FeatureVector& weight);

// The same points, those that are near each other mostly side by side. At least one.
PointColumns sorted_by_place(const PointColumns& points);

// Groups of four points are skipped while the centroids have not travelled far enough since the
// group was last looked at to change any of its labels. Skipping needs a clear gap, so that the
// outcome is the plain one, whatever the order of the points; it is skipped the more the nearer to
// each other the points of a group are.
class Lloyd {
 public:
  // `points` must outlive this.
  Lloyd(const PointColumns& points, std::vector<FeatureVector> centroids);

  // Until no centroid moves by more than `move_min` (scaled units), at most `iterations_max` steps.
  void run(int iterations_max, double move_min);

  // Sum of d2 of `points` to the nearest centroid: its bits depend on their order.
  double inertia(const PointColumns& points) const;

  const std::vector<FeatureVector>& centroids() const { return raw_; }
  // Members of each cluster.
  std::span<const std::int64_t> counts() const { return std::span(counts_).first(k_); }

 private:
  FeatureVector to_scaled(const FeatureVector& raw) const;
  double move_centroids();
  bool reassign();
  void relabel(std::size_t i, std::uint8_t label);

  const PointColumns& points_;
  std::size_t k_;
  std::vector<FeatureVector> raw_;
  std::vector<FeatureVector> scaled_;
  std::vector<std::uint8_t> label_;  // k at first.
  // Of each group: its label, k where it has several; and what travelled_ of this may be before any
  // of its labels can change.
  std::vector<std::uint8_t> common_label_;
  std::vector<double> expiry_;
  // Of each label: sum over the steps of its centroid's move and the largest of the others'. The
  // last one: of the two largest moves.
  std::vector<double> travelled_;
  std::vector<double> moves_;  // Of the last step.
  // Of each label. The last one, which is no cluster, holds minus what has got a label.
  std::vector<FeatureVector> sums_;
  std::vector<std::int64_t> counts_;
};

}  // namespace rfm
