#include "state/cluster_totals.h"

#include "state/epoch.h"

namespace rfm {

TotalsKey totals_key(const CustomerRow& row) {
  const InvoiceSums& sums = row.ledger.sums();
  if (sums.frequency == 0) return {};
  return {.cluster = row.member - 1,
          .feature_f = row.feature_f,
          .feature_m = row.feature_m,
          .last_purchase_day = static_cast<std::int32_t>(epoch_of(sums.last_purchase)),
          .counts = true};
}

void ClusterTotals::move(const TotalsKey& from, const TotalsKey& to) {
  if (from == to) return;
  add(from, -1);
  add(to, 1);
}

void ClusterTotals::add(const TotalsKey& key, std::int64_t sign) {
  if (!key.counts) return;
  population_ += sign;
  if (key.cluster < 0) return;
  const auto index = static_cast<std::size_t>(key.cluster);
  if (index >= clusters_.size()) clusters_.resize(index + 1);
  Cluster& cluster = clusters_[index];
  const auto square = [](std::int64_t u) { return (u * u) >> kFeatureFractionBits; };
  cluster.sums.n += sign;
  cluster.sums.sum_f += sign * key.feature_f;
  cluster.sums.sum_m += sign * key.feature_m;
  cluster.sums.square_f += sign * square(key.feature_f);
  cluster.sums.square_m += sign * square(key.feature_m);

  if (cluster.by_day.empty()) cluster.first_day = key.last_purchase_day;
  if (key.last_purchase_day < cluster.first_day) {
    cluster.by_day.insert(cluster.by_day.begin(),
                          static_cast<std::size_t>(cluster.first_day - key.last_purchase_day), 0);
    cluster.first_day = key.last_purchase_day;
  }
  const auto day = static_cast<std::size_t>(key.last_purchase_day - cluster.first_day);
  if (day >= cluster.by_day.size()) cluster.by_day.resize(day + 1);
  cluster.by_day[day] += sign;
}

std::vector<ClusterSums> ClusterTotals::sums() const {
  std::vector<ClusterSums> result;
  for (const Cluster& cluster : clusters_) {
    result.push_back(cluster.sums);
    for (std::size_t i = 0; i < cluster.by_day.size(); ++i) {
      if (cluster.by_day[i] == 0) continue;
      const auto day = static_cast<std::int32_t>(cluster.first_day + static_cast<std::int32_t>(i));
      result.back().last_purchase_days[day] = cluster.by_day[i];
    }
  }
  return result;
}

}  // namespace rfm
