// Goal: the ratio is 1 for a fit of the same customers, more for any other centroids, and labels
// are compared with the nearest centroid.
#include "stream/evaluate/cluster_evaluation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "model/kmeans.h"
#include "model/nearest_centroid.h"
#include "state/epoch.h"
#include "state/evaluation.h"
#include "state/hashes.h"

namespace rfm {
namespace {

constexpr std::int64_t kEpochAt = 15226;
constexpr std::int64_t kDay = 86'400'000;

// Three groups far from one another.
std::vector<SampleRow> three_groups() {
  std::mt19937_64 rng(3);
  std::vector<SampleRow> rows;
  for (std::uint64_t i = 0; i < 300; ++i) {
    const auto spread = static_cast<std::int64_t>(rng() % 5);
    const std::int64_t group = static_cast<std::int64_t>(i % 3);
    const std::int64_t last = kEpochAt * kDay - (1 + group * 90 + spread) * kDay;
    rows.push_back({.id_hash = i,
                    .first_purchase_ms = last,
                    .last_purchase_ms = last,
                    .monetary = (group * 1000 + 10 + spread) * 10'000,
                    .frequency = static_cast<std::uint32_t>(1 + group * 20)});
  }
  return rows;
}

ClusterModel fitted(const std::vector<SampleRow>& sample) {
  std::vector<FeatureVector> points;
  for (const SampleRow& row : sample) {
    points.push_back({recency_feature(row.last_purchase_ms, kEpochAt * kDay),
                      std::log1p(row.frequency),
                      std::log1p(static_cast<double>(row.monetary) / 10'000)});
  }
  const KMeansFit fit = refit(points, {}, {.cluster_count = 3});
  ClusterModel model;
  model.cluster_count = 3;
  model.weight = fit.weight;
  std::copy(fit.centroids.begin(), fit.centroids.end(), model.centroids.begin());
  return model;
}

TEST(AssessClusters, GivesOneForTheBatchFitItself) {
  const std::vector<SampleRow> sample = three_groups();
  const ClusterModel best = fitted(sample);
  ClusterModel moved = best;
  for (FeatureVector& centroid : moved.centroids) centroid[0] += .3;
  const ClusterAssessment a = assess_clusters(sample, boundary_of(kEpochAt), moved, best);
  EXPECT_EQ(a.customers, 300U);
  EXPECT_EQ(a.cluster_count, 3);
  EXPECT_NEAR(a.trained_ratio(), 1, 1e-9);
  // Moving all centroids by d adds n weight d^2 to an inertia around means.
  const double added = 300 * best.weight[0] * .09;
  EXPECT_NEAR(a.adopted_inertia, a.fresh_inertia + added, 1e-6 * added);
}

TEST(CountLabels, ComparesStoredLabelsWithTheNearestCentroid) {
  const Rules rules;
  const ModelTimeline models;
  ResidentRows rows({rules, models});
  ModelVersion version;
  version.clusters.emplace();
  version.clusters->cluster_count = 2;
  version.clusters->weight = {1, 1, 1};
  version.clusters->centroids[0] = {0, 1, 1};
  version.clusters->centroids[1] = {5, 1, 1};
  const EventTime at = boundary_of(kEpochAt);
  const auto add = [&](const char* id, std::uint8_t member, int recency_days) {
    CustomerRow row;
    row.id = id;
    row.id_hash = customer_hash(id);
    row.ledger.put(
        {.number_hash = 1, .amount = {20'000}, .time = at - std::chrono::hours{24 * recency_days}},
        rules, at);
    row.segments.resize(rules.segmentations.size());
    row.member = member;
    rows.restore(std::move(row));
  };
  add("right", 1, 1);
  add("right too", 2, 200);
  add("wrong", 1, 200);
  add("none yet", 0, 200);
  const LabelCount count = count_labels(rows, rules, version, at);
  EXPECT_EQ(count.labelled, 3U);
  EXPECT_EQ(count.not_nearest, 1U);
  LabelCount sum;
  EXPECT_EQ(sum.not_nearest_share(), 0);
  sum.add(count);
  sum.add({.labelled = 1, .not_nearest = 1});
  EXPECT_EQ(sum.not_nearest_share(), .5);
  version.clusters.reset();
  EXPECT_EQ(count_labels(rows, rules, version, at).labelled, 0U);
}

}  // namespace
}  // namespace rfm
