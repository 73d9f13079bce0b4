// Goal: versions depend on the customers, not on how they are spread over partitions, in which
// order partitions report, or where the process began anew.
#include "stream/pipeline/trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace rfm {
namespace {

constexpr std::int64_t kFirst = 15'002;
constexpr std::int64_t kLast = kFirst + 45;
constexpr std::int64_t kDay = 86'400'000;

TrainingOptions small_training() {
  return {.cluster_count = 3,
          .cluster_history_ms = std::int64_t{10} * 86'400'000,
          .challenger_count = 2,
          .population_on = 20,
          .population_off = 10,
          .churn_weeks = 4};
}

// What `partition` of `count` says at `epoch`: 60 customers, each buying every few days.
Contribution contribution_at(std::int64_t epoch, PartitionId partition, int count) {
  Contribution contribution;
  contribution.epoch = epoch;
  contribution.has_sample = true;
  contribution.clusters.resize(3);
  for (std::uint64_t customer = 1; customer <= 60; ++customer) {
    if (customer % static_cast<std::uint64_t>(count) != static_cast<std::uint64_t>(partition))
      continue;
    const std::int64_t days = epoch - kFirst + 30;
    const auto gap = static_cast<std::int64_t>(2 + customer % 13);
    const auto frequency = static_cast<std::uint32_t>(1 + days / gap);
    const SampleRow row{.id_hash = customer * 0x0101010101010101,
                        .first_purchase_ms = (kFirst - 30) * kDay,
                        .last_purchase_ms = (kFirst - 30 + days / gap * gap - 1) * kDay,
                        .monetary = static_cast<std::int64_t>(customer * frequency) * 12'345,
                        .frequency = frequency};
    ++contribution.population;
    ClusterSums& sums = contribution.clusters[customer % 3];
    ++sums.n;
    sums.sum_f += static_cast<std::int64_t>(frequency) * 1000;
    sums.sum_m += static_cast<std::int64_t>(customer) * 5000;
    sums.square_f += frequency;
    sums.square_m += static_cast<std::int64_t>(customer);
    ++sums.last_purchase_days[static_cast<std::int32_t>(row.last_purchase_ms / kDay)];
    contribution.sample.push_back(row);
  }
  return contribution;
}

// Written by the trainer's thread; read after `finish`.
struct Published final : public ModelLogWriter {
  std::vector<ModelLogRecord> records;

