// Goal: a service whose machine has a wrong clock moves time by the broker's, and spoils nothing.
// Method: the service itself on the real broker, with a clock three years ahead.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>

#include "state/rocksdb_state_store.h"
#include "stream/format/tick.h"
#include "stream/run/service.h"
#include "tests/fake/any_rules.h"
#include "tests/kafka/kafka_application.h"

namespace rfm {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::hours kAhead{24 * 365 * 3};
constexpr std::chrono::seconds kDeadline{60};

class LaterClock : public Clock {
 public:
  explicit LaterClock(milliseconds by) : by_(by) {}
  std::int64_t wall_ms() const override { return system_.wall_ms() + by_.count(); }
  std::chrono::steady_clock::time_point steady() const override { return system_.steady(); }
  const Clock& right() const { return system_; }

 private:
  milliseconds by_;
  SystemClock system_;
};

ServiceOptions ticking(const KafkaOptions& kafka, const std::string& directory) {
  ServiceOptions options = service_options(kafka, directory);
  options.lane.tick_idle = milliseconds{100};
  return options;
}

Rules without_lateness() {
  Rules rules;
  rules.lateness = Duration{0};
  return rules;
}

// Ends the service at three records. The third is written when the other two have their transitions
// and a tick's.
class ThreeRecords final : public AnyRules<ServiceHost> {
 public:
  ThreeRecords(const KafkaOptions& kafka, const Clock& right)
      : AnyRules({.rules = without_lateness(), .training = {}}), kafka_(kafka), right_(right) {}

  bool should_stop() override { return done_ || deadline_.passed(); }
  void on_status(const ServiceStatus& status) override {
    last_ = status;
    if (!ticked_ && status.counters.transitions > 6) {
      ticked_ = true;
      write_invoice(kafka_, "c", from_ms(right_.wall_ms()));
    }
    done_ = status.counters.records == 3;
  }
  void on_rules(const std::map<std::string, std::string>& /*newest*/) override {}

  const ServiceStatus& last() const { return last_; }

