// Goal: ids of clusters survive refits, and names are true after each.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "model/cluster_names.h"
#include "model/deterministic_math.h"
#include "model/training.h"
#include "tests/model/uniform.h"

namespace rfm {
namespace {

constexpr std::int64_t kMonday = 14991;  // 2011-01-17.

// Customers in five clear groups, as their names say.
constexpr std::array<FeatureVector, 5> kGroups = {
    {{1, 3.2, 9}, {2.5, 2, 7.5}, {5, 2, 7.4}, {3, .8, 5}, {5.6, .75, 4.6}}};
constexpr std::array<ClusterNameCode, 5> kGroupNames = {kChampions, kLoyal, kDormantHighValue,
                                                        kOccasional, kHibernating};

Contribution five_groups(std::mt19937_64& rng) {
  Contribution contribution{.epoch = kMonday, .has_sample = true};
  for (int i = 0; i < 3000; ++i) {
    const FeatureVector& g = kGroups[rng() % kGroups.size()];
    SampleRow row;
    row.id_hash = rng();
    row.last_purchase_ms = kMonday * kDayMs - static_cast<std::int64_t>(
                                                  det_expm1(g[0] + uniform(rng, -.2, .2)) * kDayMs);
    row.first_purchase_ms = row.last_purchase_ms - kDayMs;
    row.frequency = static_cast<std::uint32_t>(std::lround(det_expm1(g[1] + uniform(rng, 0, .1))));
    row.monetary = static_cast<std::int64_t>(det_expm1(g[2] + uniform(rng, -.3, .3)) * 10000);
    contribution.sample.push_back(row);
  }
  contribution.population = 3000;
  const Contribution* part = &contribution;
  return merge({&part, 1});
}

// A version of the week before kMonday in which cluster `id` is group order[id].
ModelVersion grouped_version(const std::array<std::size_t, 5>& order) {
  ModelVersion version;
  version.number = 9;
  version.trained_epoch = kMonday - 7;
  ClusterModel& clusters = version.clusters.emplace();
  clusters.cluster_count = 5;
  clusters.weight = {1, 1, 1};
  for (std::size_t id = 0; id < 5; ++id) {
    clusters.centroids[id] = kGroups[order[id]];
    clusters.names.push_back(kGroupNames[order[id]]);
  }
  return version;
}

// In which two centroids share one group and one sits between two, so that a challenger is better.
ModelVersion poor_version(const std::array<std::size_t, 5>& order) {
  ModelVersion old = grouped_version(order);
  const auto id_of = [&order](std::size_t group) {
    return static_cast<std::size_t>(std::ranges::find(order, group) - order.begin());
  };
  old.clusters->centroids[id_of(4)] = {4.4, .78, 4.8};
  old.clusters->centroids[id_of(3)] = {2.2, 1.9, 7.3};
  return old;
}

// A model whose warm start is bad makes the challenger win with clusters in any order. What a bad
// model held in one cluster may go to either part; names are true in any case.
TEST(ClusterTraining, AdoptedChallengerKeepsIds) {
  std::mt19937_64 rng(7);
  const Contribution merged = five_groups(rng);
  int challengers = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    std::array<std::size_t, 5> order = {0, 1, 2, 3, 4};
    std::shuffle(order.begin(), order.end(), rng);
    const auto id_of = [&order](std::size_t group) {
      return static_cast<std::size_t>(std::find(order.begin(), order.end(), group) - order.begin());
    };
    Training training({.seed = seed});
    training.restore(poor_version(order), kMonday - 70, std::nullopt);
    const ModelVersion v = training.train(kMonday, merged);
    challengers += v.cluster_change == ClusterChange::kRefitChallenger ? 1 : 0;
    for (std::size_t id = 0; id < 5; ++id) {
      const auto name = std::ranges::find(kGroupNames, v.clusters->names[id]);
      ASSERT_NE(name, kGroupNames.end()) << v.clusters->names[id];
      const auto group = static_cast<std::size_t>(name - kGroupNames.begin());
      EXPECT_NEAR(v.clusters->centroids[id][0], kGroups[group][0], .7);
      EXPECT_NEAR(v.clusters->centroids[id][2], kGroups[group][2], .7);
    }
    for (const std::size_t group : {std::size_t{0}, std::size_t{2}}) {
      const FeatureVector& c = v.clusters->centroids[id_of(group)];
      for (std::size_t f = 0; f < kFeatureCount; ++f) EXPECT_NEAR(c[f], kGroups[group][f], .35);
    }
  }
  EXPECT_GE(challengers, 10);
}

// How long ago the first fit was decides whether a challenger that moves many is taken at once.
TEST(ClusterTraining, AChallengerThatMovesTooManyIsHeldUntilItIsPromoted) {
  std::mt19937_64 rng(7);
  const Contribution merged = five_groups(rng);
  const ModelVersion old = poor_version({0, 1, 2, 3, 4});
  int held = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    const auto trained = [&](double moved_max, std::int64_t first_fit) {
      Training training({.moved_max = moved_max, .seed = seed});
      training.restore(old, kMonday - 200, first_fit);
      training.train(kMonday, merged);
      return training;
    };
    const ModelVersion free = trained(1, kMonday - 200).latest();
    EXPECT_FALSE(free.held);
    if (free.cluster_change != ClusterChange::kRefitChallenger) continue;
    EXPECT_EQ(trained(.1, kMonday - 56).latest(), free) << "the eighth refit";
    Training training = trained(.1, kMonday - 63);
    const ModelVersion v = training.latest();
    if (!v.held) {
      EXPECT_EQ(v, free) << "it moves few";
      continue;
    }
    ++held;
    EXPECT_EQ(v.cluster_change, ClusterChange::kRefitWarm);
    EXPECT_EQ(v.held->epoch, kMonday);
    EXPECT_GT(v.held->moved, .1);
    EXPECT_LT(v.held->moved, 1);
    EXPECT_EQ(v.held->clusters, *free.clusters);
    EXPECT_EQ(trained(v.held->moved, kMonday - 63).latest(), free);

    const Contribution quiet{.epoch = kMonday + 1, .population = 3000};
    training.promote(kMonday - 7);
    const ModelVersion kept = training.train(kMonday + 1, quiet);
    EXPECT_EQ(kept.held, v.held) << "another one was asked for";
    Training restarted({.seed = seed});
    restarted.restore(kept, kMonday - 200, kMonday - 63);
    // Also where another refit is due.
    for (const std::int64_t epoch : {kMonday + 2, kMonday + 7}) {
      for (Training taking : {training, restarted}) {
        taking.promote(kMonday);
        const ModelVersion promoted = taking.train(epoch, epoch == kMonday + 7 ? merged : quiet);
        EXPECT_EQ(promoted.clusters, free.clusters);
        EXPECT_EQ(promoted.cluster_change, ClusterChange::kRefitChallenger);
        EXPECT_FALSE(promoted.held);
        EXPECT_EQ(promoted.number, kept.number + 1);
      }
    }
    // What the next refit finds is all that is held from there on.
    const ModelVersion next = training.train(kMonday + 7, merged);
    EXPECT_TRUE(!next.held || next.held->epoch == kMonday + 7);
    training.promote(kMonday);
    EXPECT_EQ(training.train(kMonday + 8, quiet).held, next.held);
  }
  EXPECT_GE(held, 5);
}

