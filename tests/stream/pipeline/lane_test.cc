// Goal: a lane moves time where nobody sends anything, keeps bad records whole, and knows its
// state.
#include "stream/pipeline/lane.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "state/epoch.h"
#include "stream/text/time_text.h"
#include "tests/fake/memory_pipeline.h"

namespace rfm {
namespace {

using std::chrono::hours;

// The fake's wall time at its start.
constexpr std::int64_t kWall = 1'800'000'000'000;
const EventTime kSale = from_ms(kWall - 5'000);

MemoryRecord invoice(const std::string& customer, const std::string& number, EventTime at) {
  return {.key = customer,
          .value = fmt::format(
              R"({{"type":"invoice","invoice_no":"{}","customer_id":"{}","invoice_time":"{}",)"
              R"("currency":"GBP","total":25}})",
              number, customer, to_rfc3339(at)),
          .received_ms = to_ms(at) + 5'000};
}

PipelineOptions invoice_options() {
  PipelineOptions options;
  options.decoder.format = InputFormat::kInvoices;
  return options;
}

// "effective_at" of a transition.
std::string effective_at(const std::string& body) {
  const std::string key = "\"effective_at\":\"";
  const std::size_t begin = body.find(key) + key.size();
  return body.substr(begin, body.find('"', begin) - begin);
}

std::vector<std::string> instants_of(const MemoryWorld& world, std::string_view customer,
                                     std::string_view reason) {
  std::vector<std::string> found;
  for (const OutputRecord& record : world.topics.of(OutputTopic::kTransitions)) {
    if (record.key == customer &&
        record.value->find(fmt::format("\"reason\":\"{}\"", reason)) != std::string::npos)
      found.push_back(effective_at(*record.value));
  }
  return found;
}

TEST(Lane, ASilentTopicMovesByTicksToTheExactInstants) {
  MemoryWorld world({{invoice("a", "1", kSale)}});
  PipelineOptions options = invoice_options();
  options.tick_idle = std::chrono::seconds{1};
  const std::vector<std::string> expected = {to_rfc3339(kSale + hours{24 * 30} + Duration{1}),
                                             to_rfc3339(kSale + hours{24 * 60} + Duration{1})};
  {
    MemoryPipeline pipeline(world, options);
    ASSERT_TRUE(pipeline.restore().ok());
    for (int hour = 0; hour < 24 * 40; ++hour) {
      ASSERT_TRUE(pipeline.step().ok());
      ASSERT_TRUE(pipeline.trainer().finish().ok());
      pipeline.clock().pass(hours{1});
    }
  }
  const std::vector<std::string> first(expected.begin(), expected.begin() + 1);
  EXPECT_EQ(instants_of(world, "a", "inactivity"), first);
  // Another process goes on; its clock begins anew, so it has the days to wait again.
  MemoryPipeline pipeline(world, options);
  ASSERT_TRUE(pipeline.restore().ok());
  for (int hour = 0; hour < 24 * 70; ++hour) {
    ASSERT_TRUE(pipeline.step().ok());
    ASSERT_TRUE(pipeline.trainer().finish().ok());
    pipeline.clock().pass(hours{1});
  }
  EXPECT_EQ(instants_of(world, "a", "inactivity"), expected);
  const std::vector<OutputRecord> ticks = world.topics.of(OutputTopic::kTicks);
  ASSERT_GT(ticks.size(), 0U);
  EXPECT_LE(ticks.size(), 115U) << "only when something is due";
  EXPECT_NE(ticks[0].value->find("\"offset\":1"), std::string::npos) << *ticks[0].value;
}

// What was sent while it was away may still be on its way.
TEST(Lane, ARestoredPartitionIsIdleForAWhileBeforeItTicks) {
  MemoryWorld world({{invoice("a", "1", kSale)}});
  PipelineOptions options = invoice_options();
  options.tick_idle = std::chrono::seconds{10};
  const auto step = [](MemoryPipeline& pipeline) {
    ASSERT_TRUE(pipeline.step().ok());
    ASSERT_TRUE(pipeline.trainer().finish().ok());
    pipeline.clock().pass(std::chrono::seconds{4});
  };
  {
    MemoryPipeline pipeline(world, options);
    ASSERT_TRUE(pipeline.restore().ok());
    step(pipeline);
  }
  MemoryPipeline pipeline(world, options);
  pipeline.clock().pass(hours{24 * 40});
  ASSERT_TRUE(pipeline.restore().ok());
  for (int i = 0; i < 2; ++i) step(pipeline);
  EXPECT_TRUE(world.topics.of(OutputTopic::kTicks).empty());
  for (int i = 0; i < 100; ++i) step(pipeline);
  EXPECT_EQ(instants_of(world, "a", "inactivity").size(), 1U);
}

// It would be lost with a crash, and the version would stay.
TEST(Lane, NoVersionIsTrainedWithAnIdleContributionBeforeItIsCommitted) {
  MemoryWorld world({{invoice("a", "1", kSale), invoice("b", "2", kSale + hours{48})},
                     {invoice("c", "3", kSale)}});
  PipelineOptions options = invoice_options();
  options.commit_interval = hours{24 * 1000};
  {
    MemoryPipeline pipeline(world, options);
    ASSERT_TRUE(pipeline.restore().ok());
    world.faults.fail_at(Seam::kCommit, FaultKind::kBefore, 0);
    absl::Status failed;
    for (int i = 0; i < 10 && failed.ok(); ++i) failed = pipeline.step().status();
    EXPECT_FALSE(failed.ok()) << "others wait for it, so it is committed at once";
    ASSERT_TRUE(pipeline.trainer().finish().ok());
    EXPECT_TRUE(world.topics.model_log.empty());
  }
  MemoryPipeline pipeline(world, options);
  ASSERT_TRUE(pipeline.restore().ok());
  ASSERT_TRUE(pipeline.step().ok());
  while (world.topics.of(OutputTopic::kTicks).empty()) ASSERT_TRUE(pipeline.step().ok());
  ASSERT_TRUE(pipeline.trainer().finish().ok());
  ASSERT_EQ(world.topics.model_log.size(), 1U);
  const OutputRecord choice = world.topics.of(OutputTopic::kTicks).front();
  EXPECT_EQ(choice.partition, 1);
  EXPECT_EQ(*choice.value, fmt::format("{{\"offset\":1,\"contributes\":{}}}", epoch_of(kSale) + 1));
}

TEST(Lane, NoVersionIsTrainedBehindATickBeforeItIsCommitted) {
  MemoryWorld world({{invoice("a", "1", kSale)}});
  PipelineOptions options = invoice_options();
  options.commit_interval = hours{24 * 1000};
  options.tick_idle = std::chrono::seconds{1};
  MemoryPipeline pipeline(world, options);
  ASSERT_TRUE(pipeline.restore().ok());
  while (pipeline.counters().applied == 0) ASSERT_TRUE(pipeline.step().ok());
  pipeline.clock().pass(hours{48});
  ASSERT_TRUE(pipeline.step().ok());
  ASSERT_TRUE(pipeline.trainer().finish().ok());
  EXPECT_GT(pipeline.partitions()[0]->meta().crossed, epoch_of(kSale));
  EXPECT_TRUE(world.topics.model_log.empty());
  ASSERT_TRUE(pipeline.commit().ok());
  ASSERT_TRUE(pipeline.trainer().finish().ok());
  EXPECT_EQ(world.topics.model_log.size(), 1U);
}

TEST(Lane, ImportedHistoryDoesNotJumpToToday) {
  MemoryRecord old = invoice("a", "1", kSale - hours{24 * 1000});
  old.received_ms = kWall;
  MemoryWorld world({{old}});
  PipelineOptions options = invoice_options();
  options.tick_idle = std::chrono::seconds{1};
  MemoryPipeline pipeline(world, options);
  ASSERT_TRUE(pipeline.restore().ok());
  for (int hour = 0; hour < 24 * 10; ++hour) {
    ASSERT_TRUE(pipeline.step().ok());
    ASSERT_TRUE(pipeline.trainer().finish().ok());
    pipeline.clock().pass(hours{1});
  }
  EXPECT_TRUE(instants_of(world, "a", "inactivity").empty());
}

// One step an hour, for as long as a topic is silent.
void pass_hours(MemoryPipeline& pipeline, int count) {
  for (int hour = 0; hour < count; ++hour) {
    ASSERT_TRUE(pipeline.step().ok());
    ASSERT_TRUE(pipeline.trainer().finish().ok());
    pipeline.clock().pass(hours{1});
  }
}

// Segments change when the broker says that it is time; what comes later is not too old.
TEST(Lane, AWrongWallClockMovesNoTick) {
  for (const int years : {3, -3}) {
    SCOPED_TRACE(years);
    MemoryWorld world({{invoice("a", "1", kSale)}});
    PipelineOptions options = invoice_options();
    options.tick_idle = std::chrono::seconds{1};
    MemoryPipeline pipeline(world, options);
    pipeline.clock().set_wrong(hours{24 * 365 * years});
    ASSERT_TRUE(pipeline.restore().ok());
    pass_hours(pipeline, 24 * 40);
    const std::size_t expected = years > 0 ? 1 : 0;
    EXPECT_EQ(instants_of(world, "a", "inactivity").size(), expected);
    for (const OutputRecord& tick : world.topics.of(OutputTopic::kTicks))
      EXPECT_LE(decode_tick(*tick.value)->time, from_ms(pipeline.clock().true_ms()));
    world.input[0].push_back(invoice("a", "2", kSale + hours{24 * 40}));
    pass_hours(pipeline, 45);
    EXPECT_EQ(pipeline.counters().applied, 2U);
    EXPECT_EQ(pipeline.counters().dead_lettered_total(), 0U);
  }
}

TEST(Lane, WithoutTheBrokersTimeThereIsNoTick) {
  MemoryWorld world({{invoice("a", "1", kSale)}});
  PipelineOptions options = invoice_options();
  options.tick_idle = std::chrono::seconds{1};
  options.broker = BrokerSpeaks::kNot;
  MemoryPipeline pipeline(world, options);
  ASSERT_TRUE(pipeline.restore().ok());
  pass_hours(pipeline, 24 * 20);
  EXPECT_TRUE(world.topics.of(OutputTopic::kTicks).empty());
}

// A producer that gives records the time of what they tell of, as some importers do, or whose clock
// is behind: time goes on from when the record was read, over restarts too.
TEST(Lane, AProducersWordForWhenItWroteMovesNoTick) {
  MemoryRecord old = invoice("a", "1", kSale - hours{24 * 1000});
  old.received_by_broker = false;
  MemoryWorld world({{old}});
  PipelineOptions options = invoice_options();
  options.tick_idle = std::chrono::seconds{1};
  {
    MemoryPipeline pipeline(world, options);
    ASSERT_TRUE(pipeline.restore().ok());
    pass_hours(pipeline, 24 * 10);
  }
  EXPECT_TRUE(instants_of(world, "a", "inactivity").empty());
  MemoryPipeline pipeline(world, options);
  ASSERT_TRUE(pipeline.restore().ok());
  pass_hours(pipeline, 24 * 40);
  const std::vector<std::string> expected = {
      to_rfc3339(kSale - hours{24 * 1000} + hours{24 * 30} + Duration{1})};
  EXPECT_EQ(instants_of(world, "a", "inactivity"), expected);
}

TEST(Lane, ATickNeverPassesNow) {
  MemoryRecord early = invoice("a", "1", kSale);
  early.received_ms = to_ms(kSale - std::chrono::minutes{50});
  MemoryWorld world({{early}});
  PipelineOptions options = invoice_options();
  options.tick_idle = std::chrono::seconds{1};
  MemoryPipeline pipeline(world, options);
  ASSERT_TRUE(pipeline.restore().ok());
  pass_hours(pipeline, 24 * 20);
  const std::vector<OutputRecord> ticks = world.topics.of(OutputTopic::kTicks);
  ASSERT_GT(ticks.size(), 0U);
  for (const OutputRecord& tick : ticks)
    EXPECT_LE(decode_tick(*tick.value)->time, from_ms(pipeline.clock().true_ms()));
}

// A history that ends long before the first start, and goes on today: what silence did in between
// is told, and nobody is to act on it.
TEST(Lane, WhatSilenceDidBeforeTheFirstStartIsNotActionable) {
  MemoryWorld world({{invoice("a", "1", kSale - hours{24 * 100}), invoice("b", "2", kSale)}});
  PipelineOptions options = invoice_options();
  options.go_live_offset = 1;
  options.first_start = kSale - hours{24 * 20};
  MemoryPipeline pipeline(world, options);
  ASSERT_TRUE(pipeline.restore().ok());
  ASSERT_TRUE(pipeline.run_to_end(kSale + hours{24 * 30}).ok());
  std::map<std::string, bool> actionable;
  for (const OutputRecord& record : world.topics.of(OutputTopic::kTransitions)) {
    if (record.key == "a" && record.value->find("\"inactivity\"") != std::string::npos)
      actionable[effective_at(*record.value)] =
          record.value->find("\"actionable\":true") != std::string::npos;
  }
  const EventTime cut = kSale - hours{24 * 100} + Duration{1};
  const std::map<std::string, bool> expected = {{to_rfc3339(cut + hours{24 * 30}), false},
                                                {to_rfc3339(cut + hours{24 * 60}), false},
                                                {to_rfc3339(cut + hours{24 * 90}), true}};
  EXPECT_EQ(actionable, expected);
}

TEST(Lane, OneWhoFallsSilentChangesWhileOthersBuy) {
  MemoryWorld world(MemoryInput(1));
  world.input[0].push_back(invoice("a", "0", kSale));
  for (int day = 1; day <= 100; ++day)
    world.input[0].push_back(invoice("b", std::to_string(day), kSale + hours{24 * day}));
  MemoryPipeline pipeline(world, invoice_options());
  ASSERT_TRUE(pipeline.restore().ok());
  ASSERT_TRUE(pipeline.run_to_end(std::nullopt).ok());
  const std::vector<std::string> expected = {to_rfc3339(kSale + hours{24 * 30} + Duration{1}),
                                             to_rfc3339(kSale + hours{24 * 60} + Duration{1}),
                                             to_rfc3339(kSale + hours{24 * 90} + Duration{1})};
  EXPECT_EQ(instants_of(world, "a", "inactivity"), expected);
}

TEST(Lane, ADeadLetterIsTheRecordAsItCameWithItsReason) {
  MemoryWorld world(
      {{{.key = "k\xff", .value = "\xff{\0", .received_ms = kWall}, invoice("a", "1", kSale)}});
  MemoryPipeline pipeline(world, invoice_options());
  ASSERT_TRUE(pipeline.restore().ok());
  ASSERT_TRUE(pipeline.run_to_end(std::nullopt).ok());
  const std::vector<OutputRecord> letters = world.topics.of(OutputTopic::kDeadLetters);
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].key, "k\xff");
  EXPECT_EQ(letters[0].value, world.input[0][0].value);
  EXPECT_EQ(letters[0].header("__streams.errors.exception"), "malformed");
  EXPECT_EQ(letters[0].header("__streams.errors.topic"), "invoices");
  EXPECT_EQ(letters[0].header("__streams.errors.partition"), "0");
  EXPECT_EQ(letters[0].header("__streams.errors.offset"), "0");
  EXPECT_EQ(pipeline.counters().applied, 1U);
}

TEST(Lane, AnErasedCustomerHasATombstoneAndNoSegmentsAfterIt) {
  MemoryWorld world(
      {{invoice("a", "1", kSale), {.key = "a", .value = std::nullopt, .received_ms = kWall}}});
  MemoryPipeline pipeline(world, invoice_options());
  ASSERT_TRUE(pipeline.restore().ok());
  ASSERT_TRUE(pipeline.run_to_end(std::nullopt).ok());
  const std::vector<OutputRecord> segments = world.topics.of(OutputTopic::kSegments);
  ASSERT_FALSE(segments.empty());
  EXPECT_EQ(segments.back().key, "a");
  EXPECT_EQ(segments.back().value, std::nullopt);
  EXPECT_FALSE(output_of(world).rows.contains("a"));
  ASSERT_FALSE(world.topics.changelog[0].empty());
}

TEST(Lane, EventsBeforeTheGoLiveOffsetAreNotActionable) {
  MemoryWorld world({{invoice("a", "1", kSale), invoice("b", "2", kSale + hours{1})}});
  PipelineOptions options = invoice_options();
  options.go_live_offset = 1;
  MemoryPipeline pipeline(world, options);
  ASSERT_TRUE(pipeline.restore().ok());
  ASSERT_TRUE(pipeline.run_to_end(std::nullopt).ok());
  for (const OutputRecord& record : world.topics.of(OutputTopic::kTransitions)) {
    if (record.value->find("\"segmentation\":\"rfm\"") == std::string::npos) continue;
    const bool actionable = record.value->find("\"actionable\":true") != std::string::npos;
    EXPECT_EQ(actionable, record.key == "b") << *record.value;
  }
}

TEST(Lane, RefusesTheStateOfAnotherPartitioning) {
  MemoryWorld world({{invoice("a", "1", kSale)}});
  {
    MemoryPipeline pipeline(world, invoice_options());
    ASSERT_TRUE(pipeline.restore().ok());
    ASSERT_TRUE(pipeline.run_to_end(std::nullopt).ok());
  }
  world.input.emplace_back();
  MemoryPipeline pipeline(world, invoice_options());
  EXPECT_EQ(pipeline.restore().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(Lane, AHistoryMayBeginWithTheFirstDayOfTime) {
  const EventTime noon = from_ms(0) + hours{12};
  MemoryWorld world({{invoice("a", "1", noon), invoice("a", "2", noon + hours{24}),
                      invoice("a", "3", noon + hours{24 * 15'000})}});
  MemoryPipeline pipeline(world, invoice_options());
  ASSERT_TRUE(pipeline.restore().ok());
  ASSERT_TRUE(pipeline.run_to_end(std::nullopt).ok());
  EXPECT_EQ(pipeline.counters().applied, 3U);
}

// One partition holds records from `until` on only, another one stops before it.
TEST(Lane, UntilEndsPartitionsThatOthersWaitFor) {
  MemoryWorld world(MemoryInput(3));
  world.input[0] = {invoice("a", "1", kSale), invoice("a", "2", kSale + hours{24 * 30})};
  world.input[1] = {invoice("b", "3", kSale + hours{24 * 25})};
  for (int day = 0; day <= 30; ++day)
    world.input[2].push_back(invoice("c", fmt::format("c{}", day), kSale + hours{24 * day}));
  PipelineOptions options = invoice_options();
  options.until = kSale + hours{24 * 20};
  MemoryPipeline pipeline(world, options);
  ASSERT_TRUE(pipeline.restore().ok());
  ASSERT_TRUE(pipeline.run_to_end(options.until).ok());
  EXPECT_EQ(pipeline.counters().applied, 1U + 20U);
}

// The service had moved its clock beyond `until` when the second record came.
TEST(Lane, UntilLeavesOutTicksAndNotWhatStandsBehindThem) {
  PipelineOptions options = invoice_options();
  MemoryWorld trained({{invoice("a", "1", kSale), invoice("c", "3", kSale + hours{24 * 60})}});
  MemoryPipeline training(trained, options);
  ASSERT_TRUE(training.restore().ok());
  ASSERT_TRUE(training.run_to_end(std::nullopt).ok());
  options.recorded = decode_model_log(trained.topics.model_log)->versions;

  MemoryWorld world({{invoice("a", "1", kSale), invoice("b", "2", kSale + hours{24})}});
  const EventTime early = kSale + hours{1};
  const EventTime beyond = kSale + hours{24 * 30};
  options.ticks[0] = {{.offset = 1, .time = early}, {.offset = 1, .time = beyond}};
  options.until = kSale + hours{24 * 20};
  options.holds_at_end = true;
  {
    MemoryPipeline pipeline(world, options);
    ASSERT_TRUE(pipeline.restore().ok());
    ASSERT_TRUE(pipeline.run_to_held().ok());
    EXPECT_EQ(pipeline.counters().records, 1U) << "the log as it was ends at the tick";
    EXPECT_EQ(pipeline.partitions()[0]->meta().watermark, early);
    ASSERT_TRUE(pipeline.run_to_end(options.until).ok());
    EXPECT_EQ(pipeline.counters().applied, 2U);
    EXPECT_EQ(pipeline.counters().late, 0U);
    EXPECT_EQ(pipeline.partitions()[0]->meta().watermark, *options.until);
  }
  options.until = std::nullopt;
  MemoryWorld whole(world.input);
  MemoryPipeline pipeline(whole, options);
  ASSERT_TRUE(pipeline.restore().ok());
  ASSERT_TRUE(pipeline.run_to_end(std::nullopt).ok());
  EXPECT_EQ(pipeline.counters().late, 1U);
  EXPECT_EQ(pipeline.partitions()[0]->meta().watermark, beyond);
}

// Partition 0's second record waits for the days of partition 1, and leads it over those that are
// known: a replay that ends before the record has to be told.
TEST(Lane, WhatAWaitingRecordCausedIsInTheTickLog) {
  MemoryWorld world(MemoryInput(2));
  world.input[0] = {invoice("a", "1", kSale), invoice("a", "2", kSale + hours{24 * 45})};
  for (int day = 0; day <= 60; ++day)
    world.input[1].push_back(invoice("b", fmt::format("b{}", day), kSale + hours{24 * day}));
  PipelineOptions options = invoice_options();
  options.batch_records = 1;
  {
    MemoryPipeline pipeline(world, options);
    ASSERT_TRUE(pipeline.restore().ok());
    while (pipeline.counters().applied < 38) ASSERT_TRUE(pipeline.step().ok());
    ASSERT_TRUE(pipeline.commit().ok());
    ASSERT_TRUE(pipeline.trainer().finish().ok());
  }
  const std::vector<std::string> expected = {to_rfc3339(kSale + hours{24 * 30} + Duration{1})};
  ASSERT_EQ(instants_of(world, "a", "inactivity"), expected);
  const absl::StatusOr<ModelLog> log = decode_model_log(world.topics.model_log);
  ASSERT_TRUE(log.ok()) << log.status();
  options.recorded = log->versions;
  options.ticks = {{0, {}}, {1, {}}};  // Nothing but them moves a clock at the end.
  for (const OutputRecord& record : world.topics.of(OutputTopic::kTicks))
    options.ticks[*record.partition].push_back(*decode_tick(*record.value));
  MemoryInput read = world.input;
  for (const auto& [partition, position] : world.topics.positions)
    read[static_cast<std::size_t>(partition)].resize(
        static_cast<std::size_t>(position.next_offset));
  ASSERT_EQ(read[0].size(), 1U) << "the second record has not been applied";
  MemoryWorld replayed(read);
  MemoryPipeline replay(replayed, options);
  ASSERT_TRUE(replay.restore().ok());
  ASSERT_TRUE(replay.run_to_end(std::nullopt).ok());
  EXPECT_EQ(instants_of(replayed, "a", "inactivity"), expected);
}

}  // namespace
}  // namespace rfm
