// Goal: what a replay leaves depends on its input and on nothing that happened before: how often
// the input had grown, what it was asked to read until, and where a process died.
// Method: generated histories in a file that grows at random places, replayed each time with the
// same state and with none; compare output and state byte for byte.
#include "stream/run/replay.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "state/rocksdb_state_store.h"
#include "stream/decode/csv_layout.h"
#include "stream/generate/generated_records.h"
#include "stream/text/time_text.h"
#include "tests/fake/any_rules.h"

namespace rfm {
namespace {

constexpr std::int64_t kWallMs = 1'800'000'000'000;

// Some time passes at each look, so that commits are many. Ends the process, as kill -9 does, at
// the look `dies_at`.
class RushingClock final : public Clock {
 public:
  explicit RushingClock(std::int64_t dies_at = 0) : dies_at_(dies_at) {}

  std::int64_t wall_ms() const override { return kWallMs; }
  std::chrono::steady_clock::time_point steady() const override {
    if (++looks_ == dies_at_) ::kill(::getpid(), SIGKILL);
    return std::chrono::steady_clock::time_point{std::chrono::milliseconds{9 * looks_}};
  }
  std::int64_t looks() const { return looks_; }

 private:
  std::int64_t dies_at_;
  mutable std::int64_t looks_ = 0;
};

std::string read_file(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

// What a replay has left. No order between customers is promised.
struct Left {
  std::map<std::string, std::string> transitions;  // Each customer's lines.
  std::string dead_letters;
  std::string model_log;
  std::map<std::string, std::string> segments;  // The last line of each customer.
  std::map<std::string, std::string> rows;
  PartitionMeta meta;
};

TrainingOptions small_training() {
  return {.cluster_count = 3,
          .cluster_history_ms = std::int64_t{5} * 86'400'000,
          .challenger_count = 2,
          .population_on = 20,
          .population_off = 15,
          .churn_weeks = 4};
}

class ReplayTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "rfmstream-replay-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void write_input(std::string_view text) const {
    std::ofstream(directory_ / "input", std::ios::binary) << text;
  }

  ReplayOptions options(InputFormat format, const std::string& name) const {
    ReplayOptions options;
    options.input = directory_ / "input";
    options.format = format;
    options.state_directory = directory_ / (name + ".state");
    options.output_directory = directory_ / (name + ".output");
    options.received_ms = kWallMs;
    options.lane.commit_interval_behind = options.lane.commit_interval;
    options.lane.batch_records = 40;
    options.rules_reader = &rules_;
    return options;
  }

  static absl::Status run(const ReplayOptions& options, const Clock& clock) {
    const absl::StatusOr<std::unique_ptr<Replay>> replay = Replay::open(options, clock);
    return replay.ok() ? (*replay)->run({}) : replay.status();
  }
  static absl::Status run(const ReplayOptions& options) { return run(options, RushingClock()); }

  Left left(const ReplayOptions& options) const {
    const std::filesystem::path output = options.output_directory;
    Left left;
    left.dead_letters = read_file(output / "dead-letters.jsonl");
    left.model_log = read_file(output / "model.jsonl");
    const auto key_of = [](const std::string& line) {
      return line.substr(0, line.find(",\"headers\""));
    };
    std::ifstream transitions(output / "transitions.jsonl");
    for (std::string line; std::getline(transitions, line);)
      left.transitions[key_of(line)] += line + "\n";
    std::ifstream segments(output / "segments.jsonl");
    for (std::string line; std::getline(segments, line);) left.segments[key_of(line)] = line;
    const absl::StatusOr<std::unique_ptr<StateStore>> store = open_rocksdb_store(
        {.directory = options.state_directory, .access = StoreAccess::kReadOnly});
    EXPECT_TRUE(store.ok()) << store.status();
    if (!store.ok()) return left;
    const auto add = [&](std::string_view key, std::string_view value) {
      left.rows.emplace(key, value);
      return absl::OkStatus();
    };
    EXPECT_TRUE((*store)->scan(StoreKind::kRow, 0, add).ok());
    const absl::StatusOr<std::optional<PartitionMeta>> meta = read_meta(**store, 0);
    EXPECT_TRUE(meta.ok()) << meta.status();
    if (meta.ok() && *meta) left.meta = **meta;
    return left;
  }

