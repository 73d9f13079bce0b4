#include "model/lloyd.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "model/two_doubles.h"

namespace rfm {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kRoundToQuantum = 0x1.8p24;  // Adding it leaves multiples of 2^-28.
constexpr std::size_t kGroup = 4;
constexpr std::uint64_t kLabelMask = kClustersMax - 1;  // In the lowest bits of a distance.
// Rounding is some 1e-15 a step, distances of the order of 1.
constexpr double kGapSlack = 1e-9;
constexpr std::size_t kCellsPerFeature = 16;

std::size_t padded_size(std::size_t count) {
  return (count + kPointBlock - 1) / kPointBlock * kPointBlock;
}

double squared(const FeatureVector& a, const FeatureVector& b) {
  const double r = a[0] - b[0];
  const double f = a[1] - b[1];
  const double m = a[2] - b[2];
  return r * r + (f * f + m * m);
}

Two square_root(Two x) {
#ifdef __SSE2__
  return _mm_sqrt_pd(x);
#else
  return Two{std::sqrt(x[0]), std::sqrt(x[1])};
#endif
}

// A centroid as the loop below wants it, in both halves of a register each.
struct Target {
  std::array<Two, kFeatureCount> center;
  TwoBits id;
};

class Targets {
 public:
  explicit Targets(const std::vector<FeatureVector>& centroids) : count_(centroids.size()) {
    for (std::size_t j = 0; j < count_; ++j) {
      for (std::size_t f = 0; f < kFeatureCount; ++f)
        targets_[j].center[f] = Two{centroids[j][f], centroids[j][f]};
      targets_[j].id = TwoBits{j, j};
    }
  }

  const Target* begin() const { return targets_.data(); }
  const Target* end() const { return targets_.data() + count_; }

 private:
  std::array<Target, kClustersMax> targets_;
  std::size_t count_;
};

// d2 of four points to their nearest and second nearest centroid, two points each. The nearest
// one's id is in the lowest bits of `best`: this makes the minimum carry it along, at a relative
// error of 2^-48; ties go to the lowest id.
struct Nearest {
  std::array<Two, 2> best = {Two{kInfinity, kInfinity}, Two{kInfinity, kInfinity}};
  std::array<Two, 2> second = best;
};

inline Two tagged_distance(const std::array<Two, kFeatureCount>& point, const Target& target) {
  const Two r = point[0] - target.center[0];
  const Two f = point[1] - target.center[1];
  const Two m = point[2] - target.center[2];
  const Two d = r * r + (f * f + m * m);
  return std::bit_cast<Two>((std::bit_cast<TwoBits>(d) & ~kLabelMask) | target.id);
}

inline Nearest nearest(const PointColumns& points, std::size_t first, const Targets& targets) {
  std::array<Two, kFeatureCount> front;
  std::array<Two, kFeatureCount> back;
  for (std::size_t f = 0; f < kFeatureCount; ++f) {
    front[f] = load_two(points.scaled[f].data() + first);
    back[f] = load_two(points.scaled[f].data() + first + 2);
  }
  Nearest found;
  for (const Target& target : targets) {
    const Two d0 = tagged_distance(front, target);
    const Two d1 = tagged_distance(back, target);
    found.second[0] = smaller(found.second[0], larger(found.best[0], d0));
    found.second[1] = smaller(found.second[1], larger(found.best[1], d1));
    found.best[0] = smaller(found.best[0], d0);
    found.best[1] = smaller(found.best[1], d1);
  }
  return found;
}

// The least difference of the distances to the second and to the nearest centroid.
double least_gap(const Nearest& found) {
  const Two gap = smaller(square_root(found.second[0]) - square_root(found.best[0]),
                          square_root(found.second[1]) - square_root(found.best[1]));
  return std::min(gap[0], gap[1]);
}

}  // namespace

