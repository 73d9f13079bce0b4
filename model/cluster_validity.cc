#include "model/cluster_validity.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace rfm {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double squared(const FeatureVector& a, const FeatureVector& b) {
  const double r = a[0] - b[0];
  const double f = a[1] - b[1];
  const double m = a[2] - b[2];
  return r * r + (f * f + m * m);
}

double distance(const FeatureVector& a, const FeatureVector& b) { return std::sqrt(squared(a, b)); }

std::size_t label_at(const Clustering& clustering, std::size_t i) {
  return static_cast<std::size_t>(clustering.labels[i]);
}

FeatureVector mean_of(std::span<const FeatureVector> points) {
  FeatureVector mean{};
  for (std::size_t f = 0; f < kFeatureCount; ++f) {
    for (const FeatureVector& x : points) mean[f] += x[f];
    mean[f] /= static_cast<double>(points.size());
  }
  return mean;
}

// Of one clustering: k centroids with their members' number.
struct Centroids {
  explicit Centroids(const Clustering& clustering)
      : centers(static_cast<std::size_t>(clustering.cluster_count)), counts(centers.size()) {
    for (std::size_t i = 0; i < clustering.points.size(); ++i) {
      const std::size_t label = label_at(clustering, i);
      ++counts[label];
      for (std::size_t f = 0; f < kFeatureCount; ++f) centers[label][f] += clustering.points[i][f];
    }
    for (std::size_t j = 0; j < centers.size(); ++j) {
      for (double& x : centers[j]) x /= std::max(1.0, counts[j]);
    }
  }

  bool has_members(std::size_t j) const { return counts[j] > 0; }
  // Clusters with members.
  std::size_t size() const {
    return centers.size() - static_cast<std::size_t>(std::ranges::count(counts, 0.0));
  }

  std::vector<FeatureVector> centers;  // 0 without members.
  std::vector<double> counts;
};

double silhouette_of(double own, double other) {
  const double larger = std::max(own, other);
  return larger > 0 ? (other - own) / larger : 0;
}

double total_squares(std::span<const FeatureVector> points) {
  const FeatureVector mean = mean_of(points);
  double sum = 0;
  for (const FeatureVector& x : points) sum += squared(x, mean);
  return sum;
}

double pairs(double count) { return count * (count - 1) / 2; }

int label_count(std::span<const int> labels) { return *std::ranges::max_element(labels) + 1; }

}  // namespace

std::vector<FeatureVector> scaled(std::span<const FeatureVector> points,
                                  const FeatureVector& weight) {
  std::vector<FeatureVector> result(points.begin(), points.end());
  for (FeatureVector& x : result) {
    for (std::size_t f = 0; f < kFeatureCount; ++f) x[f] *= std::sqrt(weight[f]);
  }
  return result;
}

double within_squares(const Clustering& clustering) {
  const Centroids centroids(clustering);
  double sum = 0;
  for (std::size_t i = 0; i < clustering.points.size(); ++i)
    sum += squared(clustering.points[i], centroids.centers[label_at(clustering, i)]);
  return sum;
}

double silhouette(const Clustering& clustering) {
  const Centroids centroids(clustering);
  if (centroids.size() < 2) return 0;
  const std::size_t n = clustering.points.size();
  const std::size_t k = centroids.counts.size();
  std::vector<double> distances(n);
  std::vector<double> sums(k);
  double total = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t mine = label_at(clustering, i);
    if (centroids.counts[mine] < 2) continue;
    // Apart from the sums, so that the square roots are taken several at a time.
    for (std::size_t j = 0; j < n; ++j)
      distances[j] = distance(clustering.points[i], clustering.points[j]);
    std::ranges::fill(sums, 0);
    for (std::size_t j = 0; j < n; ++j) sums[label_at(clustering, j)] += distances[j];
    double nearest = kInfinity;
    for (std::size_t c = 0; c < k; ++c) {
      if (c != mine && centroids.has_members(c))
        nearest = std::min(nearest, sums[c] / centroids.counts[c]);
    }
    total += silhouette_of(sums[mine] / (centroids.counts[mine] - 1), nearest);
  }
  return total / static_cast<double>(n);
}

double simplified_silhouette(const Clustering& clustering) {
  const Centroids centroids(clustering);
  if (centroids.size() < 2) return 0;
  double total = 0;
  for (std::size_t i = 0; i < clustering.points.size(); ++i) {
    const std::size_t mine = label_at(clustering, i);
    double nearest = kInfinity;
    for (std::size_t c = 0; c < centroids.counts.size(); ++c) {
      if (c != mine && centroids.has_members(c))
        nearest = std::min(nearest, distance(clustering.points[i], centroids.centers[c]));
    }
    total += silhouette_of(distance(clustering.points[i], centroids.centers[mine]), nearest);
  }
  return total / static_cast<double>(clustering.points.size());
}

double calinski_harabasz(const Clustering& clustering) {
  const auto n = static_cast<double>(clustering.points.size());
  const auto k = static_cast<double>(Centroids(clustering).size());
  if (k < 2 || n <= k) return 0;
  const double within = within_squares(clustering);
  const double between = total_squares(clustering.points) - within;
  if (within == 0) return between > 0 ? kInfinity : 0;
  return (between / (k - 1)) / (within / (n - k));
}

double davies_bouldin(const Clustering& clustering) {
  const Centroids centroids(clustering);
  if (centroids.size() < 2) return 0;
  const std::size_t k = centroids.counts.size();
  std::vector<double> spread(k);
  for (std::size_t i = 0; i < clustering.points.size(); ++i) {
    const std::size_t mine = label_at(clustering, i);
    spread[mine] +=
        distance(clustering.points[i], centroids.centers[mine]) / centroids.counts[mine];
  }
  double total = 0;
  for (std::size_t i = 0; i < k; ++i) {
    double worst = 0;
    for (std::size_t j = 0; j < k; ++j) {
      if (j == i || !centroids.has_members(i) || !centroids.has_members(j)) continue;
      worst = std::max(
          worst, (spread[i] + spread[j]) / distance(centroids.centers[i], centroids.centers[j]));
    }
    total += worst;
  }
  return total / static_cast<double>(centroids.size());
}

double adjusted_rand_index(std::span<const int> a, std::span<const int> b) {
  if (a.empty()) return 1;
  const auto rows = static_cast<std::size_t>(label_count(a));
  const auto columns = static_cast<std::size_t>(label_count(b));
  std::vector<double> both(rows * columns);
  std::vector<double> in_a(rows);
  std::vector<double> in_b(columns);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto row = static_cast<std::size_t>(a[i]);
    const auto column = static_cast<std::size_t>(b[i]);
    ++both[row * columns + column];
    ++in_a[row];
    ++in_b[column];
  }
  const auto pairs_in = [](const std::vector<double>& counts) {
    double sum = 0;
    for (const double count : counts) sum += pairs(count);
    return sum;
  };
  const double together = pairs_in(both);
  const double by_a = pairs_in(in_a);
  const double by_b = pairs_in(in_b);
  const double all = pairs(static_cast<double>(a.size()));
  const double by_chance = all > 0 ? by_a * by_b / all : 0;
  const double most = (by_a + by_b) / 2;
  return most == by_chance ? 1 : (together - by_chance) / (most - by_chance);
}

}  // namespace rfm
