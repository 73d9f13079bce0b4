// Goal: a pass over all lanes is made once for all who wait, however long it takes, and is of one
// version of the rules.
// Method: lanes that answer when they are told to, by a clock that is set.
#include "admin/kept_pass.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "tests/fake/manual_clock.h"

namespace rfm {
namespace {

using std::chrono::seconds;

constexpr std::int64_t kEpoch = 19'000;  // From which on the second version of the rules holds.

class Nobody final : public PartitionListener {
  void on_transition(const Transition&, const PartitionMeta&) override {}
  void on_rules_adopted(const CustomerRow&, const CustomerFacts&) override {}
  void on_dead_letter(const RecordView&, const Rejection&) override {}
  void on_rejected_invoice(const CustomerRow&, const SettledInvoice&) override {}
  void on_new_customer(const CustomerRow&) override {}
  void on_erased(const Erasure&) override {}
  void on_started(std::int64_t) override {}
  void on_contribution(const Contribution&) override {}
};

class TestLane {
 public:
  // Without an epoch its partition has never held a record.
  explicit TestLane(std::optional<std::int64_t> epoch) {
    Rules second = rules_;
    second.version = 2;
    models_.append_rules(std::make_shared<const Rules>(second), kEpoch);
    if (epoch) go_to(*epoch);
    desk.open();
  }
  void go_to(std::int64_t epoch) {
    partition_.meta().started = true;
    partition_.meta().watermark = boundary_of(epoch);
  }
  void work() {
    const std::vector<const Partition*> partitions = {&partition_};
    desk.work(partitions, {rules_, models_}, QueryDesk::Pace::kFree);
  }

  QueryDesk desk;

 private:
  const Rules rules_;
  ModelTimeline models_;
  Nobody nobody_;
  Partition partition_{PartitionOptions{}, rules_, models_, nobody_};
};

// How many lanes have been added up.
struct Books {
  int count = 1;
  void reach(EventTime /*clock*/) {}
  void merge(const Books& other) { count += other.count; }
};
struct Lanes : Books {
  void add(const CustomerRow& /*row*/, const CustomerFacts& /*facts*/, const Rules& /*rules*/) {}
};

template <class Sums>
class KeptPassOf : public testing::Test {
 protected:
  using Pass = KeptPass<Sums>;
  using Got = absl::StatusOr<std::shared_ptr<const typename Pass::Made>>;

  void add_lane(std::optional<std::int64_t> epoch) {
    lanes_.push_back(std::make_unique<TestLane>(epoch));
    desks_.push_back(&lanes_.back()->desk);
  }
  TestLane& lane(std::size_t i) { return *lanes_[i]; }

  // While no lane works.
  Got get() {
    StateDesks desks(desks_);
    return pass_.get(desks, clock_);
  }
  Got get_answered() {
    std::future<Got> got = std::async(std::launch::async, [this] { return get(); });
    while (got.wait_for(seconds{0}) != std::future_status::ready)
      for (const auto& lane : lanes_) lane->work();
    return got.get();
  }
  void let_it_age() { clock_.pass(Pass::kFreshMax); }

  ManualClock clock_{1'800'000'000'000};
  int made_ = 0;

 private:
  std::vector<std::unique_ptr<TestLane>> lanes_;
  std::vector<QueryDesk*> desks_;
  Pass pass_{[this](const PassContext&) {
    ++made_;
    return Sums();
  }};
};

using KeptPassTest = KeptPassOf<Lanes>;
using KeptBooksTest = KeptPassOf<Books>;

TEST_F(KeptPassTest, IsOfAllLanesAndKept) {
  add_lane(kEpoch);
  add_lane(kEpoch + 3);
  const Got first = get_answered();
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ((*first)->sums.count, 2);
  EXPECT_EQ((*first)->context.partitions, 2);
  EXPECT_EQ((*first)->context.epoch, kEpoch + 3);
  EXPECT_EQ(*get(), *first);
  let_it_age();
  EXPECT_NE(*get_answered(), *first);
}

TEST_F(KeptPassTest, ALaneWithoutAClockIsUnderNoRulesYet) {
  add_lane(std::nullopt);
  add_lane(kEpoch);
  add_lane(std::nullopt);
  const Got got = get_answered();
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ((*got)->context.rules().version, 2);
  EXPECT_EQ((*got)->context.partitions, 3);
  EXPECT_EQ((*got)->sums.count, 1);
}

// Of sales without a customer, which move no clock.
TEST_F(KeptBooksTest, AreOfLanesWithoutAClockToo) {
  add_lane(std::nullopt);
  add_lane(kEpoch);
  add_lane(std::nullopt);
  const Got got = get_answered();
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ((*got)->sums.count, 3);
}

TEST_F(KeptPassTest, BeforeTheFirstRecordItIsOfNobody) {
  add_lane(std::nullopt);
  EXPECT_TRUE(get_answered().ok());
}

TEST_F(KeptPassTest, TheOldOneStaysWhileLanesAreUnderDifferentRules) {
  add_lane(kEpoch - 1);
  add_lane(kEpoch - 1);
  const Got old = get_answered();
  ASSERT_TRUE(old.ok()) << old.status();
  lane(1).go_to(kEpoch);
  let_it_age();
  EXPECT_EQ(*get_answered(), *old);
  lane(0).go_to(kEpoch);
  let_it_age();
  EXPECT_EQ((*get_answered())->context.rules().version, 2);
}

TEST_F(KeptPassTest, WithoutAnOldOneItIsRefusedAndNotMadeAtEachQuestion) {
  add_lane(kEpoch - 1);
  add_lane(kEpoch);
  EXPECT_TRUE(absl::IsUnavailable(get_answered().status()));
  EXPECT_TRUE(absl::IsUnavailable(get().status()));
  EXPECT_EQ(made_, 2);
}

TEST_F(KeptPassTest, OneThatIsAskedForIsNotForgotten) {
  add_lane(kEpoch);
  ASSERT_TRUE(get_answered().ok());
  for (int i = 0; i < 4; ++i) {
    let_it_age();
    clock_.pass(Pass::kForgotten / 2);
    EXPECT_TRUE(get().ok());
  }
  lane(0).work();
  EXPECT_EQ(lane(0).desk.figures().given_up, 0U);
  EXPECT_EQ(made_, 2);
}

TEST_F(KeptPassTest, OneThatNobodyWaitsForAnyMoreIsMadeAnew) {
  add_lane(kEpoch);
  ASSERT_TRUE(get_answered().ok());
  let_it_age();
  EXPECT_TRUE(get().ok());
  clock_.pass(Pass::kForgotten + seconds{1});
  EXPECT_TRUE(get().ok());
  lane(0).work();
  EXPECT_EQ(lane(0).desk.figures().given_up, 1U);
  EXPECT_EQ(made_, 2);
}

// Else each question would leave one behind at the lanes that are there.
TEST_F(KeptPassTest, WhatOneLaneRefusesIsNotMadeByTheOthers) {
  add_lane(kEpoch);
  add_lane(kEpoch);
  lane(1).desk.close("it restores");
  for (std::size_t i = 0; i < QueryDesk::kWaitingMax / 2; ++i)
    EXPECT_TRUE(absl::IsUnavailable(get().status()));
  lane(0).work();
  EXPECT_EQ(made_, 0);
  lane(1).desk.open();
  EXPECT_TRUE(get_answered().ok());
  EXPECT_EQ(made_, 2);
}

}  // namespace
}  // namespace rfm