PointColumns make_columns(std::span<const FeatureVector> points, const FeatureVector& weight) {
  PointColumns result;
  result.count = points.size();
  const std::size_t padded = padded_size(points.size());
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

// A counting sort by the cells of a grid over the points.
PointColumns sorted_by_place(const PointColumns& points) {
  std::vector<std::uint16_t> cell(points.count);
  for (const std::vector<double>& column : points.scaled) {
    const auto [low, high] = std::minmax_element(column.begin(), column.end());
    const double width = *high - *low;
    const double cells_per_unit = width > 0 ? kCellsPerFeature * (1 - 0x1p-20) / width : 0;
    for (std::size_t i = 0; i < points.count; ++i) {
      const auto within = static_cast<std::uint16_t>((column[i] - *low) * cells_per_unit);
      cell[i] = static_cast<std::uint16_t>(cell[i] * kCellsPerFeature + within);
    }
  }
  std::vector<std::uint32_t> next(kCellsPerFeature * kCellsPerFeature * kCellsPerFeature + 1);
  for (const std::uint16_t c : cell) ++next[c + std::size_t{1}];
  for (std::size_t c = 1; c < next.size(); ++c) next[c] += next[c - 1];
  std::vector<std::uint32_t> place(points.count);
  for (std::size_t i = 0; i < points.count; ++i) place[i] = next[cell[i]]++;

  PointColumns result;
  result.count = points.count;
  result.scale = points.scale;
  const auto reorder = [&](const std::vector<double>& from, std::vector<double>& to) {
    to.resize(from.size());
    for (std::size_t i = 0; i < place.size(); ++i) to[place[i]] = from[i];
    std::fill(to.begin() + static_cast<std::ptrdiff_t>(place.size()), to.end(),
              to[place.size() - 1]);
  };
  for (std::size_t f = 0; f < kFeatureCount; ++f) {
    reorder(points.raw[f], result.raw[f]);
    reorder(points.scaled[f], result.scaled[f]);
  }
  return result;
}

Lloyd::Lloyd(const PointColumns& points, std::vector<FeatureVector> centroids)
    : points_(points),
      k_(centroids.size()),
      raw_(std::move(centroids)),
      scaled_(k_),
      label_(points.raw[0].size(), static_cast<std::uint8_t>(k_)),
      common_label_(points.raw[0].size() / kGroup, static_cast<std::uint8_t>(k_)),
      expiry_(points.raw[0].size() / kGroup, -kInfinity),
      travelled_(k_ + 1),
      moves_(k_),
      sums_(k_ + 1),
      counts_(k_ + 1) {
  for (std::size_t j = 0; j < k_; ++j) scaled_[j] = to_scaled(raw_[j]);
}

void Lloyd::run(int iterations_max, double move_min) {
  reassign();
  for (int iteration = 1; iteration < iterations_max; ++iteration) {
    if (move_centroids() <= move_min || !reassign()) break;
  }
  move_centroids();
}

double Lloyd::inertia(const PointColumns& points) const {
  const Targets targets(scaled_);
  std::array<double, kGroup> lanes{};
  for (std::size_t first = 0; first < points.count; first += kGroup) {
    const Nearest found = nearest(points, first, targets);
    const std::size_t count = std::min(kGroup, points.count - first);
    for (std::size_t i = 0; i < count; ++i) lanes[i] += found.best[i / 2][i % 2];
  }
  return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
}

FeatureVector Lloyd::to_scaled(const FeatureVector& raw) const {
  return {raw[0] * points_.scale[0], raw[1] * points_.scale[1], raw[2] * points_.scale[2]};
}

// To the members' means. The largest move.
double Lloyd::move_centroids() {
  double largest = 0;
  double next_largest = 0;
  for (std::size_t j = 0; j < k_; ++j) {
    moves_[j] = 0;
    if (counts_[j] == 0) continue;
    const auto n = static_cast<double>(counts_[j]);
    const FeatureVector mean = {sums_[j][0] / n, sums_[j][1] / n, sums_[j][2] / n};
    const FeatureVector center = to_scaled(mean);
    moves_[j] = std::sqrt(squared(center, scaled_[j]));
    raw_[j] = mean;
    scaled_[j] = center;
    next_largest = std::max(next_largest, std::min(moves_[j], largest));
    largest = std::max(largest, moves_[j]);
  }
  for (std::size_t j = 0; j < k_; ++j) {
    // Where two moves are the largest, both are equal to the next largest.
    travelled_[j] += moves_[j] + (moves_[j] == largest ? next_largest : largest);
  }
  travelled_[k_] += largest + next_largest;
  return largest;
}

// Every point to its nearest centroid. False if no label changed.
bool Lloyd::reassign() {
  const Targets targets(scaled_);
  bool changed = false;
  for (std::size_t group = 0; group < expiry_.size(); ++group) {
    if (travelled_[common_label_[group]] < expiry_[group]) continue;
    const std::size_t first = group * kGroup;
    const Nearest found = nearest(points_, first, targets);
    std::array<std::uint8_t, kGroup> labels;
    for (std::size_t i = 0; i < kGroup; ++i) {
      const double best = found.best[i / 2][i % 2];
      labels[i] = static_cast<std::uint8_t>(std::bit_cast<std::uint64_t>(best) & kLabelMask);
    }
    const bool is_uniform =
        labels[0] == labels[1] && labels[0] == labels[2] && labels[0] == labels[3];
    common_label_[group] = is_uniform ? labels[0] : static_cast<std::uint8_t>(k_);
    expiry_[group] = travelled_[common_label_[group]] + least_gap(found) - kGapSlack;
    if (std::equal(labels.begin(), labels.end(), label_.data() + first)) continue;
    for (std::size_t i = 0; i < kGroup && first + i < points_.count; ++i) {
      if (labels[i] == label_[first + i]) continue;
      relabel(first + i, labels[i]);
      changed = true;
    }
  }
  return changed;
}

void Lloyd::relabel(std::size_t i, std::uint8_t label) {
  const std::uint8_t before = std::exchange(label_[i], label);
  FeatureVector& from = sums_[before];
  FeatureVector& to = sums_[label];
  for (std::size_t f = 0; f < kFeatureCount; ++f) {
    const double x = points_.raw[f][i];
    from[f] -= x;
    to[f] += x;
  }
  --counts_[before];
  ++counts_[label];
}

}  // namespace rfm