  // With no state before it.
  Left fresh(ReplayOptions options) {
    options.state_directory = directory_ / ("fresh.state." + std::to_string(fresh_));
    options.output_directory = directory_ / ("fresh.output." + std::to_string(fresh_++));
    const absl::Status ran = run(options);
    EXPECT_TRUE(ran.ok()) << ran;
    return left(options);
  }

  std::filesystem::path directory_;
  mutable AnyRules<RulesReader> rules_{{.rules = {}, .training = small_training()}};
  int fresh_ = 0;
};

void expect_same(const Left& expected, const Left& actual) {
  EXPECT_TRUE(expected.transitions == actual.transitions);
  EXPECT_TRUE(expected.dead_letters == actual.dead_letters);
  EXPECT_TRUE(expected.model_log == actual.model_log);
  EXPECT_TRUE(expected.segments == actual.segments);
  EXPECT_TRUE(expected.rows == actual.rows);
  EXPECT_TRUE(same_progress(expected.meta, actual.meta));
}

std::string history(std::uint64_t seed, InputFormat format) {
  GeneratedRecords records({.customers = 60,
                            .days = 60,
                            .seed = seed,
                            .hours = TradingHours::kRoundTheClock,
                            .late_share = .05,
                            .tombstones = 3},
                           {.format = format, .bad_share = .02});
  std::string text = format == InputFormat::kCsv ? std::string(kOnlineRetailHeader) + "\n" : "";
  while (const auto record = records.next()) {
    if (!record->value) {
      text += R"({"key":")" + std::string(record->key) + R"(","headers":{},"value":null})" + "\n";
    } else if (format == InputFormat::kInvoices || record->value->find('\n') == std::string::npos) {
      text += std::string(*record->value) + "\n";
    }
  }
  return text;
}

EventTime day(std::int64_t days) {
  return GeneratorOptions().start + std::chrono::hours{24 * days};
}

// Some weeks stand before others.
std::string out_of_order(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line + "\n");
  const auto quarter = static_cast<std::ptrdiff_t>(lines.size() / 4);
  std::rotate(lines.begin() + quarter, lines.begin() + 2 * quarter, lines.end() - quarter);
  std::string result;
  for (const std::string& line : lines) result += line;
  return result;
}

// In a process of its own, which dies at the look `dies_at` or comes through. How many looks that
// took; 0: it died.
std::int64_t live(const ReplayOptions& options, const std::filesystem::path& note,
                  std::int64_t dies_at) {
  const pid_t child = ::fork();
  if (child == 0) {
    const RushingClock clock(dies_at);
    const absl::StatusOr<std::unique_ptr<Replay>> replay = Replay::open(options, clock);
    const bool done = replay.ok() && (*replay)->run({}).ok();
    std::ofstream(note) << clock.looks() << std::flush;
    ::_exit(done ? 0 : 1);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  if (WIFSIGNALED(status)) return 0;
  EXPECT_EQ(status, 0);
  return std::stoll(read_file(note));
}

// The first test: where RocksDB has had threads nothing may be forked any more.
TEST_F(ReplayTest, KilledAnywhereItGoesOnAsIfItHadNotBeen) {
  std::mt19937_64 random(11);
  const std::string whole = out_of_order(history(11, InputFormat::kLines));
  ReplayOptions killed = options(InputFormat::kLines, "killed");
  std::size_t length = whole.size() / 3;
  write_input(std::string_view(whole).substr(0, length));
  const std::filesystem::path note = directory_ / "looks";
  const auto looks = static_cast<std::uint64_t>(live(killed, note, 0));
  ASSERT_GT(looks, 50U);
  int deaths = 0;
  for (int i = 0; i < 24; ++i) {
    if (i % 3 == 2) length += random() % (whole.size() - length) / 3;
    write_input(std::string_view(whole).substr(0, length));
    killed.until = random() % 2 == 0 ? std::optional(day(58)) : std::nullopt;
    // Most have little to do.
    const auto dies_at = static_cast<std::int64_t>(random() % looks / (1 + random() % 8));
    if (live(killed, note, 1 + dies_at) == 0) ++deaths;
  }
  EXPECT_GE(deaths, 8);
  ASSERT_GT(live(killed, note, 0), 0);
  const Left left_by_many = left(killed);
  expect_same(fresh(killed), left_by_many);
}

TEST_F(ReplayTest, AFileThatHasGrownGivesWhatOneRunGives) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed=" << seed);
    std::mt19937_64 random(seed);
    const auto format = static_cast<InputFormat>(seed % 3);
    const std::string whole = history(seed, format);
    ReplayOptions grown = options(format, "grown" + std::to_string(seed));
    Rules windowed;
    windowed.window = std::chrono::hours{24 * 20};
    AnyRules<RulesReader> windowed_rules{{.rules = windowed, .training = small_training()}};
    if (seed % 2 == 0) grown.rules_reader = &windowed_rules;
    std::size_t length = 200;
    for (int step = 0; step < 4; ++step) {
      SCOPED_TRACE(testing::Message() << "step=" << step);
      // Anywhere in a line, or as it was before.
      if (step != 2) length += random() % (whole.size() - length);
      if (step == 3) length = whole.size();
      write_input(std::string_view(whole).substr(0, length));
      const absl::Status ran = run(grown);
      ASSERT_TRUE(ran.ok()) << ran;
      const Left expected = fresh(grown);
      EXPECT_FALSE(expected.rows.empty());
      expect_same(expected, left(grown));
    }
    EXPECT_FALSE(left(grown).transitions.empty());
  }
}

