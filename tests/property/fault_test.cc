// Goal: whichever call to the world outside fails, before it did anything or after it did all, what
// is committed in the end is what it would have been.
// Method: small histories through the whole pipeline over memory, in several lives, in one of which
// the partitions are on another machine. For every seam and every n the n-th call to it fails; the
// pipeline is dropped and rebuilt from what is committed, as the service does it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "tests/fake/generated_history.h"
#include "tests/fake/memory_pipeline.h"
#include "tests/property/pipeline_runs.h"

namespace rfm {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

struct SeamName {
  Seam seam;
  std::string_view name;
  std::uint64_t calls_min;  // Less would test nothing.
};
constexpr std::array<SeamName, kSeamCount> kSeams = {{{Seam::kRead, "read", 10},
                                                      {Seam::kService, "service", 20},
                                                      {Seam::kAppend, "append", 80},
                                                      {Seam::kCommit, "commit", 5},
                                                      {Seam::kScan, "scan", 6},
                                                      {Seam::kWrite, "write", 5},
                                                      {Seam::kPublish, "publish", 2},
                                                      {Seam::kChangelog, "changelog", 9}}};

MemoryInput tiny_history(std::uint64_t seed, InputFormat format, int partitions, int days) {
  return generated_history({.generator = {.customers = 10,
                                          .days = days,
                                          .seed = seed,
                                          .hours = TradingHours::kRoundTheClock,
                                          .late_share = .05,
                                          .tombstones = 1},
                            .text = {.format = format, .bad_share = .08},
                            .duplicate_share = .03,
                            .partition_count = partitions});
}

PipelineOptions tiny_options(InputFormat format) {
  PipelineOptions options;
  options.training = {.cluster_count = 2,
                      .cluster_history_ms = std::int64_t{3} * 86'400'000,
                      .challenger_count = 1,
                      .population_on = 3,
                      .population_off = 2,
                      .churn_weeks = 2};
  options.decoder.format = format;
  options.batch_records = 1;
  options.piece_rows = 5;
  options.commit_interval = milliseconds{4};
  return options;
}

// Runs `live` in a world with `input` for every n until there is no call n. `live` rebuilds after
// each failure and goes to the end; `check` looks at what is committed then. Returns how many calls
// each seam had.
std::map<std::string_view, std::uint64_t> fail_every_call(
    const MemoryInput& input, const std::function<absl::Status(MemoryWorld&)>& live,
    const std::function<void(MemoryWorld&)>& check) {
  std::map<std::string_view, std::uint64_t> calls;
  for (const auto& [seam, name, unused] : kSeams) {
    for (const FaultKind kind : {FaultKind::kBefore, FaultKind::kAfter}) {
      std::uint64_t n = 0;
      for (;; ++n) {
        SCOPED_TRACE(
            fmt::format("{} {} n={}", kind == FaultKind::kBefore ? "before" : "after", name, n));
        MemoryWorld world(input);
        world.faults.fail_at(seam, kind, n);
        const absl::Status ended = live(world);
        EXPECT_TRUE(ended.ok()) << ended;
        if (ended.ok()) check(world);
        if (testing::Test::HasFailure()) return calls;
        if (!world.faults.struck()) break;
      }
      calls[name] = n;
    }
  }
  return calls;
}

void expect_all_tested(const std::map<std::string_view, std::uint64_t>& calls) {
  if (testing::Test::HasFailure()) return;
  for (const SeamName& seam : kSeams) EXPECT_GE(calls.at(seam.name), seam.calls_min) << seam.name;
}

// One failure in all, and every life but the last is short.
constexpr int kLivesMax = 6;
constexpr std::uint64_t kCommitsOfALife = 5;
constexpr int kStepsMax = 100;

// The second life finds an empty store, as on another machine, the third its own; each leaves
// records to the next.
absl::Status drain(MemoryWorld& world, const PipelineOptions& options) {
  int planned = 0;
  for (int life = 0; life < kLivesMax; ++life) {
    MemoryPipeline pipeline(world, options);
    absl::Status status = pipeline.restore();
    if (status.ok() && planned == 2) status = pipeline.run_to_end(std::nullopt);
    const std::uint64_t enough = world.topics.commits + kCommitsOfALife;
    for (int steps = 0; status.ok() && planned < 2 && steps < kStepsMax; ++steps) {
      if (world.topics.commits == enough) break;
      status = pipeline.step().status();
    }
    if (!status.ok()) {
      if (!world.faults.struck()) return status;
    } else if (planned == 2) {
      return status;
    } else if (planned++ == 0) {
      for (std::size_t p = 0; p < world.input.size(); ++p) {
        const absl::Status moved = world.store.drop_partition(static_cast<PartitionId>(p));
        if (!moved.ok()) return moved;
      }
    }
  }
  return absl::InternalError("no life reached the end");
}

TEST(Faults, AnyFailingCallChangesNothing) {
  const MemoryInput input = tiny_history(5, InputFormat::kInvoices, 1, 20);
  const PipelineOptions options = tiny_options(InputFormat::kInvoices);
  const PipelineOutput whole = run_whole(input, options);
  expect_sound(whole, size_of(input));
  EXPECT_GT(whole.counters.erased, 0U);
  EXPECT_GT(whole.counters.dead_lettered_total(), 0U);
  EXPECT_GE(trained_clusters(versions_of(whole)), 2U);
  expect_all_tested(fail_every_call(
      input, [&](MemoryWorld& world) { return drain(world, options); },
      [&](MemoryWorld& world) { ASSERT_EQ("", difference(whole, output_of(world))); }));
}

TEST(Faults, AnyFailingCallOfTwoLanesChangesNothing) {
  const MemoryInput input = tiny_history(6, InputFormat::kInvoices, 3, 12);
  PipelineOptions options = tiny_options(InputFormat::kInvoices);
  options.lanes = 2;
  options.output = LaneOutput::Threading::kOwnThread;
  const PipelineOutput whole = run_whole(input, options);
  expect_sound(whole, size_of(input));
  expect_all_tested(fail_every_call(
      input, [&](MemoryWorld& world) { return drain(world, options); },
      [&](MemoryWorld& world) { ASSERT_EQ("", difference(whole, output_of(world))); }));
}

// Records come as time passes, and clocks tick on in between. Which ticks there are depends on when
// the failure came; a replay that follows them says whether all else is right.
absl::Status follow(const MemoryInput& input, MemoryWorld& world, PipelineOptions options) {
  options.tick_idle = milliseconds{2};
  Feed feed(input, world);
  std::int64_t wall = feed.begin_ms();
  for (int life = 0; life < kLivesMax; ++life) {
    MemoryPipeline pipeline(world, options);
    pipeline.clock().pass(milliseconds{wall - pipeline.clock().wall_ms()});
    absl::Status status = pipeline.restore();
    for (int quiet = 0; status.ok();) {
      const absl::StatusOr<Lane::Activity> activity = pipeline.step();
      status = activity.status();
      wall = pipeline.clock().wall_ms();
      if (!status.ok()) break;
      quiet = *activity == Lane::Activity::kAtEnd ? quiet + 1 : 0;
      if (quiet < 10) continue;
      quiet = 0;
      if (feed.is_over()) {
        status = pipeline.commit();
        if (status.ok()) status = pipeline.trainer().finish();
        if (status.ok()) return status;
        break;
      }
      pipeline.clock().pass(hours{30});
      wall = pipeline.clock().wall_ms();
      feed.up_to(wall);
    }
    if (!world.faults.struck()) return status;
  }
  return absl::InternalError("no life reached the end");
}

TEST(Faults, AnyFailingCallOfALiveServiceIsExplainedByItsTicks) {
  const MemoryInput input = tiny_history(7, InputFormat::kLines, 2, 7);
  const PipelineOptions options = tiny_options(InputFormat::kLines);
  std::size_t ticks = 0;
  fail_every_call(
      MemoryInput(input.size()), [&](MemoryWorld& world) { return follow(input, world, options); },
      [&](MemoryWorld& world) {
        const PipelineOutput live = output_of(world);
        expect_sound(live, size_of(input));
        PipelineOptions recorded = options;
        recorded.ticks = ticks_of(world);
        recorded.recorded = versions_of(live);
        PipelineOutput replayed = run_whole(input, recorded);
        replayed.model_log = live.model_log;  // It trains nothing.
        ASSERT_EQ("", difference(live, replayed));
        ticks = std::max(ticks, recorded.ticks[0].size());
      });
  EXPECT_GT(ticks, 5U);
}

}  // namespace
}  // namespace rfm
