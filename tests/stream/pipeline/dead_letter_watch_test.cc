// Goal: an input that cannot be used, for wrong settings or a changed producer, holds a lane back
// before it does harm; what is committed of any record does not change by it.
#include "stream/pipeline/dead_letter_watch.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "stream/pipeline/held_records.h"
#include "stream/text/time_text.h"
#include "tests/fake/memory_pipeline.h"

namespace rfm {
namespace {

constexpr std::int64_t kWall = 1'800'000'000'000;
const EventTime kSale = from_ms(kWall - 5'000'000);
const ModelLogRecord kRules = encode_rules(RulesRecord());

MemoryRecord good(int number) {
  const EventTime at = kSale + Duration{number};
  return {.key = "a",
          .value = fmt::format(
              R"({{"type":"invoice","invoice_no":"{}","customer_id":"a","invoice_time":"{}",)"
              R"("currency":"GBP","total":25}})",
              number, to_rfc3339(at)),
          .received_ms = to_ms(at)};
}

MemoryRecord bad() {
  return {.key = "a", .value = R"({"InvoiceNo":"1","CustomerID":"a"})", .received_ms = kWall};
}

MemoryInput records(int bad_count, int good_count) {
  MemoryInput input(1);
  for (int i = 0; i < bad_count; ++i) input[0].push_back(bad());
  for (int i = 0; i < good_count; ++i) input[0].push_back(good(i));
  return input;
}

PipelineOptions new_application() {
  PipelineOptions options;
  options.decoder.format = InputFormat::kInvoices;
  options.first = {kRules};
  return options;
}

bool nothing_is_committed(MemoryWorld& world) {
  const auto meta = read_meta(world.store, 0);
  return world.topics.commits == 0 && world.topics.records.empty() &&
         world.topics.model_log.empty() && meta.ok() && !*meta;
}

void step(MemoryPipeline& pipeline, int count) {
  for (int i = 0; i < count; ++i) {
    ASSERT_TRUE(pipeline.step().ok());
    pipeline.clock().pass(std::chrono::seconds{1});
  }
}

TEST(DeadLetterWatch, MindsTheLastThousand) {
  const auto add = [](DeadLetterWatch& watch, int records, std::uint64_t dead_letters_each) {
    for (int i = 0; i < records; ++i) watch.add(dead_letters_each);
  };
  DeadLetterWatch watch(0.5);
  add(watch, 999, 1);
  EXPECT_FALSE(watch.is_exceeded()) << "too few to say";
  add(watch, 1, 0);
  EXPECT_TRUE(watch.is_exceeded());
  add(watch, 498, 0);
  EXPECT_EQ(watch.dead_letters(), 501U);
  EXPECT_TRUE(watch.is_exceeded());
  add(watch, 1, 0);
  EXPECT_FALSE(watch.is_exceeded());
  add(watch, 1'000, 0);
  EXPECT_EQ(watch.dead_letters(), 0U);
  add(watch, 501, 2);
  EXPECT_TRUE(watch.is_exceeded());
  watch.clear();
  EXPECT_FALSE(watch.is_exceeded());
  DeadLetterWatch any(1);
  add(any, 5'000, 1);
  EXPECT_FALSE(any.is_exceeded());
}

TEST(DeadLetterWatch, AnExampleSaysWhereWhyAndWhatItLooksLikeAndNothingOfACustomer) {
  const auto example = [](std::string_view value) {
    RecordView record;
    record.value = value;
    record.offset = 12;
    return example_of(3, record, {DeadLetterReason::kMalformed, "gzip"});
  };
  const std::string where = "partition 3, offset 12: malformed (gzip); its value ";
  EXPECT_EQ(example("\x1f\x8bx"), where + "has 3 bytes and begins like the bytes 1f 8b");
  EXPECT_EQ(example(" {\"customer_id\":\"c1\"}"),
            where + "has 21 bytes and begins like a JSON object");
  EXPECT_EQ(example("[1]"), where + "has 3 bytes and begins like a JSON array");
  EXPECT_EQ(example("c1;2"), where + "has 4 bytes and begins like text");
  EXPECT_EQ(example(""), where + "has 0 bytes and begins like nothing");
}

TEST(HeldRecords, AreWhatTheyWereWhenTheSourceIsGone) {
  HeldRecords held;
  {
    const std::string key = "k";
    const std::string value(100, 'v');
    const std::vector<RecordHeader> headers = {{"origin", value}, {"empty", std::nullopt}};
    RecordView record;
    record.key = key;
    record.value = value;
    record.headers = LazyHeaders(headers);
    record.offset = 7;
    held.add(record);
    record.key.reset();
    record.value.reset();
    held.add(record);
  }
  const std::span<const RecordView> views = held.views();
  ASSERT_EQ(views.size(), 2U);
  EXPECT_EQ(views[0].key, "k");
  EXPECT_EQ(views[0].value, std::string(100, 'v'));
  EXPECT_EQ(views[0].offset, 7);
  const std::vector<RecordHeader> headers = views[0].headers.read();
  ASSERT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers[0].name, "origin");
  EXPECT_EQ(headers[0].value, std::string(100, 'v'));
  EXPECT_EQ(headers[1].value, std::nullopt);
  EXPECT_EQ(views[1].key, std::nullopt);
  EXPECT_EQ(views[1].value, std::nullopt);
}

TEST(DeadLetters, AHundredAtFirstCommitNothingAndPause) {
  MemoryWorld world(records(2'000, 0));
  {
    MemoryPipeline pipeline(world, new_application());
    ASSERT_TRUE(pipeline.restore().ok());
    step(pipeline, 50);
    const std::optional<std::string> why = pipeline.lane(0).held_back();
    ASSERT_TRUE(why.has_value());
    EXPECT_NE(why->find("the first 100 records"), std::string::npos) << *why;
    EXPECT_NE(why->find("partition 0, offset "), std::string::npos) << *why;
    EXPECT_NE(why->find("begins like a JSON object"), std::string::npos) << *why;
    EXPECT_FALSE(pipeline.lane(0).caught_up());
  }
  EXPECT_TRUE(nothing_is_committed(world));
  // With the right settings, all of it is there to be read.
  PipelineOptions right = new_application();
  right.dead_letters.action = DeadLetterOptions::Action::kContinue;
  MemoryPipeline pipeline(world, right);
  ASSERT_TRUE(pipeline.restore().ok());
  ASSERT_TRUE(pipeline.run_to_end(std::nullopt).ok());
  EXPECT_EQ(pipeline.counters().records, 2'000U);
  EXPECT_EQ(world.topics.of(OutputTopic::kDeadLetters).size(), 2'000U);
}

TEST(DeadLetters, AFewAtFirstWaitForTheFirstRecordThatCanBeUsed) {
  MemoryWorld world(records(5, 0));
  PipelineOptions options = new_application();
  options.tick_idle = std::chrono::seconds{1};
  MemoryPipeline pipeline(world, options);
  ASSERT_TRUE(pipeline.restore().ok());
  step(pipeline, 50);
  EXPECT_TRUE(nothing_is_committed(world));
  EXPECT_TRUE(pipeline.lane(0).held_back().has_value()) << "that is all there is";
  world.input[0].push_back(good(0));
  step(pipeline, 50);
  EXPECT_FALSE(pipeline.lane(0).held_back().has_value());
  EXPECT_EQ(pipeline.counters().records, 6U);
  EXPECT_EQ(pipeline.counters().dead_lettered_total(), 5U);
  EXPECT_TRUE(pipeline.lane(0).caught_up());
  ASSERT_EQ(world.topics.model_log.size(), 1U);
  EXPECT_EQ(world.topics.model_log[0], kRules);
}

TEST(DeadLetters, AnEmptyInputBeginsNothing) {
  MemoryWorld world{MemoryInput(2)};
  MemoryPipeline pipeline(world, new_application());
  ASSERT_TRUE(pipeline.restore().ok());
  step(pipeline, 50);
  EXPECT_TRUE(pipeline.lane(0).caught_up());
  EXPECT_TRUE(nothing_is_committed(world));
}

TEST(DeadLetters, TheActionStopSaysWhy) {
  MemoryWorld world(records(100, 0));
  PipelineOptions options = new_application();
  options.dead_letters.action = DeadLetterOptions::Action::kStop;
  MemoryPipeline pipeline(world, options);
  ASSERT_TRUE(pipeline.restore().ok());
  EXPECT_EQ(pipeline.step().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(nothing_is_committed(world));
}

TEST(DeadLetters, NothingBeyondTheWindowIsCommitted) {
  MemoryInput input = records(1, 1);
  for (int i = 0; i < 1'500; ++i) input[0].push_back(bad());
  MemoryWorld world(input);
  PipelineOptions options = new_application();
  options.batch_records = 1'500;
  MemoryPipeline pipeline(world, options);
  ASSERT_TRUE(pipeline.restore().ok());
  step(pipeline, 20);
  const std::optional<std::string> why = pipeline.lane(0).held_back();
  ASSERT_TRUE(why.has_value());
  EXPECT_NE(why->find("999 of the last 1000 records are dead letters"), std::string::npos) << *why;
  EXPECT_EQ(world.topics.positions.at(0).next_offset, 1'000);
  EXPECT_EQ(world.topics.of(OutputTopic::kDeadLetters).size(), 999U);
}

// Held back, paused at some record, gone on with after a restart, or never: the same comes out.
TEST(DeadLetters, APauseChangesNothingOfWhatIsCommitted) {
  MemoryInput input = records(30, 300);
  for (int i = 0; i < 1'500; ++i) {
    input[0].push_back(bad());
    if (i % 3 == 0) input[0].push_back(good(300 + i));
  }
  PipelineOptions through = new_application();
  through.batch_records = 100;
  through.dead_letters.action = DeadLetterOptions::Action::kContinue;
  MemoryWorld whole(input);
  {
    MemoryPipeline pipeline(whole, through);
    ASSERT_TRUE(pipeline.restore().ok());
    ASSERT_TRUE(pipeline.run_to_end(std::nullopt).ok());
  }
  MemoryWorld paused(input);
  {
    PipelineOptions options = through;
    options.dead_letters.action = DeadLetterOptions::Action::kPause;
    MemoryPipeline pipeline(paused, options);
    ASSERT_TRUE(pipeline.restore().ok());
    step(pipeline, 100);
    ASSERT_TRUE(pipeline.lane(0).held_back().has_value());
    EXPECT_GE(pipeline.counters().records, 1'000U);
    EXPECT_LT(pipeline.counters().records, input[0].size());
    EXPECT_EQ(paused.topics.positions.at(0).next_offset,
              static_cast<Offset>(pipeline.counters().records))
        << "what was done is committed";
  }
  MemoryPipeline pipeline(paused, through);
  ASSERT_TRUE(pipeline.restore().ok());
  ASSERT_TRUE(pipeline.run_to_end(std::nullopt).ok());
  EXPECT_EQ(difference(output_of(whole), output_of(paused)), "");
}

TEST(Silence, YearsWithoutRecordsAreTold) {
  MemoryInput input(2);
  input[0].push_back(good(0));
  MemoryRecord later = good(1);
  later.value =
      fmt::format(R"({{"type":"invoice","invoice_no":"9","customer_id":"a","invoice_time":"{}",)"
                  R"("currency":"GBP","total":25}})",
                  to_rfc3339(kSale + std::chrono::days{4'000}));
  later.received_ms = to_ms(kSale + std::chrono::days{4'000});
  input[0].push_back(later);
  MemoryWorld world(input);
  MemoryPipeline pipeline(world, new_application());
  ASSERT_TRUE(pipeline.restore().ok());
  std::int64_t most = 0;
  while (pipeline.counters().applied < 2) {
    ASSERT_TRUE(pipeline.step().ok());
    const Silence silence = pipeline.lane(0).silence();
    EXPECT_FALSE(silence.days_left > 0 && pipeline.lane(0).caught_up());
    if (silence.days_left > most) {
      EXPECT_EQ(silence.to, kSale + std::chrono::days{4'000});
      most = silence.days_left;
    }
  }
  EXPECT_GT(most, 3'900);
  EXPECT_EQ(pipeline.lane(0).silence().days_left, 0);
}

}  // namespace
}  // namespace rfm
