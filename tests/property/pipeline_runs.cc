#include "tests/property/pipeline_runs.h"

#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

#include "state/row_codec.h"

namespace rfm {

void Feed::up_to(std::int64_t wall_ms) {
  for (std::size_t p = 0; p < history_.size(); ++p) {
    const std::vector<MemoryRecord>& all = history_[p];
    std::vector<MemoryRecord>& log = world_.input[p];
    for (; log.size() < all.size() && all[log.size()].received_ms <= wall_ms; ++fed_)
      log.push_back(all[log.size()]);
  }
}

bool Feed::is_over() const { return fed_ == size_of(history_); }

PipelineOutput run_whole(MemoryInput input, const PipelineOptions& options) {
  MemoryWorld world(std::move(input));
  MemoryPipeline pipeline(world, options);
  EXPECT_TRUE(pipeline.restore().ok());
  const absl::Status ran = pipeline.run_to_end(std::nullopt);
  EXPECT_TRUE(ran.ok()) << ran;
  return output_of(world);
}

PipelineOutput run_restarting(MemoryInput input, PipelineOptions options, std::uint64_t seed,
                              std::uint64_t steps_max) {
  MemoryWorld world(std::move(input));
  std::mt19937_64 random(seed);
  for (int life = 0; life < 10'000; ++life) {
    options.random_batches = random();
    options.batch_records = 1 + random() % 200;
    options.piece_rows = 20 + random() % 100;
    options.commit_interval = std::chrono::milliseconds(1 + random() % 20);
    options.output =
        random() % 2 == 0 ? LaneOutput::Threading::kLane : LaneOutput::Threading::kOwnThread;
    MemoryPipeline pipeline(world, options);
    const absl::Status restored = pipeline.restore();
    EXPECT_TRUE(restored.ok()) << restored;
    bool at_end = false;
    for (std::uint64_t steps = 1 + random() % steps_max; steps > 0 && !at_end; --steps) {
      const absl::StatusOr<Lane::Activity> activity = pipeline.step();
      if (!activity.ok()) {
        ADD_FAILURE() << activity.status();
        return {};
      }
      at_end = *activity == Lane::Activity::kAtEnd;
    }
    if (!at_end) continue;
    const absl::Status ran = pipeline.run_to_end(std::nullopt);
    EXPECT_TRUE(ran.ok()) << ran;
    return output_of(world);
  }
  ADD_FAILURE() << "no life reached the end";
  return {};
}

PipelineOutput run_live(const MemoryInput& input, PipelineOptions options, MemoryWorld& world,
                        std::uint64_t seed, std::uint64_t steps_max) {
  std::mt19937_64 random(seed);
  Feed feed(input, world);
  std::int64_t wall = feed.begin_ms();
  options.tick_idle = std::chrono::milliseconds{2};
  for (int life = 0; life < 10'000; ++life) {
    options.batch_records = 1 + random() % 200;
    options.piece_rows = 20 + random() % 100;
    options.commit_interval = std::chrono::milliseconds(1 + random() % 5);
    MemoryPipeline pipeline(world, options);
    pipeline.clock().pass(std::chrono::milliseconds{wall - pipeline.clock().wall_ms()});
    EXPECT_TRUE(pipeline.restore().ok());
    for (std::uint64_t steps = 1 + random() % steps_max; steps > 0; --steps) {
      const absl::StatusOr<Lane::Activity> activity = pipeline.step();
      EXPECT_TRUE(activity.ok()) << activity.status();
      if (!activity.ok()) return {};
      wall = pipeline.clock().wall_ms();
      if (*activity != Lane::Activity::kAtEnd) continue;
      // A step's own tick may have left more to do than one piece.
      if (std::ranges::any_of(pipeline.partitions(), &Partition::is_unfinished)) continue;
      if (feed.is_over()) {
        EXPECT_TRUE(pipeline.commit().ok());
        EXPECT_TRUE(pipeline.trainer().finish().ok());
        return output_of(world);
      }
      if (random() % 4 == 0) feed.up_to(wall);
      if (random() % 8 == 0) pipeline.clock().pass(std::chrono::minutes(random() % 2400));
    }
  }
  ADD_FAILURE() << "no life reached the end";
  return {};
}

std::map<PartitionId, std::vector<Tick>> ticks_of(const MemoryWorld& world) {
  std::map<PartitionId, std::vector<Tick>> ticks;
  for (const OutputRecord& record : world.topics.of(OutputTopic::kTicks)) {
    const absl::StatusOr<Tick> tick = decode_tick(*record.value);
    EXPECT_TRUE(tick.ok()) << tick.status();
    if (tick.ok()) ticks[*record.partition].push_back(*tick);
  }
  return ticks;
}

HistoryOptions without_partition_effects(HistoryOptions history) {
  history.generator.late_share = 0;
  history.generator.tombstones = 0;
  history.text.bad_share = 0;
  history.duplicate_share = 0;
  history.text.credits = CreditReference::kUnnamed;
  history.event_ids = EventIds::kDropped;
  return history;
}

std::vector<ModelVersion> versions_of(const PipelineOutput& output) {
  absl::StatusOr<ModelLog> log = decode_model_log(output.model_log);
  EXPECT_TRUE(log.ok()) << log.status();
  return log.ok() ? log->versions : std::vector<ModelVersion>{};
}

std::vector<LaterRules> later_rules_of(const PipelineOutput& output,
                                       std::vector<LaterRules> asked) {
  const absl::StatusOr<ModelLog> log = decode_model_log(output.model_log);
  EXPECT_TRUE(log.ok()) << log.status();
  if (!log.ok() || log->rules.size() != asked.size() + 1) {
    ADD_FAILURE() << "not all that was asked for is logged";
    return {};
  }
  for (std::size_t i = 0; i < asked.size(); ++i) asked[i].record = log->rules[i + 1];
  return asked;
}

void expect_sound(const PipelineOutput& output, std::size_t record_count,
                  const std::vector<LaterRules>& later) {
  const Rules first;
  ModelTimeline logs;
  for (const LaterRules& rules : later)
    logs.append_rules(rules.rules, *rules.record.effective_epoch);
  EXPECT_EQ(output.counters.records, record_count);
  EXPECT_TRUE(output.counters.add_up());
  std::set<std::string> ids;
  std::uint64_t transition_count = 0;
  for (const auto& [customer, lines] : output.transitions) {
    struct Chain {
      std::string birth;
      std::string segment = "none";
      std::string since;
      int seq = 0;
    };
    std::map<std::string, Chain> chains;  // By segmentation.
    for (const std::string& line : lines) {
      const std::size_t body = line.find("|{");
      rapidjson::Document json;
      json.Parse(line.c_str() + body + 1);
      ASSERT_FALSE(json.HasParseError()) << line;
      const std::size_t id = line.find("ce_id=");
      EXPECT_TRUE(ids.insert(line.substr(id, line.find('|', id) - id)).second) << line;
      Chain& chain = chains[json["segmentation"].GetString()];
      if (chain.birth != json["birth"].GetString()) {
        chain = Chain{};
        chain.birth = json["birth"].GetString();
      }
      EXPECT_EQ(json["from"]["segment"].GetString(), chain.segment) << line;
      EXPECT_EQ(json["seq"].GetInt(), chain.seq + 1) << line;
      if (chain.seq > 0) {
        EXPECT_EQ(json["from"]["since"].GetString(), chain.since) << line;
      }
      EXPECT_STRNE(json["to"].GetString(), json["from"]["segment"].GetString()) << line;
      EXPECT_GE(json["effective_at"].GetString(), chain.since) << line;
      chain.segment = json["to"].GetString();
      chain.since = json["effective_at"].GetString();
      ++chain.seq;
      ++transition_count;
    }
    const auto current = output.segments.find(customer);
    for (const auto& [segmentation, chain] : chains) {
      if (current == output.segments.end()) {
        EXPECT_EQ(chain.segment, "none") << customer << ' ' << segmentation;
        continue;
      }
      rapidjson::Document json;
      json.Parse(current->second.c_str());
      if (!json["segments"].HasMember(segmentation.c_str())) {  // The rules have dropped it.
        EXPECT_EQ(chain.segment, "none") << customer << ' ' << segmentation;
        continue;
      }
      EXPECT_EQ(json["segments"][segmentation.c_str()].GetString(), chain.segment) << customer;
      EXPECT_EQ(json["seq"][segmentation.c_str()].GetInt(), chain.seq) << customer;
    }
  }
  EXPECT_EQ(output.counters.transitions, transition_count);
  for (const auto& [customer, bytes] : output.rows) {
    const absl::StatusOr<CustomerRow> row = decode_row(customer, bytes, {first, logs});
    ASSERT_TRUE(row.ok()) << row.status();
    const bool counts = row->ledger.sums().frequency > 0;
    for (const SegmentState& segment : row->segments)
      EXPECT_EQ(segment.segment != kNoSegmentCode, counts) << customer;
  }
}

void expect_same(const PipelineOutput& expected, const PipelineOutput& actual) {
  const std::string found = difference(expected, actual);
  EXPECT_TRUE(found.empty()) << found;
}

std::size_t size_of(const MemoryInput& input) {
  std::size_t count = 0;
  for (const auto& partition : input) count += partition.size();
  return count;
}

std::size_t trained_clusters(const std::vector<ModelVersion>& versions) {
  return static_cast<std::size_t>(std::ranges::count_if(
      versions, [](const ModelVersion& v) { return v.cluster_change != ClusterChange::kNone; }));
}

}  // namespace rfm