  absl::Status publish(std::span<const ModelLogRecord> more) override {
    records.insert(records.end(), more.begin(), more.end());
    return absl::OkStatus();
  }
};

TrainerOptions options(int partition_count) {
  return {.training = small_training(), .partition_count = partition_count};
}

std::vector<ModelVersion> decoded(const std::vector<ModelLogRecord>& records) {
  absl::StatusOr<ModelLog> log = decode_model_log(records);
  EXPECT_TRUE(log.ok()) << log.status();
  return log.ok() ? log->versions : std::vector<ModelVersion>{};
}

std::vector<ModelLogRecord> train_all(int count, std::uint64_t order_seed) {
  Published published;
  Trainer trainer(options(count), published, {}, Trainer::Mode::kTrain);
  std::vector<PartitionId> order;
  for (PartitionId p = 0; p < count; ++p) order.push_back(p);
  std::mt19937_64 random(order_seed);
  std::shuffle(order.begin(), order.end(), random);
  for (const PartitionId p : order) trainer.partition_started(p, kFirst);
  for (std::int64_t epoch = kFirst; epoch <= kLast; ++epoch) {
    std::shuffle(order.begin(), order.end(), random);
    for (const PartitionId p : order) trainer.contribute(p, contribution_at(epoch, p, count));
  }
  EXPECT_TRUE(trainer.finish().ok());
  return published.records;
}

TEST(Trainer, PartitionsAndTheirOrderDoNotMatter) {
  const std::vector<ModelLogRecord> expected = train_all(1, 0);
  ASSERT_EQ(expected.size(), static_cast<std::size_t>(kLast - kFirst + 1));
  EXPECT_TRUE(decoded(expected).back().clusters.has_value());
  EXPECT_TRUE(decoded(expected).back().churn.has_value());
  for (const int count : {1, 2, 8}) {
    for (std::uint64_t seed = 0; seed < 3; ++seed) EXPECT_EQ(train_all(count, seed), expected);
  }
}

TEST(Trainer, GoesOnAsIfItHadNotBeenRestarted) {
  const std::vector<ModelLogRecord> expected = train_all(2, 0);
  for (const std::int64_t trained : {1, 7, 14, 15, 30}) {
    // What lanes had not committed comes again, also of epochs that have their record.
    for (const std::int64_t committed : {trained, trained - 1, trained + 2}) {
      SCOPED_TRACE(testing::Message() << "trained=" << trained << " committed=" << committed);
      Published published;
      published.records.assign(expected.begin(), expected.begin() + trained);
      TrainerHistory history{.versions = decoded(published.records), .contributions = {}};
      for (std::int64_t e = kFirst; e < kFirst + committed; ++e) {
        for (PartitionId p = 0; p < 2; ++p)
          history.contributions[{e, p}] = contribution_at(e, p, 2);
      }
      Trainer trainer(options(2), published, std::move(history), Trainer::Mode::kTrain);
      trainer.partition_started(0, kFirst);
      trainer.partition_started(1, kFirst);
      for (std::int64_t e = kFirst + committed; e <= kLast; ++e) {
        for (PartitionId p = 0; p < 2; ++p) trainer.contribute(p, contribution_at(e, p, 2));
      }
      ASSERT_TRUE(trainer.finish().ok());
      EXPECT_EQ(published.records, expected);
    }
  }
}

LaterRules later_rules(std::int64_t version) {
  auto rules = std::make_shared<Rules>();
  rules->version = version;
  TrainingOptions training = small_training();
  training.population_on = training.population_off = 1'000;  // From here on there are no cuts.
  return {.record = {.version = version, .settings = {}, .go_live = {}, .go_live_time = {}},
          .rules = rules,
          .training = training};
}

// With the first rules, which a lane begins the log with.
ModelLog whole_log(const std::vector<ModelLogRecord>& records) {
  std::vector<ModelLogRecord> whole = records;
  whole.push_back(encode_rules({.version = 1, .settings = {}, .go_live = {}, .go_live_time = {}}));
  absl::StatusOr<ModelLog> log = decode_model_log(whole);
  EXPECT_TRUE(log.ok()) << log.status();
  return log.ok() ? *std::move(log) : ModelLog{};
}

// No lane can have crossed a boundary whose version is not trained.
TEST(Trainer, RulesHoldFromTheFirstBoundaryThatNobodyCanHaveCrossed) {
  Published published;
  Trainer trainer(options(1), published, {}, Trainer::Mode::kTrain);
  trainer.partition_started(0, kFirst);
  for (std::int64_t e = kFirst; e < kFirst + 10; ++e)
    trainer.contribute(0, contribution_at(e, 0, 1));
  ASSERT_TRUE(trainer.finish().ok());
  trainer.change_rules(later_rules(2));
  trainer.change_rules(later_rules(3));
  ModelTimeline timeline;
  ASSERT_TRUE(trainer.update(timeline).ok());
  EXPECT_EQ(timeline.rules_count(), 2U);
  EXPECT_FALSE(timeline.knows(kFirst + 11));
  EXPECT_EQ(timeline.rules_in(kFirst + 10), nullptr);
  EXPECT_EQ(timeline.rules_in(kFirst + 11)->version, 3);
  for (std::int64_t e = kFirst + 10; e < kFirst + 20; ++e)
    trainer.contribute(0, contribution_at(e, 0, 1));
  ASSERT_TRUE(trainer.finish().ok());
  const auto [rules, versions, losses] = whole_log(published.records);
  ASSERT_EQ(rules.size(), 3U);
  ASSERT_EQ(versions.size(), 20U);
  EXPECT_EQ(rules[1].effective_epoch, kFirst + 11);
  EXPECT_EQ(rules[2].effective_epoch, kFirst + 11);
  // Before the version without which nobody reaches that boundary.
  const auto place = [&](const std::string& key) {
    return std::ranges::find(published.records, key, &ModelLogRecord::key) -
           published.records.begin();
  };
  const ModelLogRecord next = encode_version(versions[10]);
  EXPECT_LT(place("rules/2"), place(next.key));
  EXPECT_LT(place("rules/3"), place(next.key));
  // What is trained from there on is under the new rules.
  EXPECT_FALSE(versions[9].cuts.empty());
  EXPECT_TRUE(versions[10].cuts.empty());
}

TEST(Trainer, RulesThatAreAskedForBeforeTrainingBeginsWaitForIt) {
  Published published;
  Trainer trainer(options(2), published, {}, Trainer::Mode::kTrain);
  trainer.change_rules(later_rules(2));
  trainer.partition_started(0, kFirst);
  ModelTimeline timeline;
  ASSERT_TRUE(trainer.update(timeline).ok());
  EXPECT_EQ(timeline.rules_count(), 0U);
  trainer.partition_empty(1);
  ASSERT_TRUE(trainer.update(timeline).ok());
  EXPECT_EQ(timeline.rules_in(kFirst), nullptr);
  ASSERT_NE(timeline.rules_in(kFirst + 1), nullptr);
  trainer.contribute(0, contribution_at(kFirst, 0, 2));
  ASSERT_TRUE(trainer.finish().ok());
  ASSERT_EQ(whole_log(published.records).rules.size(), 2U);
  EXPECT_EQ(whole_log(published.records).rules[1].effective_epoch, kFirst + 1);
}

// A log with clusters held since its last version.
std::vector<ModelLogRecord> holding_log() {
  std::vector<ModelLogRecord> records = train_all(1, 0);
  records.resize(static_cast<std::size_t>(kLast - kFirst) - 1);
  ModelVersion last = decoded(records).back();
  last.held = {.epoch = last.trained_epoch, .moved = .3, .clusters = *last.clusters};
  std::swap(last.held->clusters.centroids[0], last.held->clusters.centroids[1]);
  last.number += last.unchanged ? 1 : 0;
  last.unchanged = false;
  records.back() = encode_version(last);
  return records;
}

// What it asks for is logged with the epoch trained next, or not at all.
TEST(Trainer, ClustersThatAreHeldAreTakenWhenTheyArePromoted) {
  Published published;
  published.records = holding_log();
  const std::vector<ModelVersion> before = decoded(published.records);
  const ModelVersion& last = before.back();
  const auto next = [&](std::optional<std::int64_t> promoted) {
    published.records = holding_log();
    Trainer trainer(options(1), published, {.versions = before, .contributions = {}},
                    Trainer::Mode::kTrain);
    EXPECT_EQ(*trainer.newest(), last);
    if (promoted) {
      EXPECT_EQ(trainer.promote(*promoted), *promoted == last.trained_epoch);
    }
    trainer.partition_started(0, kFirst);
    trainer.contribute(0, contribution_at(last.trained_epoch + 1, 0, 1));
    EXPECT_TRUE(trainer.finish().ok());
    EXPECT_EQ(*trainer.newest(), decoded(published.records).back());
    return *trainer.newest();
  };
  EXPECT_EQ(next({}).held, last.held) << "it stays through a restart";
  EXPECT_EQ(next(last.trained_epoch - 7), next({})) << "others are held";
  const ModelVersion promoted = next(last.trained_epoch);
  EXPECT_EQ(promoted.clusters, last.held->clusters);
  EXPECT_EQ(promoted.cluster_change, ClusterChange::kRefitChallenger);
  EXPECT_EQ(promoted.number, last.number + 1);
  EXPECT_FALSE(promoted.held);
}

TEST(Trainer, WithoutAModelNothingIsPromoted) {
  Published published;
  Trainer trainer(options(1), published, {}, Trainer::Mode::kTrain);
  EXPECT_EQ(trainer.newest(), nullptr);
  EXPECT_FALSE(trainer.promote(kFirst));
}

// It begins long after the other, with older records: what it says of boundaries that have their
// record must count as little after a restart as before.
TEST(Trainer, APartitionThatWasEmptyIsNoPartOfTheVersionsOfThen) {
  const std::int64_t begins = kFirst + 24;
  const auto contribute_from = [](Trainer& trainer, std::int64_t epoch) {
    for (; epoch <= kLast; ++epoch) {
      for (PartitionId p = 0; p < 2; ++p) trainer.contribute(p, contribution_at(epoch, p, 2));
    }
    ASSERT_TRUE(trainer.finish().ok());
  };
  Published expected;
  {
    Trainer trainer(options(2), expected, {}, Trainer::Mode::kTrain);
    trainer.partition_started(0, kFirst);
    trainer.partition_empty(1);
    for (std::int64_t e = kFirst; e < begins; ++e) trainer.contribute(0, contribution_at(e, 0, 2));
    ASSERT_TRUE(trainer.finish().ok());
    trainer.partition_started(1, kFirst - 7);
    for (std::int64_t e = kFirst - 7; e < begins; ++e)
      trainer.contribute(1, contribution_at(e, 1, 2));
    contribute_from(trainer, begins);
  }
  const std::vector<ModelVersion> versions = decoded(expected.records);
  ASSERT_EQ(versions.size(), static_cast<std::size_t>(kLast - kFirst + 1));
  EXPECT_EQ(versions[static_cast<std::size_t>(begins - kFirst) - 1].empty_partitions,
            std::vector<std::int32_t>{1});
  EXPECT_TRUE(versions.back().empty_partitions.empty());
  for (const std::int64_t trained : {begins - kFirst, begins - kFirst + 1, begins - kFirst + 9}) {
    // What the second one contributed is committed, or comes again.
    for (const std::int64_t committed : {trained, trained - 20}) {
      SCOPED_TRACE(testing::Message() << "trained=" << trained << " committed=" << committed);
      Published published;
      published.records.assign(expected.records.begin(), expected.records.begin() + trained);
      TrainerHistory history{.versions = decoded(published.records), .contributions = {}};
      for (std::int64_t e = kFirst - 7; e < kFirst + trained; ++e) {
        if (e >= kFirst) history.contributions[{e, 0}] = contribution_at(e, 0, 2);
        if (e < kFirst + committed) history.contributions[{e, 1}] = contribution_at(e, 1, 2);
      }
      Trainer trainer(options(2), published, std::move(history), Trainer::Mode::kTrain);
      trainer.partition_started(0, kFirst);
      trainer.partition_started(1, kFirst - 7);
      for (std::int64_t e = kFirst + committed; e < kFirst + trained; ++e)
        trainer.contribute(1, contribution_at(e, 1, 2));
      contribute_from(trainer, kFirst + trained);
      EXPECT_EQ(published.records, expected.records);
    }
  }
}

TEST(Trainer, WaitsForEveryPartitionThatHoldsRecords) {
  Published published;
  Trainer trainer(options(3), published, {}, Trainer::Mode::kTrain);
  trainer.partition_started(0, kFirst);
  trainer.contribute(0, contribution_at(kFirst, 0, 3));
  EXPECT_TRUE(trainer.finish().ok());
  EXPECT_TRUE(published.records.empty()) << "nobody knows where to begin";
  trainer.partition_empty(1);
  trainer.partition_started(2, kFirst + 1);
  EXPECT_TRUE(trainer.finish().ok());
  EXPECT_EQ(published.records.size(), 1U);
  trainer.contribute(0, contribution_at(kFirst + 1, 0, 3));
  EXPECT_TRUE(trainer.finish().ok());
  EXPECT_EQ(published.records.size(), 1U);
  EXPECT_EQ(trainer.awaited(2), kFirst + 1);
  EXPECT_EQ(trainer.awaited(0), std::nullopt);
  trainer.contribute(2, contribution_at(kFirst + 1, 2, 3));
  EXPECT_TRUE(trainer.finish().ok());
  EXPECT_EQ(published.records.size(), 2U);
}

TEST(Trainer, NeverTrainsAnEpochTwice) {
  Published published;
  Trainer trainer(options(1), published, {}, Trainer::Mode::kTrain);
  trainer.partition_started(0, kFirst);
  for (int i = 0; i < 3; ++i) {
    for (std::int64_t e = kFirst; e < kFirst + 10; ++e) {
      trainer.contribute(0, contribution_at(e, 0, 1));
      EXPECT_TRUE(trainer.finish().ok());
    }
  }
  EXPECT_EQ(published.records.size(), 10U);
  ModelTimeline timeline;
  ASSERT_TRUE(trainer.update(timeline).ok());
  EXPECT_EQ(timeline.trained_through(), kFirst + 9);
  EXPECT_TRUE(trainer.wait_committed(kFirst + 9).ok());
}

TEST(Trainer, AFailedPublicationEndsEverything) {
  struct Fenced final : public ModelLogWriter {
    absl::Status publish(std::span<const ModelLogRecord>) override {
      return absl::UnavailableError("fenced");
    }
  } fenced;
  Trainer trainer(options(1), fenced, {}, Trainer::Mode::kTrain);
  trainer.partition_started(0, kFirst);
  trainer.contribute(0, contribution_at(kFirst, 0, 1));
  EXPECT_FALSE(trainer.finish().ok());
  EXPECT_FALSE(trainer.wait_committed(kFirst).ok());
  ModelTimeline timeline;
  EXPECT_FALSE(trainer.update(timeline).ok());
}

TEST(Trainer, OneThatBeginsLaterIsBeyondTheBoundariesBeforeIt) {
  Published published;
  Trainer trainer(options(2), published, {}, Trainer::Mode::kTrain);
  trainer.partition_started(0, kFirst);
  EXPECT_EQ(trainer.awaited(0), std::nullopt) << "nobody is further";
  trainer.partition_started(1, kFirst + 2);
  for (const std::int64_t epoch : {kFirst, kFirst + 1}) {
    EXPECT_EQ(trainer.awaited(0), epoch);
    EXPECT_EQ(trainer.awaited(1), std::nullopt);
    trainer.contribute(0, contribution_at(epoch, 0, 2));
    ASSERT_TRUE(trainer.finish().ok());
  }
  EXPECT_EQ(published.records.size(), 2U);
}

}  // namespace
}  // namespace rfm
