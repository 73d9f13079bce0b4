// Goal: what a lane counts is what is committed, once, over failures and rebalances.
#include "stream/pipeline/lane_figures.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "stream/text/time_text.h"
#include "tests/fake/memory_pipeline.h"

namespace rfm {
namespace {

const EventTime kSale = from_ms(1'799'999'995'000);

MemoryRecord invoice(const std::string& customer, const std::string& number) {
  return {.key = customer,
          .value = fmt::format(
              R"({{"type":"invoice","invoice_no":"{}","customer_id":"{}","invoice_time":"{}",)"
              R"("currency":"GBP","total":25}})",
              number, customer, to_rfc3339(kSale)),
          .received_ms = to_ms(kSale) + 5'000};
}

PipelineOptions options_without_commits() {
  PipelineOptions options;
  options.decoder.format = InputFormat::kInvoices;
  options.commit_interval = std::chrono::hours{1};
  return options;
}

std::uint64_t total(const TransitionCounts& counts) {
  std::uint64_t sum = 0;
  for (const TransitionCounts::Entry& entry : counts.entries()) {
    for (const auto& uses : entry.counts) sum += uses[0] + uses[1];
  }
  return sum;
}

TEST(LaneFigures, CountWhatIsCommitted) {
  MemoryWorld world({{invoice("a", "1"), invoice("b", "2")}});
  MemoryPipeline pipeline(world, options_without_commits());
  ASSERT_TRUE(pipeline.restore().ok());
  const LaneFigures& figures = pipeline.lane(0).figures();
  while (pipeline.counters().records < 2) ASSERT_TRUE(pipeline.step().ok());
  EXPECT_EQ(figures.outcomes, OutcomeCounters());
  EXPECT_EQ(total(figures.transitions), 0U);
  ASSERT_TRUE(pipeline.commit().ok());
  EXPECT_EQ(figures.outcomes, pipeline.counters());
  EXPECT_EQ(figures.commits.commits, 1U);
  EXPECT_EQ(figures.commit_seconds.count(), 1U);
  EXPECT_EQ(figures.latency_seconds.count(), 2U);
  EXPECT_GT(total(figures.transitions), 0U);
  EXPECT_EQ(total(figures.transitions), figures.outcomes.transitions);
  EXPECT_EQ(total(figures.transitions), world.topics.of(OutputTopic::kTransitions).size());
}

// A partition's own counters are stored with it, and go on.
TEST(LaneFigures, BeginAtZeroWhereAPartitionIsRestored) {
  MemoryWorld world({{invoice("a", "1"), invoice("b", "2")}});
  {
    MemoryPipeline first(world, options_without_commits());
    ASSERT_TRUE(first.restore().ok());
    ASSERT_TRUE(first.run_to_end(std::nullopt).ok());
  }
  world.input[0].push_back(invoice("c", "3"));
  MemoryPipeline second(world, options_without_commits());
  ASSERT_TRUE(second.restore().ok());
  ASSERT_TRUE(second.run_to_end(std::nullopt).ok());
  EXPECT_EQ(second.counters().applied, 3U);
  EXPECT_EQ(second.lane(0).figures().outcomes.applied, 1U);
}

TEST(LaneFigures, AHistogramPutsEachValueAtItsBound) {
  static constexpr std::array kBounds = {1.0, 10.0};
  Histogram histogram{.bounds = kBounds};
  histogram.add(0, 1);
  histogram.add(1, 2);  // A bound belongs to what is below it.
  histogram.add(1.5, 4);
  histogram.add(11, 8);
  EXPECT_EQ(histogram.counts[0], 3U);
  EXPECT_EQ(histogram.counts[1], 4U);
  EXPECT_EQ(histogram.counts[2], 8U);
  EXPECT_EQ(histogram.count(), 15U);
  EXPECT_DOUBLE_EQ(histogram.sum, 96);
}

// A broker whose clock is behind its records has taken none before they came.
TEST(LaneFigures, NoRecordWaitsForLessThanNothing) {
  LaneFigures figures;
  const AwaitedBatch batch{.received_ms = 2'000, .records = 3};
  figures.add({&batch, 1}, 1'000);
  EXPECT_EQ(figures.latency_seconds.count(), 3U);
  EXPECT_EQ(figures.latency_seconds.sum, 0);
}

}  // namespace
}  // namespace rfm
