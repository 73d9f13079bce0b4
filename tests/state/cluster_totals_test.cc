// Goal: the statistics kept as customers move equal those added up anew, bit for bit.
#include "state/cluster_totals.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace rfm {
namespace {

TotalsKey random_key(std::mt19937_64& random) {
  return {.cluster = static_cast<int>(random() % 5) - 1,
          .feature_f = static_cast<std::int32_t>(random() % (8 << kFeatureFractionBits)),
          .feature_m = static_cast<std::int32_t>(random() % (16 << kFeatureFractionBits)),
          .last_purchase_day = static_cast<std::int32_t>(random() % 400) + 15'000,
          .counts = random() % 5 != 0};
}

std::vector<ClusterSums> without_empty_end(std::vector<ClusterSums> sums) {
  while (!sums.empty() && sums.back() == ClusterSums{}) sums.pop_back();
  return sums;
}

TEST(ClusterTotals, EqualsARecomputationAfterAnyMoves) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    std::vector<TotalsKey> keys(50);
    ClusterTotals totals;
    for (int i = 0; i < 2'000; ++i) {
      TotalsKey& key = keys[random() % keys.size()];
      const TotalsKey next = random() % 10 == 0 ? TotalsKey{} : random_key(random);
      totals.move(key, next);
      key = next;
      if (i % 100 != 0) continue;
      ClusterTotals anew;
      std::int64_t population = 0;
      for (const TotalsKey& k : keys) {
        anew.move({}, k);
        population += k.counts ? 1 : 0;
      }
      ASSERT_EQ(totals.population(), population);
      ASSERT_EQ(without_empty_end(totals.sums()), without_empty_end(anew.sums()));
    }
  }
}

TEST(ClusterTotals, AddsUpEachCluster) {
  ClusterTotals totals;
  const TotalsKey a{.cluster = 1,
                    .feature_f = 1 << 20,
                    .feature_m = 3 << 20,
                    .last_purchase_day = 15'001,
                    .counts = true};
  TotalsKey b = a;
  b.last_purchase_day = 14'990;
  totals.move({}, a);
  totals.move({}, b);
  totals.move({}, TotalsKey{.last_purchase_day = 1, .counts = true});
  EXPECT_EQ(totals.population(), 3);
  ASSERT_EQ(totals.sums().size(), 2U);
  EXPECT_EQ(totals.sums()[0], ClusterSums{});
  const ClusterSums expected{.n = 2,
                             .sum_f = 2 << 20,
                             .sum_m = 6 << 20,
                             .square_f = 2 << 20,
                             .square_m = 18 << 20,
                             .last_purchase_days = {{14'990, 1}, {15'001, 1}}};
  EXPECT_EQ(totals.sums()[1], expected);
}

}  // namespace
}  // namespace rfm
