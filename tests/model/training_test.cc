// Goal: the trainer is a pure function of the contributions: no dependence on the split over
// partitions or on restarts; and each rule of when something is published holds.
#include "model/training.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "model/deterministic_math.h"
#include "model/nearest_centroid.h"
#include "tests/model/uniform.h"

namespace rfm {
namespace {

constexpr std::int64_t kDay = 86400000;
constexpr std::int64_t kMonday = 14991;  // 2011-01-17.

// A shop's customers; each day some buy.
class Shop {
 public:
  explicit Shop(std::uint64_t seed) : rng_(seed) {}

  void arrive(int count, std::int64_t day) {
    for (int i = 0; i < count; ++i) {
      const std::int64_t time = day * kDay + static_cast<std::int64_t>(rng_() % kDay);
      const std::uint64_t hash = rng_();
      rows_[hash] = {.id_hash = hash,
                     .first_purchase_ms = time,
                     .last_purchase_ms = time,
                     .monetary = spend(),
                     .frequency = 1};
      rate_[hash] = std::pow(uniform(rng_, .05, .6), 2);
    }
  }

  void live(std::int64_t day) {
    for (auto& [hash, row] : rows_) {
      if (uniform(rng_, 0, 1) >= rate_[hash]) continue;
      row.last_purchase_ms = day * kDay + static_cast<std::int64_t>(rng_() % kDay);
      row.monetary += spend();
      ++row.frequency;
    }
  }

  void keep(std::size_t count) {
    while (rows_.size() > count) rows_.erase(rows_.begin());
  }

  const std::map<std::uint64_t, SampleRow>& rows() const { return rows_; }

 private:
  std::int64_t spend() {
    return static_cast<std::int64_t>(std::exp(uniform(rng_, 1, 6)) * 10000) - 30000;
  }