// Names that are not true, whatever the reason, are put right by a refit that moves no centroid.
TEST(ClusterTraining, RefitThatOnlyRenamesIsAChange) {
  std::mt19937_64 rng(8);
  const Contribution merged = five_groups(rng);
  Training training({});
  training.restore(grouped_version({0, 1, 2, 3, 4}), kMonday - 70, std::nullopt);
  ModelVersion settled = training.train(kMonday, merged);
  EXPECT_EQ(settled.clusters->names,
            (std::vector<ClusterNameCode>(kGroupNames.begin(), kGroupNames.end())));
  settled.trained_epoch -= 7;
  Training again({});
  again.restore(settled, kMonday - 70, std::nullopt);
  EXPECT_EQ(again.train(kMonday, merged).cluster_change, ClusterChange::kNone);

  std::swap(settled.clusters->names[0], settled.clusters->names[4]);
  Training renaming({});
  renaming.restore(settled, kMonday - 70, std::nullopt);
  const ModelVersion v = renaming.train(kMonday, merged);
  EXPECT_EQ(v.cluster_change, ClusterChange::kRefitWarm);
  EXPECT_FALSE(v.unchanged);
  EXPECT_EQ(v.clusters->centroids, settled.clusters->centroids);
  EXPECT_EQ(v.clusters->names,
            (std::vector<ClusterNameCode>(kGroupNames.begin(), kGroupNames.end())));
}

TEST(ClusterTraining, IdsOfAFirstFitFollowTheRanksOfTheNames) {
  std::mt19937_64 rng(9);
  const Contribution merged = five_groups(rng);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    Training training({.cluster_history_ms = 0, .seed = seed});
    const ModelVersion v = training.train(kMonday, merged);
    ASSERT_EQ(v.cluster_change, ClusterChange::kFirstFit);
    EXPECT_EQ(v.clusters->names, (std::vector<ClusterNameCode>{kChampions, kLoyal, kOccasional,
                                                               kDormantHighValue, kHibernating}));
  }
}

}  // namespace
}  // namespace rfm
