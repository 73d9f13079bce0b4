// How good a clustering is by its own points: compactness against separation, and how alike two
// clusterings of the same points are. All sums are taken in the points' order.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "model/model_version.h"

namespace rfm {

// n points in k clusters. Distances are Euclidean as the points are given, so scale them first
// (`scaled`); a centroid is the mean of its members. Clusters without members count nowhere.
struct Clustering {
  std::span<const FeatureVector> points;  // n >= 1.
  std::span<const int> labels;            // n, each in [0, k).
  int cluster_count = 0;                  // k >= 1.
};

// x[f] * sqrt(weight[f]): with weights 1 / variance, z-scores but for their mean.
std::vector<FeatureVector> scaled(std::span<const FeatureVector> points,
                                  const FeatureVector& weight);

// Sum of squared distances to the centroid: W.
double within_squares(const Clustering& clustering);

// Mean over the points of (b - a) / max(a, b) in [-1, 1], where a is the mean distance to the
// others of the point's cluster and b the least mean distance to the points of another cluster; 0
// for a point alone in its cluster, and where a = b = 0 (Rousseeuw, 1987). 0 if there is one
// cluster. O(n^2).
double silhouette(const Clustering& clustering);

// The same with a and b as distances to the point's own and the nearest other centroid (Hruschka,
// de Castro and Campello, 2004). O(n k).
double simplified_silhouette(const Clustering& clustering);

// (B / (k - 1)) / (W / (n - k)), B = T - W, T the sum of squared distances to the mean of all
// points, k the clusters with members (Calinski and Harabasz, 1974). Infinite if W = 0 < B; 0 if
// there is one cluster or no more points than clusters. Higher is better.
double calinski_harabasz(const Clustering& clustering);

// Mean over the clusters i of the largest (S_i + S_j) / d_ij over j != i, where S is the mean
// distance of a cluster's members to its centroid and d_ij that of two centroids (Davies and
// Bouldin, 1979, with p = 2 and q = 1). 0 if there is one cluster. Lower is better.
double davies_bouldin(const Clustering& clustering);

// How alike two labellings of the same n points are, whatever the numbers of their clusters: the
// Rand index over all pairs of points, less what chance gives (Hubert and Arabie, 1985, equation
// 5). 1: the same clusters; 0: as by chance; it may be negative. 1 if both put all points in one
// cluster, or each in one of its own. Labels >= 0.
double adjusted_rand_index(std::span<const int> a, std::span<const int> b);

}  // namespace rfm
