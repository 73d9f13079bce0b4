// Goal: what is committed depends on the input log and the model log, not on how records were
// batched, committed, spread over partitions, or where the process died.
// Method: generated histories through the whole pipeline over memory, once undisturbed and then in
// every other way; compare what is committed, byte for byte.
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <random>
#include <set>

#include "state/row_codec.h"
#include "tests/fake/generated_history.h"
#include "tests/fake/memory_pipeline.h"

namespace rfm {
namespace {

// Small enough for sanitizers; quintiles, clusters and churn weights are trained all the same.
TrainingOptions small_training() {
  return {.cluster_count = 3,
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

PipelineOutput run_whole(MemoryInput input, const PipelineOptions& options) {
  MemoryWorld world(std::move(input));
  MemoryPipeline pipeline(world, options);
  EXPECT_TRUE(pipeline.restore().ok());
  const absl::Status ran = pipeline.run_to_end(std::nullopt);
  EXPECT_TRUE(ran.ok()) << ran;
  return output_of(world);
}

// Lives of random length with random batches and commits, until one of them reaches the end.
PipelineOutput run_restarting(MemoryInput input, PipelineOptions options, std::uint64_t seed,
                              std::uint64_t steps_max) {
  MemoryWorld world(std::move(input));
  std::mt19937_64 random(seed);
  for (int life = 0; life < 10'000; ++life) {
    options.random_batches = random();
    options.batch_records = 1 + random() % 200;
    options.commit_interval = std::chrono::milliseconds(1 + random() % 20);
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

std::vector<ModelVersion> versions_of(const PipelineOutput& output) {
  absl::StatusOr<ModelLog> log = decode_model_log(output.model_log);
  EXPECT_TRUE(log.ok()) << log.status();
  return log.ok() ? log->versions : std::vector<ModelVersion>{};
}

// Invariants 5, 6 and 7 of what is committed.
void expect_sound(const PipelineOutput& output, std::size_t record_count) {
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
      EXPECT_EQ(json["segments"][segmentation.c_str()].GetString(), chain.segment) << customer;
      EXPECT_EQ(json["seq"][segmentation.c_str()].GetInt(), chain.seq) << customer;
    }
  }
  EXPECT_EQ(output.counters.transitions, transition_count);
  for (const auto& [customer, bytes] : output.rows) {
    const absl::StatusOr<CustomerRow> row = decode_row(customer, bytes, Rules{});
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

// Late events and erasures are left out: they take effect at the watermark, which is a partition's
// own.
TEST(SameOutput, PartitionsAndInputFormatChangeNothingGivenTheModelLog) {
  HistoryOptions history = small_history(4, InputFormat::kInvoices);
  history.generator.late_share = 0;
  history.generator.tombstones = 0;
  history.text.bad_share = 0;
  history.duplicate_share = 0;
  history.text.credits = CreditReference::kUnnamed;
  history.event_ids = EventIds::kDropped;
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
        actual.model_log = expected.model_log;
        expect_same(expected, actual);
      }
    }
  }
}

// Every append, commit and store write of a small history fails once.
TEST(SameOutput, AnyFailingCallChangesNothing) {
  HistoryOptions history = small_history(5, InputFormat::kInvoices);
  history.generator.customers = 12;
  history.generator.days = 40;
  history.generator.tombstones = 1;
  const MemoryInput input = generated_history(history);
  PipelineOptions options = options_for(InputFormat::kInvoices);
  options.training.population_on = 6;
  options.training.population_off = 4;
  options.batch_records = 20;
  options.commit_interval = std::chrono::milliseconds{3};
  const PipelineOutput whole = run_whole(input, options);

  enum class Fault { kAppend, kCommitAborted, kCommitUnknown, kStoreWrite };
  for (const Fault fault :
       {Fault::kAppend, Fault::kCommitAborted, Fault::kCommitUnknown, Fault::kStoreWrite}) {
    std::uint64_t failed = 0;
    for (std::uint64_t n = 0;; n += fault == Fault::kAppend ? 7 : 1) {
      SCOPED_TRACE(testing::Message() << "fault=" << static_cast<int>(fault) << " n=" << n);
      MemoryWorld world(input);
      absl::Status ran;
      {
        MemoryPipeline pipeline(world, options);
        ASSERT_TRUE(pipeline.restore().ok());
        if (fault == Fault::kStoreWrite) {
          world.store.fail_at_write(n);
        } else {
          pipeline.sink(0).fail_at(fault == Fault::kAppend          ? SinkFault::kAppend
                                   : fault == Fault::kCommitAborted ? SinkFault::kCommitAborted
                                                                    : SinkFault::kCommitUnknown,
                                   n);
        }
        ran = pipeline.run_to_end(std::nullopt);
      }
      if (ran.ok()) break;  // There is no call n.
      ++failed;
      MemoryPipeline again(world, options);
      ASSERT_TRUE(again.restore().ok());
      ran = again.run_to_end(std::nullopt);
      ASSERT_TRUE(ran.ok()) << ran;
      ASSERT_EQ("", difference(whole, output_of(world)));
    }
    EXPECT_GE(failed, 5U) << static_cast<int>(fault);
  }
}

}  // namespace
}  // namespace rfm