TEST_F(ReplayTest, NothingNewGivesTheSameAgain) {
  const ReplayOptions same = options(InputFormat::kLines, "same");
  write_input(history(7, InputFormat::kLines));
  ASSERT_TRUE(run(same).ok());
  const Left first = left(same);
  ASSERT_TRUE(run(same).ok());
  expect_same(first, left(same));
}

// What was left out by one `until` is read by the replay that goes on.
TEST_F(ReplayTest, GoesOnFromUntilInWhateverOrderRecordsStand) {
  for (const InputFormat format : {InputFormat::kInvoices, InputFormat::kLines}) {
    SCOPED_TRACE(testing::Message() << "format=" << static_cast<int>(format));
    ReplayOptions goes_on = options(format, "until" + std::to_string(static_cast<int>(format)));
    write_input(out_of_order(history(8, format)));
    std::uint64_t records = 0;
    for (const std::int64_t days : {10, 25, 40, 400}) {
      SCOPED_TRACE(days);
      goes_on.until = days < 400 ? std::optional(day(days)) : std::nullopt;
      const absl::Status ran = run(goes_on);
      ASSERT_TRUE(ran.ok()) << ran;
      const Left now = left(goes_on);
      expect_same(fresh(goes_on), now);
      EXPECT_GT(now.meta.counters.records, records);
      records = now.meta.counters.records;
      if (goes_on.until) {
        EXPECT_EQ(now.meta.watermark, *goes_on.until);
      }
    }
    const std::string input = read_file(directory_ / "input");
    EXPECT_EQ(records, static_cast<std::uint64_t>(std::ranges::count(input, '\n')));
  }
}

TEST_F(ReplayTest, ReadsAllRecordsBeforeUntil) {
  const auto invoice = [](const std::string& number, EventTime time) {
    return R"({"type":"invoice","invoice_no":")" + number + R"(","customer_id":"c)" + number +
           R"(","invoice_time":")" + to_rfc3339(time) + R"(","currency":"GBP","total":"1"})" + "\n";
  };
  const std::string bad = "{\n";
  const std::string erasure = R"({"key":"c1","headers":{},"value":null})" + std::string("\n");
  write_input(invoice("1", day(1)) + bad + invoice("2", day(20)) + bad + erasure +
              invoice("3", day(2)) + bad + invoice("4", day(10)) + invoice("5", day(9)));
  ReplayOptions before = options(InputFormat::kInvoices, "before");
  before.until = day(10);
  ASSERT_TRUE(run(before).ok());
  const Left found = left(before);
  EXPECT_EQ(found.meta.counters.applied, 3U);
  EXPECT_EQ(found.meta.counters.dead_lettered_total(), 2U) << "what has no time goes with the "
                                                              "record before it";
  EXPECT_EQ(found.meta.counters.erased, 0U);
  EXPECT_EQ(found.meta.counters.records, 5U);
  EXPECT_EQ(found.meta.max_event_time, day(9));
  EXPECT_EQ(found.rows.size(), 3U);
}

TEST_F(ReplayTest, OneThatIsRefusedLeavesEverythingAsItIs) {
  ReplayOptions refused = options(InputFormat::kInvoices, "refused");
  write_input(history(9, InputFormat::kInvoices));
  ASSERT_TRUE(run(refused).ok());
  const Left before = left(refused);
  refused.until = day(30);
  EXPECT_EQ(run(refused).code(), absl::StatusCode::kFailedPrecondition);
  expect_same(before, left(refused));
}

}  // namespace
}  // namespace rfm
