// Goal: rules that change hold from one boundary on, for every customer and whatever happens in
// between: batches, pieces, lanes, crashes. What is logged is all that a replay needs.
// Method: as in pipeline_test.cc, with rules that add, change and remove segmentations.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "state/epoch.h"
#include "tests/fake/generated_history.h"
#include "tests/fake/memory_pipeline.h"
#include "tests/property/pipeline_runs.h"

namespace rfm {
namespace {

TrainingOptions small_training(const Rules& rules) {
  TrainingOptions training{.cluster_count = 3,
                           .cluster_history_ms = std::int64_t{5} * 86'400'000,
                           .challenger_count = 2,
                           .population_on = 30,
                           .population_off = 20,
                           .churn_weeks = 4};
  const std::span<const CutSpec> specs = rules.segmentations.cut_specs();
  training.cut_specs.assign(specs.begin(), specs.end());
  return training;
}

MemoryInput history(std::uint64_t seed, InputFormat format, int partition_count) {
  return generated_history({.generator = {.customers = 80,
                                          .days = 75,
                                          .seed = seed,
                                          .hours = TradingHours::kRoundTheClock,
                                          .late_share = .05,
                                          .tombstones = 4},
                            .text = {.format = format, .bad_share = .02},
                            .duplicate_share = .03,
                            .partition_count = partition_count});
}

LaterRules later(const Rules& before, std::vector<SegmentationSpec> specs) {
  auto rules = std::make_shared<Rules>();
  rules->version = before.version + 1;
  absl::StatusOr<Segmentations> made = Segmentations::create(std::move(specs));
  EXPECT_TRUE(made.ok()) << made.status();
  rules->segmentations = *std::move(made);
  rules->segmentations.continue_cut_specs(before.segmentations.cut_specs());
  rules->precedence = precedence_of({}, rules->segmentations);
  LaterRules later{
      .record = {.version = rules->version, .settings = {}, .go_live = {}, .go_live_time = {}},
      .rules = rules,
      .training = small_training(*rules)};
  return later;
}

// Without `churn`, which comes back; with another grid, whose cuts nobody has trained yet; and with
// a longer stay and another name.
std::vector<LaterRules> changes() {
  SegmentationSpec rfm = *find_preset("rfm");
  for (SegmentInfo& info : rfm.segments) info.actions.clear();  // They look at `churn`.
  SegmentationSpec calm = rfm;
  calm.stay_ms = std::int64_t{20} * 86'400'000;
  for (SegmentInfo& info : calm.segments)
    if (info.name == "Loyal") info.name = "Steady";
  for (MapRule& rule : calm.map)
    if (rule.segment == "Loyal") rule.segment = "Steady";
  const Rules first;
  std::vector<LaterRules> all;
  all.push_back(later(first, {rfm, *find_preset("cluster"), *find_preset("value-risk")}));
  all.push_back(later(*all.back().rules, {calm, *find_preset("cluster"), *find_preset("churn")}));
  return all;
}

std::size_t with_reason(const PipelineOutput& output, const std::string& reason) {
  std::size_t count = 0;
  for (const auto& [customer, lines] : output.transitions) {
    count += static_cast<std::size_t>(std::ranges::count_if(lines, [&](const std::string& line) {
      return line.find("\"reason\":\"" + reason + "\"") != std::string::npos;
    }));
  }
  return count;
}

PipelineOptions options_for(InputFormat format) {
  PipelineOptions options;
  options.training = small_training(options.rules);
  options.decoder.format = format;
  return options;
}

TEST(SameOutputUnderChangingRules, BatchesPiecesLanesAndRestartsChangeNothing) {
  for (const InputFormat format : {InputFormat::kInvoices, InputFormat::kLines}) {
    SCOPED_TRACE(format == InputFormat::kLines ? "lines" : "invoices");
    const MemoryInput input = history(11, format, 2);
    PipelineOptions options = options_for(format);
    const std::int64_t first = epoch_of(from_ms(input[0].front().received_ms));
    options.later_rules = changes();
    options.later_rules[0].record.effective_epoch = first + 25;
    options.later_rules[1].record.effective_epoch = first + 50;
    const PipelineOutput whole = run_whole(input, options);
    expect_sound(whole, size_of(input), options.later_rules);
    EXPECT_GT(with_reason(whole, "rules_change"), 100U);
    EXPECT_GE(trained_clusters(versions_of(whole)), 10U);
    expect_same(whole, run_restarting(input, options, 11, 100));
    expect_same(whole, run_restarting(input, options, 12, 30));
    options.piece_rows = 1;
    options.commit_interval = std::chrono::milliseconds{7};
    expect_same(whole, run_whole(input, options));
    options.lanes = 2;
    expect_same(whole, run_whole(input, options));
  }
}

// Asked for while it runs: which boundary that is, is the trainer's choice, and logged.
TEST(SameOutputUnderChangingRules, AReplayFollowsWhatWasLogged) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    SCOPED_TRACE(testing::Message() << "seed=" << seed);
    const MemoryInput input =
        history(20 + seed, InputFormat::kInvoices, 1 + static_cast<int>(seed % 2) * 2);
    PipelineOptions options = options_for(InputFormat::kInvoices);
    options.first = {
        encode_rules({.version = 1, .settings = {}, .go_live = {}, .go_live_time = {}})};
    options.asked = changes();
    MemoryWorld world(MemoryInput(input.size()));
    const PipelineOutput live = run_live(input, options, world, seed, 150);
    options.later_rules = later_rules_of(live, std::exchange(options.asked, {}));
    expect_sound(live, size_of(input), options.later_rules);
    EXPECT_GT(with_reason(live, "rules_change"), 50U);
    options.ticks = ticks_of(world);
    options.recorded = versions_of(live);
    for (PipelineOutput replayed :
         {run_whole(input, options), run_restarting(input, options, seed, 100)}) {
      replayed.model_log = live.model_log;  // It logs nothing.
      expect_same(live, replayed);
    }
  }
}

}  // namespace
}  // namespace rfm
