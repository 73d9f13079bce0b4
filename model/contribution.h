// What one partition tells the trainer at an epoch boundary: a snapshot, never a delta.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace rfm {

// Fixed point of the stored features: round(log1p(v) * 2^20).
inline constexpr int kFeatureFractionBits = 20;
inline constexpr double kFeatureScale = 1 << kFeatureFractionBits;

// Statistics of the customers in one cluster. Integers, so that adding and removing is exact.
struct ClusterSums {
  std::int64_t n = 0;
  std::int64_t sum_f = 0;     // Sum of fixed-point log1p F.
  std::int64_t sum_m = 0;     // Sum of fixed-point log1p max(M, 0).
  std::int64_t square_f = 0;  // Sum of (u*u) >> 20.
  std::int64_t square_m = 0;
  std::map<std::int32_t, std::int64_t>
      last_purchase_days{};  // Day since 1970-01-01 -> customers. No zero counts.

  friend bool operator==(const ClusterSums&, const ClusterSums&) = default;
};

// One sampled customer at an epoch boundary. Holds the id's hash, never the id.
struct SampleRow {
  std::uint64_t id_hash = 0;
  std::int64_t first_purchase_ms = 0;
  std::int64_t last_purchase_ms = 0;
  std::int64_t monetary = 0;  // 10^-4 of the currency unit; may be negative.
  std::uint32_t frequency = 0;

  friend bool operator==(const SampleRow&, const SampleRow&) = default;
};

struct Contribution {
  std::int64_t epoch = 0;       // The boundary: start of this epoch.
  std::int64_t population = 0;  // Customers with a counted purchase.
  std::vector<ClusterSums> clusters{};
  // At refit boundaries, and at every one until there are clusters (training.h, wants_sample).
  bool has_sample = false;
  std::vector<SampleRow> sample{};  // Sorted by id_hash.

  friend bool operator==(const Contribution&, const Contribution&) = default;
};

}  // namespace rfm
