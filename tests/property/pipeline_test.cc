// Goal: what is committed depends on the input log and the model log, not on how records were
// batched, committed, spread over partitions, or where the process died.
// Method: generated histories through the whole pipeline over memory, once undisturbed and then in
// every other way; compare what is committed, byte for byte.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string_view>

#include "stream/text/time_text.h"
#include "tests/fake/generated_history.h"
#include "tests/fake/memory_pipeline.h"
#include "tests/property/pipeline_runs.h"

namespace rfm {
namespace {

// Small enough for sanitizers; quintiles, clusters and churn weights are trained all the same.
TrainingOptions small_training() {
  return {.cluster_count = 3,
          .cluster_history_ms = std::int64_t{5} * 86'400'000,
          .challenger_count = 2,
          .population_on = 30,
          .population_off = 20,
          .churn_weeks = 4};
}

HistoryOptions small_history(std::uint64_t seed, InputFormat format) {
  return {.generator = {.customers = 80,
                        .days = 75,
                        .seed = seed,
                        .hours = TradingHours::kRoundTheClock,
                        .late_share = .05,
                        .tombstones = 4},
          .text = {.format = format, .bad_share = .02},
          .duplicate_share = .03};
}

PipelineOptions options_for(InputFormat format) {
  PipelineOptions options;
  options.training = small_training();
  options.decoder.format = format;
  return options;
}

TEST(SameOutput, BatchesCommitsAndRestartsChangeNothing) {
  for (const InputFormat format : {InputFormat::kInvoices, InputFormat::kLines}) {
    const std::uint64_t seed = format == InputFormat::kLines ? 1 : 2;
    SCOPED_TRACE("seed=" + std::to_string(seed));
    const MemoryInput input = generated_history(small_history(seed, format));
    const PipelineOptions options = options_for(format);
    const PipelineOutput whole = run_whole(input, options);
    expect_sound(whole, size_of(input));
    EXPECT_GE(versions_of(whole).size(), 60U);
    EXPECT_GE(trained_clusters(versions_of(whole)), 10U);
    EXPECT_GT(whole.counters.late, 0U);
    EXPECT_GT(whole.counters.erased, 0U);
    EXPECT_GT(whole.counters.dead_lettered_total(), 0U);
    for (const std::uint64_t steps_max : {200U, 40U}) {
      SCOPED_TRACE(testing::Message() << "steps_max=" << steps_max);
      const PipelineOutput restarted = run_restarting(input, options, seed, steps_max);
      expect_same(whole, restarted);
    }
  }
}

// A piece may be as small as one row. (Restarts come with pieces of all sizes above.)
TEST(SameOutput, TheSizeOfAPieceChangesNothing) {
  for (const InputFormat format : {InputFormat::kInvoices, InputFormat::kLines}) {
    const MemoryInput input = generated_history(small_history(8, format));
    PipelineOptions options = options_for(format);
    options.commit_interval = std::chrono::milliseconds{7};
    const PipelineOutput whole = run_whole(input, options);
    for (const std::size_t piece_rows : {1U, 7U, 64U}) {
      SCOPED_TRACE(piece_rows);
      options.piece_rows = piece_rows;
      expect_same(whole, run_whole(input, options));
    }
  }
}

TEST(SameOutput, LanesAndPartitionsChangeNothingWithTraining) {
  HistoryOptions history = small_history(3, InputFormat::kInvoices);
  history.partition_count = 4;
  const MemoryInput input = generated_history(history);
  PipelineOptions options = options_for(InputFormat::kInvoices);
  const PipelineOutput one_lane = run_whole(input, options);
  expect_sound(one_lane, size_of(input));
  options.lanes = 2;
  expect_same(one_lane, run_whole(input, options));
  expect_same(one_lane, run_restarting(input, options, 3, 100));
}

TEST(SameOutput, PartitionsAndInputFormatChangeNothingGivenTheModelLog) {
  HistoryOptions history = without_partition_effects(small_history(4, InputFormat::kInvoices));
  PipelineOptions options = options_for(InputFormat::kInvoices);
  PipelineOutput expected = run_whole(generated_history(history), options);
  options.recorded = versions_of(expected);
  for (const InputFormat format : {InputFormat::kInvoices, InputFormat::kLines}) {
    for (const int partition_count : {1, 2, 8}) {
      for (const int lanes : {1, 2}) {
        SCOPED_TRACE(testing::Message() << "partitions=" << partition_count << " lanes=" << lanes
                                        << " lines=" << (format == InputFormat::kLines));
        history.text.format = format;
        history.partition_count = partition_count;
        options.decoder.format = format;
        options.lanes = lanes;
        PipelineOutput actual = run_whole(generated_history(history), options);
        ASSERT_FALSE(actual.transitions.empty());
        // Another log: only what customers see is the same.
        actual.counters = expected.counters;
        actual.rows = expected.rows;
        actual.books = expected.books;
        actual.model_log = expected.model_log;
        expect_same(expected, actual);
      }
    }
  }
}

TEST(SameOutput, AReplayThatFollowsTheTicksIsWhatTheServiceDid) {
  for (const int partition_count : {1, 3}) {
    SCOPED_TRACE(testing::Message() << "partitions=" << partition_count);
    HistoryOptions history = small_history(6, InputFormat::kLines);
    history.partition_count = partition_count;
    const MemoryInput input = generated_history(history);
    PipelineOptions options = options_for(InputFormat::kLines);
    MemoryWorld world(MemoryInput(input.size()));
    const PipelineOutput live = run_live(input, options, world, 6, 300);
    expect_sound(live, size_of(input));
    options.ticks = ticks_of(world);
    options.recorded = versions_of(live);
    EXPECT_EQ(options.ticks.size(), input.size());
    EXPECT_GT(options.ticks[0].size(), 50U);
    EXPECT_GE(trained_clusters(options.recorded), 10U);
    for (PipelineOutput replayed :
         {run_whole(input, options), run_restarting(input, options, 6, 100)}) {
      replayed.model_log = live.model_log;  // It trains nothing.
      expect_same(live, replayed);
    }
    // The clocks have been ahead of more records than come late by themselves.
    options.ticks.clear();
    EXPECT_GT(live.counters.late, 2 * run_whole(input, options).counters.late);
  }
}

// Which partition contributed when it was idle, and where, is the wall clock's choice. It is in the
// tick log before a version uses it, so a replay that follows it trains the same versions, however
// often the service died on the way.
TEST(SameOutput, AReplayThatFollowsTheChoicesTrainsTheSameVersions) {
  for (const std::uint64_t seed : {8U, 9U, 10U}) {
    SCOPED_TRACE(testing::Message() << "seed=" << seed);
    HistoryOptions history = small_history(seed, InputFormat::kInvoices);
    history.partition_count = 4;
    history.generator.days = 150;  // So that there are many choices, whatever the clock says.
    MemoryInput input = generated_history(history);
    // All begin together: which ones have held no record yet, a version says itself.
    const MemoryRecord first = input[0].front();
    for (std::size_t p = 0; p < input.size(); ++p) {
      MemoryRecord record = first;
      record.key = "first of " + std::to_string(p);
      record.value->replace(record.value->find(*first.key), first.key->size(), *record.key);
      input[p].insert(input[p].begin(), record);
    }
    PipelineOptions options = options_for(InputFormat::kInvoices);
    MemoryWorld world(MemoryInput(input.size()));
    const PipelineOutput live = run_live(input, options, world, seed, 60);
    expect_sound(live, size_of(input));
    EXPECT_GE(trained_clusters(versions_of(live)), 10U);
    options.ticks = ticks_of(world);
    std::ptrdiff_t choices = 0;
    for (const auto& [partition, ticks] : options.ticks) {
      choices += std::ranges::count_if(
          ticks, [](const Tick& tick) { return tick.contributes.has_value(); });
    }
    EXPECT_GE(choices, 20);
    expect_same(live, run_whole(input, options));
    expect_same(live, run_restarting(input, options, seed, 100));
    options.lanes = 2;
    expect_same(live, run_whole(input, options));
  }
}

// Logs rarely begin and end together: brokers drop old segments at different times.
TEST(SameOutput, PartitionsThatBeginLateOrEndEarlyAreTreatedAlike) {
  HistoryOptions history = small_history(7, InputFormat::kInvoices);
  history.partition_count = 3;
  MemoryInput input = generated_history(history);
  const std::int64_t first = input[2].front().received_ms;
  constexpr std::int64_t kDay = 86'400'000;
  std::erase_if(input[0], [&](const auto& r) { return r.received_ms < first + 30 * kDay; });
  std::erase_if(input[1], [&](const auto& r) { return r.received_ms > first + 20 * kDay; });
  PipelineOptions options = options_for(InputFormat::kInvoices);
  const PipelineOutput whole = run_whole(input, options);
  expect_sound(whole, size_of(input));
  EXPECT_GE(trained_clusters(versions_of(whole)), 5U);
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    SCOPED_TRACE(seed);
    expect_same(whole, run_restarting(input, options, seed, 100));
  }
  options.batch_records = 7;
  options.lanes = 2;
  expect_same(whole, run_whole(input, options));
  options.recorded = versions_of(whole);
  PipelineOutput replayed = run_whole(input, options);
  replayed.model_log = whole.model_log;  // It trains nothing.
  expect_same(whole, replayed);
}

MemoryInput first_part(const MemoryInput& input, std::mt19937_64& random) {
  MemoryInput part;
  for (const std::vector<MemoryRecord>& log : input) {
    // One that has not grown, one that was empty, or any other.
    const std::size_t size = random() % 4 == 0   ? log.size()
                             : random() % 6 == 0 ? 0
                                                 : random() % (log.size() + 1);
    part.emplace_back(log.begin(), log.begin() + static_cast<std::ptrdiff_t>(size));
  }
  return part;
}

// What an end causes is no part of the log: lives over parts of it, up to any time, and then all.
TEST(SameOutput, TheEndOfAnInputThatGrowsChangesNothing) {
  for (std::uint64_t seed = 20; seed < 26; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed=" << seed);
    std::mt19937_64 random(seed);
    const InputFormat format = seed % 2 == 0 ? InputFormat::kInvoices : InputFormat::kLines;
    HistoryOptions history = small_history(seed, format);
    history.partition_count = 1 + static_cast<int>(seed % 3);
    const MemoryInput input = generated_history(history);
    PipelineOptions options = options_for(format);
    if (seed % 3 == 0) options.rules.window = std::chrono::hours{24 * 20};
    const PipelineOutput whole = run_whole(input, options);
    EXPECT_EQ(whole.counters.records, size_of(input));
    EXPECT_GE(trained_clusters(versions_of(whole)), 5U);
    options.holds_at_end = true;
    for (int i = 0; i < 3; ++i) {
      SCOPED_TRACE(i);
      MemoryWorld world(first_part(input, random));
      options.batch_records = 1 + random() % 200;
      options.piece_rows = 20 + random() % 100;
      PipelineOptions first = options;
      if (random() % 2 == 0) {
        const MemoryRecord& record = input[0][random() % input[0].size()];
        first.until = from_ms(record.received_ms);
      }
      {
        MemoryPipeline pipeline(world, first);
        ASSERT_TRUE(pipeline.restore().ok());
        const absl::Status ran = pipeline.run_to_held();
        ASSERT_TRUE(ran.ok()) << ran;
      }
      world.input = input;
      MemoryPipeline pipeline(world, options);
      ASSERT_TRUE(pipeline.restore().ok());
      const absl::Status ran = pipeline.run_to_end(std::nullopt);
      ASSERT_TRUE(ran.ok()) << ran;
      expect_same(whole, output_of(world));
    }
  }
}

// In whatever order they stand: the same as a log without them.
TEST(SameOutput, RecordsFromUntilOnAreLeftOut) {
  for (std::uint64_t seed = 30; seed < 34; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed=" << seed);
    std::mt19937_64 random(seed);
    HistoryOptions history = small_history(seed, InputFormat::kInvoices);
    history.partition_count = 1 + static_cast<int>(seed % 3);
    history.text.bad_share = 0;
    history.generator.tombstones = 0;
    MemoryInput input = generated_history(history);
    const auto time_of = [](const MemoryRecord& record) {
      constexpr std::string_view kName = "\"invoice_time\":\"";
      const std::size_t at = record.value->find(kName) + kName.size();
      return *TimeReader(std::chrono::minutes{0})
                  .read(
                      std::string_view(*record.value).substr(at, record.value->find('"', at) - at));
    };
    // Some weeks out of order, as in exports that are put together.
    for (std::vector<MemoryRecord>& log : input) {
      const auto third = static_cast<std::ptrdiff_t>(log.size() / 3);
      std::rotate(log.begin() + third / 2, log.begin() + third, log.end() - third / 2);
    }
    const EventTime until = time_of(input[0][random() % input[0].size()]);
    MemoryInput before = input;
    for (std::vector<MemoryRecord>& log : before)
      std::erase_if(log, [&](const MemoryRecord& record) { return time_of(record) >= until; });
    ASSERT_GT(size_of(before), 0U);
    ASSERT_LT(size_of(before), size_of(input));

    PipelineOptions options = options_for(InputFormat::kInvoices);
    options.until = until;
    const auto run = [&](MemoryInput records) {
      MemoryWorld world(std::move(records));
      MemoryPipeline pipeline(world, options);
      EXPECT_TRUE(pipeline.restore().ok());
      const absl::Status ran = pipeline.run_to_end(until);
      EXPECT_TRUE(ran.ok()) << ran;
      PipelineOutput output = output_of(world);
      output.dead_letters.clear();  // They say their offset.
      output.receipts.clear();
      return output;
    };
    const PipelineOutput expected = run(before);
    EXPECT_EQ(expected.counters.records, size_of(before));
    expect_same(expected, run(input));
    options.holds_at_end = true;
    options.batch_records = 50;
    expect_same(expected, run(input));
  }
}

// The lanes run as the service runs them, and partitions go from one to another.
TEST(SameOutput, LanesOnThreadsOfTheirOwnAndHandOversChangeNothing) {
  for (const InputFormat format : {InputFormat::kInvoices, InputFormat::kLines}) {
    HistoryOptions history = small_history(11, format);
    history.partition_count = 5;
    const MemoryInput input = generated_history(history);
    PipelineOptions options = options_for(format);
    const PipelineOutput one_thread = run_whole(input, options);
    expect_sound(one_thread, size_of(input));
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
      SCOPED_TRACE(testing::Message() << "seed=" << seed);
      options.lanes = 1 + static_cast<int>(seed % 3) + 1;
      options.random_batches = seed;
      options.batch_records = 100;
      options.piece_rows = seed % 2 == 0 ? 10'000 : 15;
      options.commit_interval = std::chrono::milliseconds{1 + 3 * seed};
      options.output =
          seed % 2 == 0 ? LaneOutput::Threading::kOwnThread : LaneOutput::Threading::kLane;
      MemoryWorld world(input);
      MemoryPipeline pipeline(world, options);
      ASSERT_TRUE(pipeline.restore().ok());
      const absl::Status ran = pipeline.run_on_threads(seed);
      ASSERT_TRUE(ran.ok()) << ran;
      expect_same(one_thread, output_of(world));
    }
  }
}

}  // namespace
}  // namespace rfm
