// Ways to run a history through the pipeline over memory, and what must be true of all they commit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "tests/fake/generated_history.h"
#include "tests/fake/memory_pipeline.h"

namespace rfm {

// Lets the records of a history come as wall time passes. `world` has none of them at first.
class Feed {
 public:
  Feed(const MemoryInput& history, MemoryWorld& world) : history_(history), world_(world) {}

  std::int64_t begin_ms() const { return history_.front().front().received_ms; }
  void up_to(std::int64_t wall_ms);
  bool is_over() const;  // All of them have come.

 private:
  const MemoryInput& history_;
  MemoryWorld& world_;
  std::size_t fed_ = 0;
};

// One undisturbed life.
PipelineOutput run_whole(MemoryInput input, const PipelineOptions& options);

// Lives of up to `steps_max` steps with random batches and commits, until one reaches the end.
PipelineOutput run_restarting(MemoryInput input, PipelineOptions options, std::uint64_t seed,
                              std::uint64_t steps_max);

// The input as a service meets it: lives of up to `steps_max` steps, and hours without a record in
// which the clocks tick on, so that some of what comes then is late. `world` is empty at first.
PipelineOutput run_live(const MemoryInput& input, PipelineOptions options, MemoryWorld& world,
                        std::uint64_t seed, std::uint64_t steps_max);
std::map<PartitionId, std::vector<Tick>> ticks_of(const MemoryWorld& world);

// Invariants 5, 6 and 7: one segment everywhere, unbroken chains, every record counted once.
// `later`: the rules that rows may be under.
void expect_sound(const PipelineOutput& output, std::size_t record_count,
                  const std::vector<LaterRules>& later = {});
void expect_same(const PipelineOutput& expected, const PipelineOutput& actual);

// Leaves out what depends on the partitions or the format of the input by nature: late events and
// erasures, which take effect at a partition's own watermark, and records that only one format has.
HistoryOptions without_partition_effects(HistoryOptions history);

std::size_t size_of(const MemoryInput& input);
// Each with its boundary, as logged.
std::vector<LaterRules> later_rules_of(const PipelineOutput& output, std::vector<LaterRules> asked);
std::vector<ModelVersion> versions_of(const PipelineOutput& output);
// Versions whose clusters differ from those before.
std::size_t trained_clusters(const std::vector<ModelVersion>& versions);

}  // namespace rfm