 private:
  const KafkaOptions& kafka_;
  const Clock& right_;
  const Deadline deadline_{kDeadline};
  ServiceStatus last_;
  bool ticked_ = false;
  std::atomic<bool> done_ = false;
};

// R of the first customer falls when the purchase is 30 days old, which it is in some seconds; the
// second one's has brought the partition's clock to now.
TEST(ServiceClock, AWrongWallClockMovesNothingAndIsSaid) {
  const KafkaOptions kafka = new_application(1);
  const std::string ticks = topic_names(kafka).ticks;
  const std::string directory = testing::TempDir() + kafka.application;
  const LaterClock clock(kAhead);
  const EventTime start = from_ms(clock.right().wall_ms());
  const EventTime due = start + milliseconds{5'000};
  write_invoice(kafka, "a", due - std::chrono::days{30});
  write_invoice(kafka, "b", start);
  ThreeRecords host(kafka, clock.right());
  const absl::Status ended = run_service(ticking(kafka, directory), host, clock);
  EXPECT_TRUE(ended.ok()) << ended;
  std::filesystem::remove_all(directory);
  EXPECT_EQ(host.last().counters.applied, 3U);
  EXPECT_EQ(host.last().counters.dead_lettered_total(), 0U);
  EXPECT_EQ(host.last().clock_jumps, 1U);
  const std::vector<KeyValue> logged = read_committed(kafka, ticks);
  EXPECT_FALSE(logged.empty());
  for (const KeyValue& record : logged)
    EXPECT_LE(decode_tick(*record.second)->time, from_ms(clock.right().wall_ms()));
}

TEST(ServiceClock, TicksWithoutTheBrokersTimeAreRefused) {
  const KafkaOptions kafka = new_application(1);
  KafkaOptions other = kafka;
  other.application += "-old";
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(other);
  ASSERT_TRUE(topics.ok()) << topics.status();
  std::vector<TopicSpec> specs = application_topics(other, {.input_partitions = 1});
  for (TopicSpec& spec : specs)
    if (spec.name == topic_names(other).ticks) spec.settings.erase("message.timestamp.type");
  ASSERT_TRUE(topics->create(specs, 1).ok());
  const std::string directory = testing::TempDir() + other.application;
  const SystemClock clock;
  ThreeRecords host(other, clock);
  const absl::Status refused = run_service(ticking(other, directory), host, clock);
  std::filesystem::remove_all(directory);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
  EXPECT_NE(refused.message().find("--add-config message.timestamp.type=LogAppendTime"),
            std::string::npos)
      << refused;
}

// Ends the service when it has applied so many records.
class Applied final : public AnyRules<ServiceHost> {
 public:
  explicit Applied(std::uint64_t records)
      : AnyRules({.rules = {}, .training = {}}), records_(records) {}

  bool should_stop() override { return done_ || deadline_.passed(); }
  void on_status(const ServiceStatus& status) override {
    last_ = status;
    done_ = status.counters.applied >= records_;
  }
  void on_rules(const std::map<std::string, std::string>& /*newest*/) override {}
  const ServiceStatus& last() const { return last_; }

 private:
  const std::uint64_t records_;
  const Deadline deadline_{kDeadline};
  ServiceStatus last_;
  std::atomic<bool> done_ = false;
};

// A customer that only the store knows stands for one whose deletion the changelog has forgotten.
TEST(ServiceClock, AStoreOlderThanTheChangelogKeepsDeletionsIsBuiltAnew) {
  const KafkaOptions kafka = new_application(1);
  const std::string directory = testing::TempDir() + kafka.application;
  const std::string older = directory + "-older";
  const SystemClock now;
  const auto serve = [&](const std::string& state, std::uint64_t applied, const Clock& clock) {
    Applied host(applied);
    const absl::Status ended = run_service(service_options(kafka, state), host, clock);
    EXPECT_TRUE(ended.ok()) << ended;
    EXPECT_EQ(host.last().counters.applied, applied);
  };
  const auto customers = [](const std::string& state) {
    std::set<std::string> found;
    const auto store = open_rocksdb_store({.directory = state});
    EXPECT_TRUE(store.ok()) << store.status();
    EXPECT_TRUE((*store)
                    ->scan(StoreKind::kRow, 0,
                           [&](std::string_view id, std::string_view /*row*/) {
                             found.emplace(id);
                             return absl::OkStatus();
                           })
                    .ok());
    return found;
  };
  const EventTime bought = from_ms(now.wall_ms()) - std::chrono::hours{1};
  write_invoice(kafka, "a", bought);
  serve(directory, 1, now);
  {
    const auto store = open_rocksdb_store({.directory = directory});
    ASSERT_TRUE(store.ok()) << store.status();
    std::string row;
    ASSERT_TRUE((*store)
                    ->scan(StoreKind::kRow, 0,
                           [&](std::string_view /*id*/, std::string_view bytes) {
                             row = bytes;
                             return absl::OkStatus();
                           })
                    .ok());
    const StoreWrite ghost{
        .kind = StoreKind::kRow, .partition = 0, .key = "forgotten", .value = row};
    ASSERT_TRUE((*store)->write(std::span(&ghost, 1)).ok());
  }
  std::filesystem::copy(directory, older, std::filesystem::copy_options::recursive);
  write_invoice(kafka, "b", bought);
  serve(directory, 2, now);
  EXPECT_EQ(customers(directory), (std::set<std::string>{"a", "b", "forgotten"}));

  write_invoice(kafka, "c", bought);
  serve(directory, 3, LaterClock(std::chrono::days{8}));
  EXPECT_EQ(customers(directory), (std::set<std::string>{"a", "b", "c", "forgotten"}))
      << "a state that is whole is no older for a pause";
  serve(older, 3, LaterClock(std::chrono::days{8}));
  EXPECT_EQ(customers(older), (std::set<std::string>{"a", "b", "c"}));
  std::filesystem::remove_all(directory);
  std::filesystem::remove_all(older);
}

}  // namespace
}  // namespace rfm
