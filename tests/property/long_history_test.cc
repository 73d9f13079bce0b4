// Goal: the same output over most of a year of round-the-clock traffic with the shipped training.
// Method: as in pipeline_test.cc, with enough customers for quintiles and five clusters.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/fake/generated_history.h"
#include "tests/property/pipeline_runs.h"

namespace rfm {
namespace {

HistoryOptions long_history() {
  return {.generator = {.customers = 900,
                        .days = 330,
                        .seed = 11,
                        .hours = TradingHours::kRoundTheClock,
                        .late_share = .02,
                        .tombstones = 20},
          .text = {.format = InputFormat::kInvoices, .bad_share = .01},
          .duplicate_share = .02};
}

PipelineOptions options_for(InputFormat format) {
  PipelineOptions options;
  options.decoder.format = format;
  return options;
}

void expect_trained(const PipelineOutput& output) {
  const std::vector<ModelVersion> versions = versions_of(output);
  EXPECT_GE(versions.size(), 300U);
  EXPECT_GE(trained_clusters(versions), 30U);
  ASSERT_FALSE(versions.empty());
  EXPECT_GE(versions.back().population, 500);
  EXPECT_FALSE(versions.back().cuts.empty());
  EXPECT_TRUE(versions.back().churn.has_value());
}

TEST(LongHistory, BatchesCommitsAndRestartsChangeNothing) {
  for (const InputFormat format : {InputFormat::kInvoices, InputFormat::kLines}) {
    SCOPED_TRACE(testing::Message() << "lines=" << (format == InputFormat::kLines));
    HistoryOptions history = long_history();
    history.text.format = format;
    const MemoryInput input = generated_history(history);
    const PipelineOptions options = options_for(format);
    const PipelineOutput whole = run_whole(input, options);
    expect_sound(whole, size_of(input));
    expect_trained(whole);
    expect_same(whole, run_restarting(input, options, 1, 600));
  }
}

TEST(LongHistory, LanesChangeNothingWithTraining) {
  HistoryOptions history = long_history();
  history.partition_count = 4;
  const MemoryInput input = generated_history(history);
  PipelineOptions options = options_for(InputFormat::kInvoices);
  const PipelineOutput one_lane = run_whole(input, options);
  expect_trained(one_lane);
  options.lanes = 2;
  expect_same(one_lane, run_whole(input, options));
  expect_same(one_lane, run_restarting(input, options, 2, 600));
}

TEST(LongHistory, PartitionsAndInputFormatChangeNothingGivenTheModelLog) {
  HistoryOptions history = without_partition_effects(long_history());
  PipelineOptions options = options_for(InputFormat::kInvoices);
  const PipelineOutput expected = run_whole(generated_history(history), options);
  expect_trained(expected);
  options.recorded = versions_of(expected);
  for (const InputFormat format : {InputFormat::kInvoices, InputFormat::kLines}) {
    for (const int partition_count : {1, 2, 8}) {
      SCOPED_TRACE(testing::Message() << "partitions=" << partition_count
                                      << " lines=" << (format == InputFormat::kLines));
      history.text.format = format;
      history.partition_count = partition_count;
      options.decoder.format = format;
      options.lanes = partition_count == 1 ? 1 : 2;
      PipelineOutput actual = run_whole(generated_history(history), options);
      actual.counters = expected.counters;
      actual.rows = expected.rows;
      actual.books = expected.books;
      actual.model_log = expected.model_log;
      expect_same(expected, actual);
    }
  }
}

}  // namespace
}  // namespace rfm
