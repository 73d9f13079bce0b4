// Exact statistics of the clusters of one partition, kept as customers move (turnstile): what was
// added is what is removed, so they equal a recomputation from the rows bit for bit.
#pragma once

#include <cstdint>
#include <vector>

#include "model/contribution.h"
#include "state/customer_row.h"

namespace rfm {

// What one row adds. Equal keys add the same.
struct TotalsKey {
  int cluster = -1;  // -1: none.
  std::int32_t feature_f = 0;
  std::int32_t feature_m = 0;
  std::int32_t last_purchase_day = 0;
  bool counts = false;  // Has a counted purchase.

  friend bool operator==(const TotalsKey&, const TotalsKey&) = default;
};

TotalsKey totals_key(const CustomerRow& row);

class ClusterTotals {
 public:
  void move(const TotalsKey& from, const TotalsKey& to);

  std::int64_t population() const { return population_; }
  std::vector<ClusterSums> sums() const;

 private:
  struct Cluster {
    ClusterSums sums;                  // Without the histogram.
    std::vector<std::int64_t> by_day;  // [day - first_day].
    std::int32_t first_day = 0;
  };

  void add(const TotalsKey& key, std::int64_t sign);

  std::int64_t population_ = 0;
  std::vector<Cluster> clusters_;
};

}  // namespace rfm
