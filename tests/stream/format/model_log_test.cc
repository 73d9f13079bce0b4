// Goal: what the trainer publishes reads back as the same bits; what it did not write is refused,
// with the record and the field.
#include "stream/format/model_log.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <random>

#include "model/cluster_names.h"
#include "tests/golden/golden_file.h"

namespace rfm {
namespace {

// In [low, low + 1), with all its bits.
double random_double(std::mt19937_64& random, double low) {
  return low + static_cast<double>(random() >> 11) * 0x1p-53;
}

std::vector<std::int64_t> random_cuts(std::mt19937_64& random, int bits) {
  std::vector<std::int64_t> cuts(4);
  for (std::int64_t& cut : cuts) cut = static_cast<std::int64_t>(random() >> (64 - bits));
  std::sort(cuts.begin(), cuts.end());
  return cuts;
}

ClusterModel random_clusters(std::mt19937_64& random) {
  ClusterModel clusters;
  clusters.cluster_count = 4;
  for (double& weight : clusters.weight) weight = random_double(random, .25);
  for (std::size_t c = 0; c < 4; ++c) {
    for (double& x : clusters.centroids[c]) x = random_double(random, 3);
    clusters.names.push_back(static_cast<ClusterNameCode>(c % 2 == 0 ? c : 16 + c));
  }
  clusters.inertia_per_customer = random_double(random, 0);
  return clusters;
}

ChurnModel random_churn(std::mt19937_64& random) {
  ChurnModel churn{.nbd_r = random_double(random, .5),
                   .nbd_alpha_days = random_double(random, 70),
                   .intercept = random_double(random, -1)};
  for (std::size_t i = 0; i < kHazardFeatureCount; ++i) {
    churn.coefficient[i] = random_double(random, -.5);
    churn.mean[i] = random_double(random, 0);
    churn.sd[i] = random_double(random, .01);
  }
  return churn;
}

// A version that may follow `before`.
ModelVersion random_successor(std::mt19937_64& random, const ModelVersion& before) {
  ModelVersion version = before;
  ++version.trained_epoch;
  version.population = static_cast<std::int64_t>(random() >> 1);
  version.cluster_change = ClusterChange::kNone;
  if (random() % 3 != 0) version.sample_shift = static_cast<int>(random() % 64);
  if (random() % 2 == 0) {
    version.cuts.clear();
    if (random() % 2 == 0) {
      version.cuts = {{.quantity = Quantity::kRecency, .cuts = random_cuts(random, 40)},
                      {.quantity = Quantity::kFrequency, .cuts = random_cuts(random, 20)},
                      {.quantity = Quantity::kMonetary, .cuts = random_cuts(random, 62)},
                      {.quantity = Quantity::kValue, .method = CutMethod::kBreaks, .cuts = {}}};
    }
  }
  if (random() % 2 == 0) {
    version.cluster_change =
        before.clusters ? ClusterChange::kRefitChallenger : ClusterChange::kFirstFit;
    version.clusters = random_clusters(random);
  }
  if (version.clusters && random() % 3 == 0) {
    version.held = {.epoch = before.trained_epoch,
                    .moved = random_double(random, 0),
                    .clusters = random_clusters(random)};
  } else if (random() % 3 == 0) {
    version.held.reset();
  }
  if (random() % 2 == 0) version.churn = random_churn(random);
  version.empty_partitions.clear();
  for (std::int32_t p = 0; p < 3; ++p) {
    if (random() % 4 == 0) version.empty_partitions.push_back(p);
  }
  version.cuts_changed = version.cuts != before.cuts;
  version.churn_changed = version.churn != before.churn;
  version.unchanged = !version.cuts_changed && !version.churn_changed &&
                      version.cluster_change == ClusterChange::kNone &&
                      version.held == before.held && version.sample_shift == before.sample_shift;
  if (!version.unchanged) ++version.number;
  return version;
}

TEST(ModelLogProperty, RandomVersionsComeBackBitForBit) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    std::vector<ModelVersion> versions;
    std::vector<ModelLogRecord> records;
    ModelVersion before;
    before.trained_epoch = 14'999;
    while (versions.size() < 6) {
      versions.push_back(random_successor(random, before));
      before = versions.back();
      records.push_back(encode_version(before));
      EXPECT_EQ(records.back().key, "version/" + std::to_string(before.trained_epoch));
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
  version.number = 1;
  version.trained_epoch = 15'318;
  version.population = 4'338;
  version.cuts = {
      {.quantity = Quantity::kRecency,
       .cuts = {1'209'600'000, 2'592'000'000, 5'184'000'000, 10'368'000'000}},
      {.quantity = Quantity::kFrequency, .cuts = {1, 2, 3, 5}},
      {.quantity = Quantity::kMonetary, .cuts = {2'500'000, 4'900'000, 9'400'000, 20'600'000}},
      {.quantity = Quantity::kValue, .method = CutMethod::kBreaks, .bins = 3, .cuts = {}}};
  version.cuts_changed = true;
  ClusterModel& clusters = version.clusters.emplace();
  clusters.cluster_count = 2;
  clusters.weight = {.5, 1. / 3, 2};
  clusters.centroids[0] = {1.5, 2.25, 8.125};
  clusters.centroids[1] = {4.1, .7, 5.9};
  clusters.names = {kLoyal, plain_name_code({.spend = SpendWord::kHigh, .number = 2})};
  clusters.inertia_per_customer = 1.23456789012345678;
  version.cluster_change = ClusterChange::kFirstFit;
  version.churn = ChurnModel{.nbd_r = .8, .nbd_alpha_days = 70.5, .intercept = -.1};
  version.churn_changed = true;
  return version;
}

HeldClusters& hold(ModelVersion& version) {
  return version.held.emplace(
      HeldClusters{.epoch = version.trained_epoch, .moved = .2, .clusters = *version.clusters});
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
  const LossRecord loss{.partition = 1,
                        .commit_number = 812,
                        .from = 17,
                        .to = 42,
                        .offsets = 25,
                        .another_topic = false,
                        .accepted_ms = 1'322'000'000'000};
  ModelVersion holding = same;
  holding.trained_epoch += 1;
  holding.number += 1;
  holding.unchanged = false;
  hold(holding).clusters.centroids[0] = {1.25, 2, 8};
  std::string text;
  RulesRecord later = rules;
  later.version = 2;
  later.effective_epoch = 15'000;
  later.settings["rfm.monetary"] = "gross";
  for (const ModelLogRecord& record :
       {encode_rules(rules), encode_rules(later), encode_version(golden_version()),
        encode_version(same), encode_version(holding), encode_loss(loss)})
    text += record.key + "\n" + record.value + "\n";
  expect_golden("model_log.txt", text);
}

TEST(ModelLog, LossesAndTheBeginOfTheInputComeBack) {
  RulesRecord rules{.version = 1,
                    .settings = {},
                    .go_live = {5, 9},
                    .go_live_time = "",
                    .first_start_ms = 3,
                    .begin = {1, 0}};
  const LossRecord first{.partition = 0,
                         .commit_number = 2,
                         .from = 9,
                         .to = 4,
                         .offsets = 4,
                         .another_topic = true,
                         .accepted_ms = 7};
  LossRecord second = first;
  second.commit_number = 11;
  second.another_topic = false;
  LossRecord third = second;  // Accepted in one start.
  third.changelog = true;
  const absl::StatusOr<ModelLog> log = decode_model_log(
      {encode_loss(third), encode_loss(second), encode_rules(rules), encode_loss(first)});
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_EQ(log->losses, (std::vector<LossRecord>{first, second, third}));
  EXPECT_EQ(log->rules, std::vector<RulesRecord>{rules});
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

std::string error_of(const std::vector<ModelLogRecord>& records) {
  const absl::Status status = decode_model_log(records).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  return std::string(status.message());
}

struct Fault {
  std::string field;  // What the refusal names.
  std::function<void(ModelVersion&)> make;
};

TEST(ModelLog, AVersionOutOfRangeIsRefusedWithTheField) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Fault> faults = {
      {"version:", [](ModelVersion& v) { v.number = -1; }},
      {"trained_epoch:", [](ModelVersion& v) { v.trained_epoch = std::int64_t{1} << 40; }},
      {"population:", [](ModelVersion& v) { v.population = -1; }},
      {"sample_shift: 200", [](ModelVersion& v) { v.sample_shift = 200; }},
      {"sample_shift:", [](ModelVersion& v) { v.sample_shift = -1; }},
      {"empty_partitions:",
       [](ModelVersion& v) {
         v.empty_partitions = {2, 1};
       }},
      {"empty_partitions:", [](ModelVersion& v) { v.empty_partitions = {-1}; }},
      {"cuts[0].cuts:",
       [](ModelVersion& v) {
         v.cuts[0].cuts = {1, 3, 2, 4};
       }},
      {"cuts[0].cuts:", [](ModelVersion& v) { v.cuts[0].cuts[3] = INT64_MAX; }},
      {"cuts[1].cuts:", [](ModelVersion& v) { v.cuts[1].cuts[0] = -1; }},
      {"cuts[2].cuts:", [](ModelVersion& v) { v.cuts[2].cuts.pop_back(); }},
      {"cuts[3].bins:", [](ModelVersion& v) { v.cuts[3].bins = 11; }},
      {"clusters.centroids:", [](ModelVersion& v) { v.clusters->cluster_count = 0; }},
      {"clusters.centroids:", [](ModelVersion& v) { v.clusters->cluster_count = 1; }},
      {"clusters.centroids[1].name:",
       [](ModelVersion& v) { v.clusters->names[1] = kClusterNameCodesEnd; }},
      {"clusters.centroids[1].center:",
       [](ModelVersion& v) { v.clusters->centroids[1][2] = 1e300; }},
      {"clusters.centroids[0].center:", [](ModelVersion& v) { v.clusters->centroids[0][0] = -1; }},
      {"clusters.weight:", [](ModelVersion& v) { v.clusters->weight[1] = 0; }},
      {"clusters.weight:", [](ModelVersion& v) { v.clusters->weight[1] = 1e300; }},
      {"clusters.inertia_per_customer:",
       [](ModelVersion& v) { v.clusters->inertia_per_customer = -1; }},
      {"churn.nbd_r:", [](ModelVersion& v) { v.churn->nbd_r = 0; }},
      {"churn.nbd_alpha_days:", [](ModelVersion& v) { v.churn->nbd_alpha_days = -70; }},
      {"churn.sd:", [](ModelVersion& v) { v.churn->sd[4] = -1; }},
      {"churn.mean:", [](ModelVersion& v) { v.churn->mean[4] = 1e10; }},
      {"churn.coefficient:",
       [](ModelVersion& v) {
         v.churn->coefficient[4] = 1e300;
         v.churn->sd[4] = 1e-300;
       }},
      {"churn.intercept:", [](ModelVersion& v) { v.churn->intercept = -1e300; }},
      {"not JSON", [](ModelVersion& v) { v.churn->intercept = kNan; }},
      {"held.trained_epoch:", [](ModelVersion& v) { hold(v).epoch = v.trained_epoch + 1; }},
      {"held.moved:", [](ModelVersion& v) { hold(v).moved = 1.5; }},
      {"held.clusters.centroids: 2 of them, not as many",
       [](ModelVersion& v) {
         hold(v);
         v.clusters->cluster_count = 3;
         v.clusters->names.push_back(kOccasional);
       }},
  };
  for (const Fault& fault : faults) {
    SCOPED_TRACE(fault.field);
    ModelVersion version = golden_version();
    fault.make(version);
    const ModelLogRecord record = encode_version(version);
    const std::string error = error_of({record});
    EXPECT_NE(error.find(record.key), std::string::npos) << error;
    EXPECT_NE(error.find(fault.field), std::string::npos) << error;
  }
}

TEST(ModelLog, AVersionThatDoesNotFollowIsRefusedWithTheField) {
  const std::vector<Fault> faults = {
      {"clusters: they are missing", [](ModelVersion& v) { v.clusters.reset(); }},
      {"churn: it is missing", [](ModelVersion& v) { v.churn.reset(); }},
      {"cluster_change:", [](ModelVersion& v) { v.cluster_change = ClusterChange::kMoved; }},
      {"cluster_change:", [](ModelVersion& v) { v.clusters->centroids[0][0] = 2; }},
      {"cluster_change:",
       [](ModelVersion& v) {
         v.clusters->centroids[0][0] = 2;
         v.cluster_change = ClusterChange::kFirstFit;
       }},
      {"clusters.weight:",
       [](ModelVersion& v) {
         v.clusters->weight[0] = 2;
         v.cluster_change = ClusterChange::kMoved;
       }},
      {"clusters.centroids: 3",
       [](ModelVersion& v) {
         v.clusters->cluster_count = 3;
         v.clusters->names.push_back(kOccasional);
         v.cluster_change = ClusterChange::kRefitWarm;
       }},
      {"cuts_changed:", [](ModelVersion& v) { v.cuts[1].cuts[3] = 9; }},
      {"churn_changed:", [](ModelVersion& v) { v.churn->intercept = 0; }},
      {"unchanged:", [](ModelVersion& v) { v.sample_shift = 1; }},
      {"unchanged:", [](ModelVersion& v) { hold(v); }},
      {"version: 7 follows 1", [](ModelVersion& v) { v.number = 7; }},
  };
  for (const Fault& fault : faults) {
    SCOPED_TRACE(fault.field);
    ModelVersion version = golden_version();
    version.trained_epoch += 1;
    version.unchanged = true;
    version.cuts_changed = version.churn_changed = false;
    version.cluster_change = ClusterChange::kNone;
    fault.make(version);
    const ModelLogRecord record = encode_version(version);
    const std::string error = error_of({encode_version(golden_version()), record});
    EXPECT_NE(error.find(record.key), std::string::npos) << error;
    EXPECT_NE(error.find(fault.field), std::string::npos) << error;
  }
}

std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(ModelLog, ARecordOfAnotherShapeIsRefusedWithTheField) {
  const ModelLogRecord good = encode_version(golden_version());
  const auto refused = [&](const std::string& from, const std::string& to) {
    return error_of({{good.key, with(good.value, from, to)}});
  };
  const auto expect = [](const std::string& error, const std::string& field) {
    EXPECT_NE(error.find("version/15318: " + field), std::string::npos) << error;
  };
  expect(refused("\"format\":3,", ""), "format: missing");
  expect(refused("\"format\":3,", "\"format\":2,"), "format: not 4");
  expect(refused("\"format\":3,", "\"format\":4,"), "held");
  expect(refused("\"sample_shift\":0", "\"sample_shift\":1.5"), "sample_shift: not a whole");
  expect(refused("\"effective_epoch\":15319", "\"effective_epoch\":15320"), "effective_epoch:");
  expect(refused("\"first_fit\"", "\"fitted\""), "cluster_change:");
  expect(refused("[1,2,3,5]", "[1,2,3]"), "cuts[1].cuts: 3 of them for 5 bins");
  expect(refused("\"clusters\":{", "\"clusters\":null,\"c\":{"), "clusters: it is not an object");
  expect(refused("\"name\":\"Recent, one purchase, high spend (2)\",", ""),
         "clusters.centroids[1].name: missing");
  expect(refused("\"nbd_r\":0.8", "\"nbd_r\":1e999"), "not JSON");
  expect(refused("\"trained_epoch\":15318", "\"trained_epoch\":15317"), "effective_epoch:");
  const std::size_t centroids = good.value.find("\"centroids\":[");
  const std::size_t end = good.value.find("],\"inertia", centroids);
  const std::string none =
      good.value.substr(0, centroids) + "\"centroids\":[" + good.value.substr(end);
  expect(error_of({{good.key, none}}), "clusters.centroids: 0 of them");
  EXPECT_NE(error_of({{"version/7", good.value}}).find("version/15318"), std::string::npos);
  EXPECT_NE(error_of({{"other/1", "{\"format\":1}"}}).find("neither"), std::string::npos);
  EXPECT_NE(error_of({good, {good.key, with(good.value, "4338", "4339")}}).find("twice"),
            std::string::npos);
  EXPECT_TRUE(decode_model_log({good, good}).ok());
  const std::string deep(1'000'000, '[');
  EXPECT_NE(error_of({{good.key, "{\"format\":1,\"a\":" + deep}}).find("not JSON"),
            std::string::npos);
}

TEST(ModelLog, RulesOfAnotherShapeAreRefusedWithTheField) {
  RulesRecord good;
  good.settings = {{"rfm.monetary", "net"}};
  good.go_live = {5};
  ASSERT_TRUE(decode_model_log({encode_rules(good)}).ok());
  const auto refused = [&](const std::function<void(RulesRecord&)>& make) {
    RulesRecord rules = good;
    make(rules);
    return error_of({encode_rules(rules)});
  };
  const auto expect = [](const std::string& error, const std::string& text) {
    EXPECT_NE(error.find(text), std::string::npos) << error;
  };
  expect(refused([](RulesRecord& r) { r.version = 0; }), "rules/0: ");
  expect(refused([](RulesRecord& r) {
           r.version = 2;
           r.effective_epoch = 15'000;
         }),
         "no record rules/1");
  expect(refused([](RulesRecord& r) { r.go_live[0] = -1; }), "rules/1: go_live:");
  expect(refused([](RulesRecord& r) { r.go_live_time = "soon"; }), "rules/1: go_live_time:");
  expect(refused([](RulesRecord& r) { r.first_start_ms = INT64_MAX; }), "first_start_ms:");
  expect(error_of({{"rules/1", with(encode_rules(good).value, "\"net\"", "1")}}),
         "rules/1: settings.rfm.monetary: not a text");
}

TEST(ModelLog, LaterRulesComeBackWithTheirBoundaries) {
  std::vector<RulesRecord> rules(3);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    rules[i].version = static_cast<std::int64_t>(i) + 1;
    rules[i].settings = {{"rfm.monetary", i == 1 ? "gross" : "net"}};
    rules[i].go_live = {5};
  }
  rules[1].effective_epoch = 15'000;
  rules[2].effective_epoch = 15'000;  // Both were asked for in between.
  const auto log_of = [&] {
    return decode_model_log(
        {encode_rules(rules[2]), encode_rules(rules[0]), encode_rules(rules[1])});
  };
  const absl::StatusOr<ModelLog> log = log_of();
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_EQ(log->rules, rules);
  const auto refused = [&] { return std::string(log_of().status().message()); };
  rules[2].effective_epoch = 14'999;
  EXPECT_NE(refused().find("rules/3"), std::string::npos) << refused();
  EXPECT_NE(refused().find("before that of the version before"), std::string::npos) << refused();
  rules[2].effective_epoch.reset();
  EXPECT_NE(refused().find("rules/3: effective_epoch"), std::string::npos) << refused();
  rules[2].effective_epoch = -1;
  EXPECT_NE(refused().find("it is negative"), std::string::npos) << refused();
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
