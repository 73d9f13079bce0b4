// Goal: the exposition says what the status says, in the format that Prometheus reads, and
// docs/operations.md lists every family with its type and meaning.
#include "admin/metrics.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "stream/pipeline/lane_figures.h"

namespace rfm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::chrono::steady_clock::time_point kNow{seconds{1'000}};

std::string text_of(const ServiceStatus& status) {
  return metrics_text({.status = status, .now = kNow, .stuck_after = seconds{60}}, "1.2.3",
                      ProcessFigures{.cpu_seconds = 1.5, .open_files = 7});
}

// Sample with its labels -> value.
std::map<std::string, double> samples(const std::string& text) {
  std::map<std::string, double> result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t space = line.rfind(' ');
    EXPECT_TRUE(result.emplace(line.substr(0, space), std::stod(line.substr(space + 1))).second)
        << line << " is there twice";
  }
  return result;
}

ServiceStatus busy() {
  ServiceStatus status;
  status.phase = ServicePhase::kRunning;
  status.broker_answers = true;
  status.partition_count = status.partitions_owned = 2;
  status.broker_ms = 100'000;
  status.reactions[static_cast<std::size_t>(Reaction::kRebuild)] = 3;
  status.partitions = {{.partition = 0,
                        .records_behind = 5,
                        .records_held = 2,
                        .started = true,
                        .event_time = from_ms(40'000),
                        .watermark = from_ms(30'000),
                        .epoch_crossed = 11,
                        .customers = 3,
                        .bytes = 900},
                       {.partition = 1}};
  status.store.disk_free_bytes = 5'000'000;
  status.model_number = 4;
  status.model_since = from_ms(10'000);
  for (int lane = 0; lane < 2; ++lane) {
    LaneStatus one{.lane = lane, .turned_at = kNow - milliseconds{1'500}, .figures = {}};
    one.figures.outcomes.records = one.figures.outcomes.applied = 10;
    one.figures.transitions.add("rfm", Reason::kPurchase, TransitionCounts::Use::kActionable);
    one.figures.add({.duration = milliseconds{30},
                     .gap = milliseconds{100 + lane},
                     .changelog_records = 8,
                     .records = 20,
                     .bytes = 2'000});
    const AwaitedBatch batch{.received_ms = 99'000, .records = 10};
    one.figures.add({&batch, 1}, 99'200);
    status.lanes.push_back(std::move(one));
  }
  return status;
}

TEST(Metrics, SayWhatTheStatusSays) {
  const auto found = samples(text_of(busy()));
  const std::map<std::string, double> expected = {
      {R"(rfmstream_build_info{version="1.2.3"})", 1},
      {"process_open_fds", 7},
      {"rfmstream_ready", 1},
      {R"(rfmstream_phase{phase="running"})", 1},
      {R"(rfmstream_phase{phase="starting"})", 0},
      {R"(rfmstream_rebuilds_total{reaction="rebuild"})", 3},
      {R"(rfmstream_lane_idle_seconds{lane="1"})", 1.5},
      {R"(rfmstream_records_total{outcome="applied"})", 20},
      {R"(rfmstream_records_total{outcome="dead_letter"})", 0},
      {R"(rfmstream_dead_letters_total{reason="key_missing"})", 0},
      {R"(rfmstream_transitions_total{segmentation="rfm",reason="purchase",actionable="true"})", 2},
      {R"(rfmstream_commit_duration_seconds_bucket{le="0.02"})", 0},
      {R"(rfmstream_commit_duration_seconds_bucket{le="0.05"})", 2},
      {R"(rfmstream_commit_duration_seconds_bucket{le="+Inf"})", 2},
      {"rfmstream_commit_duration_seconds_count", 2},
      {"rfmstream_commit_bytes_sum", 4'000},
      {"rfmstream_event_to_commit_seconds_count", 20},
      {"rfmstream_event_to_commit_seconds_sum", 4},
      {"rfmstream_commit_gap_max_seconds", .101},
      {"rfmstream_state_disk_free_bytes", 5'000'000},
      {"rfmstream_changelog_records_total", 16},
      {R"(rfmstream_partition_lag_records{partition="0"})", 5},
      {R"(rfmstream_partition_held_records{partition="0"})", 2},
      {R"(rfmstream_partition_lag_seconds{partition="0"})", 60},
      {R"(rfmstream_partition_watermark_timestamp_seconds{partition="0"})", 30},
      {R"(rfmstream_partition_epoch{partition="0"})", 11},
      {R"(rfmstream_resident_customers{partition="0"})", 3},
      {"rfmstream_model_version", 4},
      {"rfmstream_model_age_seconds", 20},
      {"rfmstream_model_held_seconds", 0},
  };
  for (const auto& [name, value] : expected) {
    ASSERT_TRUE(found.contains(name)) << name;
    EXPECT_DOUBLE_EQ(found.at(name), value) << name;
  }
  EXPECT_FALSE(found.contains(R"(rfmstream_partition_epoch{partition="1"})"))
      << "a partition that held no record has no clock";
}

// Each refit holds its clusters anew and makes a version: the model's age says nothing of it.
TEST(Metrics, HeldClustersAreAsOldAsTheFirstOfThem) {
  ServiceStatus status = busy();
  status.model_held_since = from_ms(4'000);
  EXPECT_EQ(samples(text_of(status)).at("rfmstream_model_held_seconds"), 26);
  EXPECT_FALSE(samples(text_of(ServiceStatus{})).contains("rfmstream_model_held_seconds"));
}

// A sample of 0 would call somebody to brokers that nobody uses.
TEST(Metrics, AStoredStateSaysNothingOfBrokers) {
  ServiceStatus status;
  status.phase = ServicePhase::kRunning;
  EXPECT_EQ(samples(text_of(status)).at("rfmstream_broker_answers"), 0);
  status.is_stored = true;
  EXPECT_FALSE(samples(text_of(status)).contains("rfmstream_broker_answers"));
}

// Counters are the process's: a pipeline that is rebuilt, and owns nothing, takes none back.
TEST(Metrics, NoCounterFallsWhenTheLifeOfAPipelineEnds) {
  ServiceStatus status = busy();
  const auto before = samples(text_of(status));
  status.disown(ServicePhase::kRebuilding, "the broker is gone");
  const auto after = samples(text_of(status));
  for (const auto& [name, value] : before) {
    if (name.find("_total") == std::string::npos && name.find("_count") == std::string::npos)
      continue;
    ASSERT_TRUE(after.contains(name)) << name;
    EXPECT_GE(after.at(name), value) << name;
  }
}

TEST(Metrics, AreThoseOfTheDocumentation) {
  const char* const source = std::getenv("RFM_SOURCE_DIR");
  ASSERT_NE(source, nullptr);
  std::ifstream file(std::string(source) + "/docs/operations.md");
  std::multiset<std::string> documented;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("| `rfmstream_") || line.starts_with("| `process_"))
      documented.insert(line);
  }
  std::multiset<std::string> exported;
  std::istringstream lines(text_of(ServiceStatus{}));
  std::string help;
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, std::regex("# HELP (\\S+) (.*)"))) help = match[2];
    if (std::regex_match(line, match, std::regex("# TYPE (\\S+) (\\S+)")))
      exported.insert(fmt::format("| `{}` | {} | {} |", match[1].str(), match[2].str(), help));
  }
  EXPECT_EQ(documented, exported);
}

}  // namespace
}  // namespace rfm
