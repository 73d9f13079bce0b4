// Goal: clusters that are held and promoted while the service runs take effect at one boundary, for
// every customer, and what is logged is all that a replay needs.
// Method: as in pipeline_test.cc, with a limit so low that every challenger is held, and an
// operator who asks for it.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "state/epoch.h"
#include "stream/text/time_text.h"
#include "tests/fake/generated_history.h"
#include "tests/fake/memory_pipeline.h"
#include "tests/property/pipeline_runs.h"

namespace rfm {
namespace {

PipelineOptions options_that_hold() {
  PipelineOptions options;
  options.training = {.cluster_count = 3,
                      .cluster_history_ms = std::int64_t{5} * 86'400'000,
                      .challenger_count = 4,
                      .challenger_gain = 0,
                      .moved_max = 0,
                      .population_on = 30,
                      .population_off = 20,
                      .churn_weeks = 4};
  options.decoder.format = InputFormat::kInvoices;
  options.promotes = true;
  return options;
}

MemoryInput history(std::uint64_t seed, int partition_count) {
  return generated_history({.generator = {.customers = 80,
                                          .days = 120,
                                          .seed = seed,
                                          .hours = TradingHours::kRoundTheClock,
                                          .late_share = .05,
                                          .tombstones = 4},
                            .text = {.format = InputFormat::kInvoices, .bad_share = .02},
                            .duplicate_share = .03,
                            .partition_count = partition_count});
}

// The epochs that took what was held.
std::vector<std::int64_t> promotions(const std::vector<ModelVersion>& versions) {
  std::vector<std::int64_t> epochs;
  for (std::size_t i = 1; i < versions.size(); ++i) {
    const std::optional<HeldClusters>& held = versions[i - 1].held;
    if (!held || versions[i].clusters != held->clusters) continue;
    // With no gain asked for, a challenger may be what the warm refit found, too.
    if (versions[i].clusters == versions[i - 1].clusters) continue;
    EXPECT_EQ(versions[i].cluster_change, ClusterChange::kRefitChallenger);
    EXPECT_FALSE(versions[i].held);
    epochs.push_back(versions[i].trained_epoch);
  }
  return epochs;
}

std::ptrdiff_t moved_by_the_model_at(const PipelineOutput& output, EventTime at) {
  std::ptrdiff_t count = 0;
  for (const auto& [customer, lines] : output.transitions) {
    count += std::ranges::count_if(lines, [&](const std::string& line) {
      return line.find("\"segmentation\":\"cluster\"") != std::string::npos &&
             line.find("\"reason\":\"model_change\"") != std::string::npos &&
             line.find("\"effective_at\":\"" + to_rfc3339(at)) != std::string::npos;
    });
  }
  return count;
}

TEST(Promotion, AReplayFollowsWhatWasPromotedInBetween) {
  std::size_t promoted = 0;
  std::ptrdiff_t moved = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed=" << seed);
    const MemoryInput input = history(30 + seed, 1 + static_cast<int>(seed % 2) * 2);
    PipelineOptions options = options_that_hold();
    MemoryWorld world(MemoryInput(input.size()));
    const PipelineOutput live = run_live(input, options, world, seed, 150);
    expect_sound(live, size_of(input));
    const std::vector<ModelVersion> versions = versions_of(live);
    for (const std::int64_t epoch : promotions(versions)) {
      ++promoted;
      moved += moved_by_the_model_at(live, boundary_of(epoch + 1));
    }
    options.ticks = ticks_of(world);
    options.recorded = versions;
    for (PipelineOutput replayed :
         {run_whole(input, options), run_restarting(input, options, seed, 100)}) {
      replayed.model_log = live.model_log;  // It logs nothing.
      expect_same(live, replayed);
    }
  }
  EXPECT_GE(promoted, 4U);
  EXPECT_GE(moved, 4);
}

// What is held is a function of the log: nobody asks, and lives that end anywhere log the same.
TEST(Promotion, WhatIsHeldSurvivesRestarts) {
  const MemoryInput input = history(31, 2);
  PipelineOptions options = options_that_hold();
  options.promotes = false;
  const PipelineOutput whole = run_whole(input, options);
  EXPECT_GE(std::ranges::count_if(versions_of(whole),
                                  [](const ModelVersion& v) { return v.held.has_value(); }),
            7);
  expect_same(whole, run_restarting(input, options, 1, 100));
  expect_same(whole, run_restarting(input, options, 2, 30));
}

}  // namespace
}  // namespace rfm
