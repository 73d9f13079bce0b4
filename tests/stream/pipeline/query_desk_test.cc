// Goal: what a lane answers is what is committed, and who asks is never left waiting for a lane
// that is gone.
#include "stream/pipeline/query_desk.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "state/row_codec.h"
#include "stream/text/time_text.h"
#include "tests/fake/memory_pipeline.h"

namespace rfm {
namespace {

using Clock = std::chrono::steady_clock;

class AskRows final : public LaneQuery {
 public:
  Progress look(const CommittedState& state) override {
    rows.clear();
    for (const Partition* p : state.partitions)
      p->rows().for_each([&](const CustomerRow& row) { rows[row.id] = encode_row(row); });
    return Progress::kDone;
  }
  std::map<std::string, std::string> rows;
};

class Endless final : public LaneQuery {
 public:
  Progress look(const CommittedState& /*state*/) override {
    ++looks;
    return Progress::kMore;
  }
  int looks = 0;
};

MemoryInput invoices(int count) {
  std::vector<MemoryRecord> records;
  for (int i = 0; i < count; ++i) {
    const EventTime at = from_ms(1'700'000'000'000 + i * 60'000);
    const std::string customer = fmt::format("c{}", i % 7);
    records.push_back(
        {.key = customer,
         .value = fmt::format(
             R"({{"type":"invoice","invoice_no":"{}","customer_id":"{}","invoice_time":"{}",)"
             R"("currency":"GBP","total":25}})",
             i, customer, to_rfc3339(at)),
         .received_ms = to_ms(at) + 5'000});
  }
  return {records};
}

PipelineOptions options_with(QueryDesk& desk) {
  PipelineOptions options;
  options.decoder.format = InputFormat::kInvoices;
  options.batch_records = 10;
  options.commit_interval = std::chrono::milliseconds{5};
  options.queries = &desk;
  return options;
}

TEST(QueryDesk, AnswersAreOfWhatIsCommittedAndNothingElse) {
  MemoryWorld world(invoices(600));
  QueryDesk desk;
  MemoryPipeline pipeline(world, options_with(desk));
  ASSERT_TRUE(pipeline.restore().ok());
  int answered = 0;
  while (true) {
    const auto query = std::make_shared<AskRows>();
    ASSERT_TRUE(desk.ask(query, QueryDesk::Kind::kLook).ok());
    // What is committed when the step begins.
    const std::map<std::string, std::string> committed = output_of(world).rows;
    const auto activity = pipeline.step();
    ASSERT_TRUE(activity.ok()) << activity.status();
    if (query->is_finished()) {
      ++answered;
      EXPECT_EQ(query->rows, committed);
    }
    if (*activity == Lane::Activity::kAtEnd) break;
  }
  EXPECT_GT(answered, 5);
}

TEST(QueryDesk, WhoAsksIsToldWhenTheLaneIsGone) {
  QueryDesk desk;
  const auto early = std::make_shared<AskRows>();
  EXPECT_TRUE(absl::IsUnavailable(desk.ask(early, QueryDesk::Kind::kLook)));
  const auto waiting = std::make_shared<Endless>();
  {
    MemoryWorld world(invoices(3));
    MemoryPipeline pipeline(world, options_with(desk));
    ASSERT_TRUE(pipeline.restore().ok());
    ASSERT_TRUE(desk.ask(waiting, QueryDesk::Kind::kPass).ok());
    EXPECT_FALSE(waiting->wait(Clock::now()).has_value());
  }
  const auto status = waiting->wait(Clock::now());
  ASSERT_TRUE(status.has_value());
  EXPECT_TRUE(absl::IsUnavailable(*status));
  EXPECT_TRUE(absl::IsUnavailable(desk.ask(early, QueryDesk::Kind::kLook)));
  EXPECT_EQ(desk.figures().given_up, 1U);
  EXPECT_EQ(desk.figures().refused, 2U);
}

TEST(QueryDesk, WhoAsksWakesTheLaneAsLongAsThereIsOne) {
  QueryDesk desk;
  int woken = 0;
  desk.open([&woken] { ++woken; });
  ASSERT_TRUE(desk.ask(std::make_shared<AskRows>(), QueryDesk::Kind::kLook).ok());
  EXPECT_EQ(woken, 1);
  desk.close("it ends");
  EXPECT_FALSE(desk.ask(std::make_shared<AskRows>(), QueryDesk::Kind::kLook).ok());
  EXPECT_EQ(woken, 1);
}

TEST(QueryDesk, OnlySoManyWait) {
  QueryDesk desk;
  desk.open();
  for (std::size_t i = 0; i < QueryDesk::kWaitingMax; ++i)
    ASSERT_TRUE(desk.ask(std::make_shared<AskRows>(), QueryDesk::Kind::kLook).ok());
  EXPECT_TRUE(
      absl::IsResourceExhausted(desk.ask(std::make_shared<AskRows>(), QueryDesk::Kind::kLook)));
  EXPECT_TRUE(desk.ask(std::make_shared<AskRows>(), QueryDesk::Kind::kPass).ok());
}

// A desk at which a pass is asked for that never ends.
class QueryDeskWithAPass : public testing::Test {
 protected:
  QueryDeskWithAPass() {
    desk.open();
    EXPECT_TRUE(desk.ask(endless, QueryDesk::Kind::kPass).ok());
  }
  void work(QueryDesk::Pace pace) { desk.work({}, {rules_, models_}, pace); }

  QueryDesk desk;
  const std::shared_ptr<Endless> endless = std::make_shared<Endless>();

 private:
  const Rules rules_;
  const ModelTimeline models_;
};

TEST_F(QueryDeskWithAPass, WhatTakesLongGivesWayToTheLaneAndToOthers) {
  work(QueryDesk::Pace::kBusy);
  EXPECT_GT(endless->looks, 0);
  EXPECT_TRUE(desk.is_asked());
  const auto look = std::make_shared<AskRows>();
  ASSERT_TRUE(desk.ask(look, QueryDesk::Kind::kLook).ok());
  while (!look->is_finished()) work(QueryDesk::Pace::kBusy);
  EXPECT_FALSE(endless->is_finished());
}

// By the CPU time of this thread, which the desk's own share is of.
TEST_F(QueryDeskWithAPass, PassesGetASixtyFourthOfWhatABusyLaneWorks) {
  work(QueryDesk::Pace::kBusy);
  const std::chrono::nanoseconds begun = thread_cpu();
  const std::chrono::nanoseconds answered = desk.figures().cpu;
  while (thread_cpu() - begun < std::chrono::milliseconds{300}) work(QueryDesk::Pace::kBusy);
  const std::chrono::nanoseconds work = thread_cpu() - begun;
  EXPECT_GT(endless->looks, 1);
  EXPECT_LT(desk.figures().cpu - answered, work / 50);
}

// A lane that only waits for more uses no CPU, and nothing of it is a pass's.
TEST_F(QueryDeskWithAPass, LooksDoNotWaitForWhatPassesHaveUsedUp) {
  work(QueryDesk::Pace::kFree);  // All that there is, and a bit.
  const auto look = std::make_shared<AskRows>();
  ASSERT_TRUE(desk.ask(look, QueryDesk::Kind::kLook).ok());
  work(QueryDesk::Pace::kBusy);
  EXPECT_TRUE(look->is_finished());
}

}  // namespace
}  // namespace rfm
