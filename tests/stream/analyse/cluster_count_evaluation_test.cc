// Goal: three groups look like three by every figure, a refit is as stable as its memberships are,
// and an axis' classes are its optimal ones.
#include "stream/analyse/cluster_count_evaluation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "model/cluster_validity.h"
#include "model/natural_breaks.h"
#include "state/epoch.h"
#include "stream/evaluate/cluster_evaluation.h"

namespace rfm {
namespace {

constexpr std::int64_t kEpochAt = 15226;
constexpr std::int64_t kDay = 86'400'000;

// `count` customers in three groups of one size, as of the boundary `weeks` later; those whose
// number is below `moved` are each in the next group.
RefitSample three_groups(std::int64_t weeks, std::uint64_t count = 300, std::uint64_t moved = 0) {
  RefitSample sample{.at = boundary_of(kEpochAt + 7 * weeks), .rows = {}};
  std::mt19937_64 rng(3);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto spread = static_cast<std::int64_t>(rng() % 5);
    const std::int64_t group = static_cast<std::int64_t>((i < moved ? i + 1 : i) % 3);
    const std::int64_t last = to_ms(sample.at) - (1 + group * 90 + spread) * kDay;
    sample.rows.push_back({.id_hash = i * 7,
                           .first_purchase_ms = last,
                           .last_purchase_ms = last,
                           .monetary = (group * 1000 + 10 + spread) * 10'000,
                           .frequency = static_cast<std::uint32_t>(1 + group * 20)});
  }
  return sample;
}

TEST(JudgeClusterCount, FindsThreeGroupsByEveryFigure) {
  const RefitSample sample = three_groups(0);
  const std::vector<FeatureVector> points = points_of(sample.rows, sample.at);
  std::vector<ClusterCountFigures> figures;
  for (int k = 2; k <= 6; ++k) figures.push_back(judge_cluster_count(points, k));
  const ClusterCountFigures& three = figures[1];
  for (const ClusterCountFigures& f : figures) {
    EXPECT_LE(f.silhouette, three.silhouette) << f.cluster_count;
    EXPECT_LE(f.simplified_silhouette, three.simplified_silhouette) << f.cluster_count;
    EXPECT_GE(f.davies_bouldin, three.davies_bouldin) << f.cluster_count;
  }
  for (std::size_t i = 1; i < figures.size(); ++i)
    EXPECT_LT(figures[i].inertia, figures[i - 1].inertia);
  EXPECT_GT(three.silhouette, .8);
  EXPECT_GT(three.calinski_harabasz, 2 * figures[0].calinski_harabasz);
  EXPECT_NEAR(three.smallest_share, 1.0 / 3, 1e-12);
}

TEST(JudgeClusterCount, ComparesAtMostSoManyCustomersWithEachOther) {
  const RefitSample sample = three_groups(0);
  const std::vector<FeatureVector> points = points_of(sample.rows, sample.at);
  const ClusterCountFigures all = judge_cluster_count(points, 4);
  const ClusterCountFigures part = judge_cluster_count(points, 4, 50);
  EXPECT_EQ(all.inertia, part.inertia);
  EXPECT_EQ(all.simplified_silhouette, part.simplified_silhouette);
  EXPECT_NE(all.silhouette, part.silhouette);
  EXPECT_NEAR(all.silhouette, part.silhouette, .1);
  EXPECT_EQ(all.silhouette, judge_cluster_count(points, 4, points.size()).silhouette);
}

TEST(RefitWalk, OfCustomersWhoStayHasIndexOne) {
  RefitWalk walk(2, 4, {});
  EXPECT_EQ(walk.stability(3).pair_count, 0U);
  for (std::int64_t week = 0; week < 4; ++week) walk.add(three_groups(week));
  const MembershipStability s = walk.stability(3);
  EXPECT_EQ(s.pair_count, 3U);
  EXPECT_DOUBLE_EQ(s.by_refit, 1);
  EXPECT_DOUBLE_EQ(s.by_time, 1);
}

TEST(RefitWalk, TellsTheCustomersOwnMovesFromTheRefits) {
  RefitWalk walk(3, 3, {});
  walk.add(three_groups(0));
  walk.add(three_groups(1, 300, 90));
  const MembershipStability s = walk.stability(3);
  EXPECT_DOUBLE_EQ(s.by_refit, 1);  // The groups are where they were.
  std::vector<int> before;
  std::vector<int> after;
  for (int i = 0; i < 300; ++i) {
    before.push_back(i % 3);
    after.push_back((i < 90 ? i + 1 : i) % 3);
  }
  EXPECT_DOUBLE_EQ(s.by_time, adjusted_rand_index(before, after));
  EXPECT_LT(s.by_time, .5);
}

TEST(RefitWalk, ComparesWhoIsInBothSamples) {
  RefitWalk walk(3, 3, {});
  RefitSample first = three_groups(0);
  std::erase_if(first.rows, [](const SampleRow& row) { return row.id_hash % 2 == 0; });
  RefitSample second = three_groups(1, 400, 90);
  std::erase_if(second.rows, [](const SampleRow& row) { return row.id_hash < 90 * 7; });
  walk.add(first);
  walk.add(second);
  EXPECT_DOUBLE_EQ(walk.stability(3).by_time, 1);
}

TEST(SplitAxis, HasTheOptimalClassesOfTheSample) {
  RefitSample sample = three_groups(0);
  sample.rows[0].monetary = -5;
  const auto recency = axis_values(sample, Quantity::kRecency);
  const auto frequency = axis_values(sample, Quantity::kFrequency);
  const auto monetary = axis_values(sample, Quantity::kMonetary);
  EXPECT_EQ(recency[1], to_ms(sample.at) - sample.rows[1].last_purchase_ms);
  EXPECT_EQ(frequency[1], 21);
  EXPECT_EQ(monetary[0], -5);
  EXPECT_EQ(split_axis(frequency, 3).cuts, (std::vector<std::int64_t>{1, 21}));
  EXPECT_EQ(split_axis(frequency, 3).squares_left, 0);
  EXPECT_EQ(split_axis(frequency, 1).squares_left, 100 * (20.0 * 20 + 20 * 20));
  EXPECT_EQ(split_axis(recency, 3).cuts, natural_breaks(recency, 3));
}

}  // namespace
}  // namespace rfm
