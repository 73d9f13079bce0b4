// Goal: what the trainer publishes reads back as the same bits; what it did not write is refused.
#include "stream/format/model_log.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

#include "tests/golden/golden_file.h"

namespace rfm {
namespace {

double random_double(std::mt19937_64& random) {
  while (true) {
    const auto value = std::bit_cast<double>(random());
    if (std::isfinite(value)) return value;
  }
}

ModelVersion random_version(std::mt19937_64& random, std::int64_t epoch) {
  ModelVersion version;
  version.number = static_cast<std::int64_t>(random() >> 1);
  version.trained_epoch = epoch;
  version.unchanged = random() % 3 == 0;
  if (version.unchanged) version.number = 7;
  version.population = static_cast<std::int64_t>(random() >> 1);
  version.sample_shift = static_cast<int>(random() % 64);
  version.cuts.absolute = random() % 2 == 0;
  for (AxisCuts* axis :
       {&version.cuts.recency_ms, &version.cuts.frequency, &version.cuts.monetary}) {
    for (std::int64_t& cut : *axis) cut = static_cast<std::int64_t>(random());
    std::sort(axis->begin(), axis->end());
  }
  version.cuts_changed = random() % 2 == 0;
  if (random() % 2 == 0) {
    ClusterModel& clusters = version.clusters.emplace();
    clusters.cluster_count = 1 + static_cast<int>(random() % kClustersMax);
    for (double& weight : clusters.weight) weight = random_double(random);
    for (int c = 0; c < clusters.cluster_count; ++c) {
      for (double& x : clusters.centroids[static_cast<std::size_t>(c)]) x = random_double(random);
      clusters.names.push_back(c % 2 == 0 ? "Can't \"Lose\"\n" : "Cluster " + std::to_string(c));
    }
    clusters.inertia_per_customer = random_double(random);
    version.cluster_change = static_cast<ClusterChange>(random() % 5);
  }
  if (random() % 2 == 0) {
    ChurnModel& churn = version.churn.emplace();
    churn.nbd_r = random_double(random);
    churn.nbd_alpha_days = random_double(random);
    churn.intercept = random_double(random);
    for (std::size_t i = 0; i < kHazardFeatureCount; ++i) {
      churn.coefficient[i] = random_double(random);
      churn.mean[i] = random_double(random);
      churn.sd[i] = random_double(random);
    }
    version.churn_changed = random() % 2 == 0;
  }
  for (std::int32_t p = 0; p < 3; ++p) {
    if (random() % 4 == 0) version.empty_partitions.push_back(p);
  }
  return version;
}

TEST(ModelLogProperty, RandomVersionsComeBackBitForBit) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    std::vector<ModelVersion> versions;
    std::vector<ModelLogRecord> records;
    for (std::int64_t epoch = 15'000; epoch < 15'004; ++epoch) {
      ModelVersion version = random_version(random, epoch);
      if (version.unchanged) {
        // It repeats the one before: only a version with a content may stand for itself.
        version.unchanged = false;
      }
      records.push_back(encode_version(version));
      EXPECT_EQ(records.back().key, "version/" + std::to_string(epoch));
      versions.push_back(std::move(version));
    }
    std::shuffle(records.begin(), records.end(), random);
    const absl::StatusOr<ModelLog> log = decode_model_log(records);
    ASSERT_TRUE(log.ok()) << log.status();
    ASSERT_EQ(log->versions, versions);
    for (std::size_t i = 0; i < versions.size(); ++i)
      EXPECT_EQ(encode_version(log->versions[i]), encode_version(versions[i]));
  }
}

ModelVersion golden_version() {
  ModelVersion version;
  version.number = 12;
  version.trained_epoch = 15'318;
  version.population = 4'338;
  version.cuts.absolute = false;
  version.cuts.recency_ms = {1'209'600'000, 2'592'000'000, 5'184'000'000, 10'368'000'000};
  version.cuts.frequency = {1, 2, 3, 5};
  version.cuts.monetary = {2'500'000, 4'900'000, 9'400'000, 20'600'000};
  version.cuts_changed = true;
  ClusterModel& clusters = version.clusters.emplace();
  clusters.cluster_count = 2;
  clusters.weight = {.5, 1. / 3, 2};
  clusters.centroids[0] = {1.5, 2.25, 8.125};
  clusters.centroids[1] = {4.1, .7, 5.9};
  clusters.names = {"Cluster 1", "Cluster 2"};
  clusters.inertia_per_customer = 1.23456789012345678;
  version.cluster_change = ClusterChange::kRefitWarm;
  version.churn = ChurnModel{.nbd_r = .8, .nbd_alpha_days = 70.5, .intercept = -.1};
  version.churn_changed = true;
  return version;
}

TEST(ModelLog, RecordsAreAsPublished) {
  const RulesRecord rules{.version = 1,
                          .settings = {{"input.settle", "1m"}, {"rfm.monetary", "net"}},
                          .go_live = {5, 0},
                          .go_live_time = "",
                          .first_start_ms = 1'322'000'000'000};
  ModelVersion same = golden_version();
  same.trained_epoch += 1;
  same.unchanged = true;
  same.cuts_changed = same.churn_changed = false;
  same.cluster_change = ClusterChange::kNone;
  same.empty_partitions = {3, 5};
  std::string text;
  for (const ModelLogRecord& record :
       {encode_rules(rules), encode_version(golden_version()), encode_version(same)})
    text += record.key + "\n" + record.value + "\n";
  expect_golden("model_log.txt", text);
}

TEST(ModelLog, AnUnchangedVersionRepeatsTheOneBefore) {
  ModelVersion same = golden_version();
  same.trained_epoch += 1;
  same.population += 10;
  same.unchanged = true;
  same.cuts_changed = same.churn_changed = false;
  same.cluster_change = ClusterChange::kNone;
  const absl::StatusOr<ModelLog> log =
      decode_model_log({encode_version(same), encode_version(golden_version())});
  ASSERT_TRUE(log.ok()) << log.status();
  ASSERT_EQ(log->versions.size(), 2U);
  EXPECT_EQ(log->versions[0], golden_version());
  EXPECT_EQ(log->versions[1], same);
}

TEST(ModelLog, RefusesGapsDamageAndNewerFormats) {
  ModelVersion later = golden_version();
  later.trained_epoch += 2;
  EXPECT_EQ(
      decode_model_log({encode_version(golden_version()), encode_version(later)}).status().code(),
      absl::StatusCode::kDataLoss);
  const ModelLogRecord good = encode_version(golden_version());
  for (std::size_t size = 0; size < good.value.size(); size += 7) {
    const ModelLogRecord cut{good.key, good.value.substr(0, size)};
    EXPECT_EQ(decode_model_log({cut}).status().code(), absl::StatusCode::kDataLoss) << size;
  }
  EXPECT_FALSE(decode_model_log({{"nonsense", "{}"}}).ok());
}

}  // namespace
}  // namespace rfm