  std::mt19937_64 rng_;
  std::map<std::uint64_t, SampleRow> rows_;
  std::map<std::uint64_t, double> rate_;
};

FeatureVector features(const SampleRow& row, std::int64_t at_ms) {
  return {recency_feature(row.last_purchase_ms, at_ms), det_log1p(row.frequency),
          det_log1p(static_cast<double>(std::max<std::int64_t>(0, row.monetary)) / 10000)};
}

// What `partition_count` partitions contribute; labels are the nearest centroids.
Contribution contribute(const Shop& shop, std::int64_t epoch, const ModelVersion& effective,
                        std::size_t partition_count) {
  std::vector<Contribution> parts(partition_count);
  for (Contribution& part : parts) {
    part.epoch = epoch;
    part.has_sample = wants_sample({}, epoch, &effective);
    if (effective.clusters)
      part.clusters.resize(static_cast<std::size_t>(effective.clusters->cluster_count));
  }
  for (const auto& [hash, row] : shop.rows()) {
    Contribution& part = parts[hash % partition_count];
    ++part.population;
    if (part.has_sample && is_sampled(hash, effective.sample_shift)) part.sample.push_back(row);
    if (!effective.clusters) continue;
    ClusterSums& sums = part.clusters[static_cast<std::size_t>(
        nearest(*effective.clusters, features(row, epoch * kDay)))];
    ++sums.n;
    sums.sum_f += fixed_log1p(row.frequency);
    sums.sum_m += fixed_log1p(static_cast<double>(std::max<std::int64_t>(0, row.monetary)) / 10000);
    ++sums.last_purchase_days[static_cast<std::int32_t>(row.last_purchase_ms / kDay)];
  }
  std::vector<const Contribution*> pointers;
  for (const Contribution& part : parts) pointers.push_back(&part);
  return merge(pointers);
}

TEST(Training, RefitEpochsAreTheChosenWeekday) {
  EXPECT_TRUE(is_refit_epoch({}, kMonday));
  EXPECT_FALSE(is_refit_epoch({}, kMonday + 1));
  EXPECT_TRUE(is_refit_epoch({.refit_weekday = 3}, 0));  // 1970-01-01 is a Thursday.
  EXPECT_TRUE(is_refit_epoch({.refit_weekday = 3}, -7));
  for (int weekday = 0; weekday < 7; ++weekday) {
    int refits = 0;
    for (std::int64_t epoch = 0; epoch < 700; ++epoch)
      refits += is_refit_epoch({.refit_weekday = weekday}, epoch) ? 1 : 0;
    EXPECT_EQ(refits, 100);
  }
}

TEST(Training, SamplesAreWantedUntilThereAreClustersAndAtRefits) {
  ModelVersion version;
  EXPECT_TRUE(wants_sample({}, kMonday + 1, nullptr));
  EXPECT_TRUE(wants_sample({}, kMonday + 1, &version));
  version.clusters.emplace();
  EXPECT_FALSE(wants_sample({}, kMonday + 1, &version));
  EXPECT_TRUE(wants_sample({}, kMonday, &version));
  EXPECT_FALSE(wants_sample({.trains = false}, kMonday, nullptr));
}

TEST(Training, SampleShiftHalvesTheHashes) {
  EXPECT_TRUE(is_sampled(~std::uint64_t{0}, 0));
  EXPECT_FALSE(is_sampled(std::uint64_t{1} << 63, 1));
  EXPECT_TRUE(is_sampled((std::uint64_t{1} << 63) - 1, 1));
}

TEST(Training, VersionsDoNotDependOnPartitionsOrRestarts) {
  Shop shop(1);
  Training whole({});
  Training split({});
  std::map<std::int64_t, std::vector<SampleRow>> samples;
  std::set<ClusterChange> changes;
  std::optional<std::int64_t> populated;
  std::optional<std::int64_t> first_fit;
  for (std::int64_t epoch = kMonday - 20; epoch < kMonday + 80; ++epoch) {
    shop.live(epoch - 1);
    shop.arrive(35, epoch - 1);
    const Contribution one = contribute(shop, epoch, whole.latest(), 1);
    EXPECT_EQ(contribute(shop, epoch, whole.latest(), 7), one);
    const ModelVersion expected = whole.train(epoch, one);
    if (!populated && expected.population >= 500) populated = epoch;
    if (expected.cluster_change == ClusterChange::kFirstFit) first_fit = epoch;
    changes.insert(expected.cluster_change);
    if (epoch % 5 == 0) {  // Restart from the log.
      const ModelVersion latest = split.latest();
      split = Training({});
      split.restore(latest, populated, first_fit);
      for (const auto& [at, sample] : samples) split.add_sample(at, sample);
    }
    ASSERT_EQ(split.train(epoch, contribute(shop, epoch, split.latest(), 7)), expected) << epoch;
    if (one.has_sample) samples[epoch] = one.sample;
    ASSERT_EQ(expected.trained_epoch, epoch);
    ASSERT_EQ(expected.population, static_cast<std::int64_t>(shop.rows().size()));
  }
  EXPECT_TRUE(whole.latest().churn);
  EXPECT_TRUE(changes.contains(ClusterChange::kFirstFit));
  EXPECT_TRUE(changes.contains(ClusterChange::kMoved));
  EXPECT_TRUE(changes.contains(ClusterChange::kRefitWarm));
}

TEST(Training, NumberCountsTheVersionsThatDiffer) {
  Shop shop(2);
  Training training({.cluster_history_ms = 0});
  ModelVersion before;
  for (std::int64_t epoch = kMonday - 20; epoch < kMonday + 30; ++epoch) {
    shop.live(epoch - 1);
    shop.arrive(40, epoch - 1);
    const ModelVersion now = training.train(epoch, contribute(shop, epoch, before, 1));
    const bool is_equal = now.cuts == before.cuts && now.clusters == before.clusters &&
                          now.churn == before.churn && now.sample_shift == before.sample_shift;
    ASSERT_EQ(now.unchanged, is_equal);
    ASSERT_EQ(now.number, before.number + (is_equal ? 0 : 1));
    ASSERT_EQ(now.cuts_changed, now.cuts != before.cuts);
    ASSERT_EQ(now.churn_changed, now.churn != before.churn);
    ASSERT_EQ(now.cluster_change != ClusterChange::kNone, now.clusters != before.clusters);
    before = now;
  }
}

TEST(Training, AbsoluteCutsBelowThePopulationLimits) {
  Shop shop(3);
  shop.arrive(499, kMonday - 30);
  Training training({.cluster_history_ms = 0});
  ModelVersion v = training.train(kMonday + 1, contribute(shop, kMonday + 1, training.latest(), 1));
  EXPECT_TRUE(v.unchanged);
  EXPECT_EQ(v.number, 0);
  EXPECT_FALSE(v.clusters);
  shop.arrive(1, kMonday);
  v = training.train(kMonday + 2, contribute(shop, kMonday + 2, training.latest(), 1));
  EXPECT_EQ(v.number, 1);
  EXPECT_FALSE(v.cuts.empty());
  EXPECT_EQ(v.cluster_change, ClusterChange::kFirstFit);
  shop.keep(400);
  v = training.train(kMonday + 7, contribute(shop, kMonday + 7, training.latest(), 1));
  EXPECT_FALSE(v.cuts.empty());
  shop.keep(399);
  v = training.train(kMonday + 8, contribute(shop, kMonday + 8, training.latest(), 1));
  EXPECT_TRUE(v.cuts.empty());
  EXPECT_TRUE(v.cuts_changed);
  shop.arrive(100, kMonday + 8);
  v = training.train(kMonday + 14, contribute(shop, kMonday + 14, training.latest(), 1));
  EXPECT_TRUE(v.cuts.empty());
  shop.arrive(1, kMonday + 15);
  v = training.train(kMonday + 21, contribute(shop, kMonday + 21, training.latest(), 1));
  EXPECT_FALSE(v.cuts.empty());
}

TEST(Training, CutsOfMonetaryAreNeverBelowZero) {
  Shop shop(5);
  shop.arrive(600, kMonday - 3);
  Training training({.cluster_history_ms = 0});
  Contribution merged = contribute(shop, kMonday, training.latest(), 1);
  for (std::size_t i = 0; i < merged.sample.size(); i += 2)
    merged.sample[i].monetary = -1 - merged.sample[i].monetary;
  const ModelVersion v = training.train(kMonday, std::move(merged));
  ASSERT_EQ(v.cuts.size(), 3U);
  const TrainedCuts& monetary = v.cuts[2];
  EXPECT_EQ(monetary.quantity, Quantity::kMonetary);
  EXPECT_EQ(monetary.cuts[0], 0);
  EXPECT_GT(monetary.cuts[3], 0);
}

TEST(Training, DailyCentroidsAreTheMembersMeans) {
  Shop shop(4);
  shop.arrive(800, kMonday - 3);
  Training training({.cluster_history_ms = 0, .move_min = 0});
  training.train(kMonday + 1, contribute(shop, kMonday + 1, training.latest(), 1));
  const ModelVersion effective = training.latest();
  shop.live(kMonday + 1);
  const std::int64_t at = (kMonday + 2) * kDay;
  const ModelVersion moved =
      training.train(kMonday + 2, contribute(shop, kMonday + 2, effective, 3));
  EXPECT_EQ(moved.cluster_change, ClusterChange::kMoved);
  EXPECT_EQ(moved.clusters->weight, effective.clusters->weight);
  EXPECT_EQ(moved.clusters->names, effective.clusters->names);
  std::array<FeatureVector, 5> sums{};
  std::array<double, 5> counts{};
  for (const auto& [hash, row] : shop.rows()) {
    const auto j = static_cast<std::size_t>(nearest(*effective.clusters, features(row, at)));
    SampleRow mid_day = row;
    mid_day.last_purchase_ms = row.last_purchase_ms / kDay * kDay + kDay / 2;
    const FeatureVector x = features(mid_day, at);
    for (std::size_t f = 0; f < kFeatureCount; ++f) sums[j][f] += x[f];
    counts[j] += 1;
  }
  for (std::size_t j = 0; j < 5; ++j) {
    for (std::size_t f = 0; f < kFeatureCount; ++f) {
      EXPECT_NEAR(moved.clusters->centroids[j][f], sums[j][f] / counts[j], 1e-6);
    }
  }
}

TEST(Training, SmallMovesAreNotPublished) {
  Shop shop(5);
  shop.arrive(2000, kMonday - 30);
  for (std::int64_t day = kMonday - 29; day <= kMonday; ++day) shop.live(day);
  Training training({.cluster_history_ms = 0, .move_min = .5});
  training.train(kMonday + 1, contribute(shop, kMonday + 1, training.latest(), 1));
  const ModelVersion before = training.latest();
  const ModelVersion v = training.train(kMonday + 2, contribute(shop, kMonday + 2, before, 1));
  EXPECT_EQ(v.clusters, before.clusters);
  EXPECT_EQ(v.cluster_change, ClusterChange::kNone);
}

TEST(Training, ClusterWithoutMembersKeepsItsCentroid) {
  Shop shop(6);
  shop.arrive(800, kMonday - 3);
  Training training({.cluster_history_ms = 0, .move_min = 0});
  training.train(kMonday + 1, contribute(shop, kMonday + 1, training.latest(), 1));
  Contribution contribution = contribute(shop, kMonday + 2, training.latest(), 1);
  contribution.clusters[2] = {};
  const FeatureVector before = training.latest().clusters->centroids[2];
  const ModelVersion v = training.train(kMonday + 2, contribution);
  EXPECT_EQ(v.clusters->centroids[2], before);
}

// It is counted from the first day of 500 customers.
TEST(Training, FirstFitWaitsForTheHistory) {
  constexpr std::int64_t kHistory = 10;
  Shop shop(9);
  shop.arrive(499, kMonday - 200);  // A trickle before counts for nothing.
  Training training({.cluster_history_ms = kHistory * kDay});
  std::optional<std::int64_t> populated;
  for (std::int64_t epoch = kMonday - 6; epoch <= kMonday + 11; ++epoch) {
    shop.live(epoch - 1);
    if (epoch == kMonday + 1) shop.arrive(301, epoch - 1);
    const ModelVersion v = training.train(epoch, contribute(shop, epoch, training.latest(), 1));
    if (!populated && v.population >= 500) populated = epoch;
    EXPECT_EQ(v.cuts.empty(), epoch < kMonday + 1);
    EXPECT_EQ(v.clusters.has_value(), epoch == kMonday + 11) << epoch;
    if (epoch % 3 == 0) {  // A restart keeps count.
      const ModelVersion latest = training.latest();
      training = Training({.cluster_history_ms = kHistory * kDay});
      training.restore(latest, populated, std::nullopt);
    }
  }
  EXPECT_EQ(populated, kMonday + 1);
}

TEST(Training, SampleShiftFollowsThePopulation) {
  Training training({.sample_max = 1000});
  Shop shop(8);
  shop.arrive(800, kMonday - 3);
  EXPECT_EQ(training.train(kMonday, contribute(shop, kMonday, training.latest(), 1)).sample_shift,
            0);
  shop.arrive(1100, kMonday);
  const Contribution crowded = contribute(shop, kMonday + 7, training.latest(), 1);
  EXPECT_EQ(crowded.sample.size(), 1900U);  // Grew beyond the sample within a week: trimmed.
  EXPECT_EQ(training.train(kMonday + 7, crowded).sample_shift, 2);
  const Contribution sampled = contribute(shop, kMonday + 14, training.latest(), 1);
  EXPECT_NEAR(static_cast<double>(sampled.sample.size()), 475, 80);
}

TEST(Training, MergeAddsEverything) {
  Contribution a{.epoch = 3, .population = 2, .has_sample = true};
  a.clusters.resize(1);
  a.clusters[0] = {
      .n = 2, .sum_f = 5, .sum_m = 7, .square_f = 1, .square_m = 2, .last_purchase_days = {{1, 2}}};
  a.sample = {{.id_hash = 5}, {.id_hash = 9}};
  Contribution b{.epoch = 2, .population = 3};
  b.clusters.resize(2);
  b.clusters[0] = {
      .n = 1, .sum_f = 1, .sum_m = 1, .square_f = 1, .square_m = 1, .last_purchase_days = {{1, 1}}};
  b.clusters[1] = {
      .n = 2, .sum_f = 4, .sum_m = 4, .square_f = 4, .square_m = 4, .last_purchase_days = {{0, 2}}};
  b.sample = {{.id_hash = 7}};
  b.has_sample = true;
  const std::array<const Contribution*, 2> parts = {&a, &b};
  const Contribution merged = merge(parts);
  EXPECT_EQ(merged.epoch, 3);
  EXPECT_EQ(merged.population, 5);
  ASSERT_EQ(merged.clusters.size(), 2U);
  EXPECT_EQ(merged.clusters[0].n, 3);
  EXPECT_EQ(merged.clusters[0].last_purchase_days.at(1), 3);
  EXPECT_EQ(merged.clusters[1], b.clusters[1]);
  ASSERT_EQ(merged.sample.size(), 3U);
  EXPECT_EQ(merged.sample[1].id_hash, 7U);
}

// A week without a customer who counts says nothing, before a restart and after it.
TEST(Training, AnEmptySampleIsNoSample) {
  Shop shop(3);
  Training plain({});
  Training told({});
  for (std::int64_t epoch = kMonday - 20; epoch < kMonday + 30; ++epoch) {
    shop.live(epoch - 1);
    shop.arrive(40, epoch - 1);
    if (epoch == kMonday + 8) told.add_sample(kMonday + 7, {});
    const Contribution one = contribute(shop, epoch, plain.latest(), 1);
    if (epoch == kMonday + 7) continue;
    ASSERT_EQ(told.train(epoch, one), plain.train(epoch, one)) << epoch;
  }
  EXPECT_TRUE(plain.latest().churn);
}

}  // namespace
}  // namespace rfm
