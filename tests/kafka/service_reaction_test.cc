// Goal: the service answers each way in which a life of its pipeline can end as it must: it begins
// again, restores from the changelog, or ends and says why; and a stop is answered in between. What
// is committed is there once in the end.
// Method: the service itself on the real broker. Its host fails lives on purpose, and its commits
// are watched, so that rivals and delays come at a chosen step. (What becomes of an input that is
// gone, made anew or cut: stop_test.py, topics_test.py. The policy itself: reaction_test.cc.)
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "stream/kafka/kafka_producer.h"
#include "stream/run/reaction.h"
#include "stream/run/service.h"
#include "tests/fake/any_rules.h"
#include "tests/kafka/kafka_application.h"

namespace rfm {
namespace {

constexpr std::chrono::seconds kDeadline{90};
const EventTime kSale = from_ms(1'704'103'200'000);

// Answers with `answers`, one a life, then that all is well; stops when `records` are read and
// committed, or when it is held back.
class ScriptedHost final : public AnyRules<ServiceHost> {
 public:
  ScriptedHost(std::uint64_t records, std::vector<absl::Status> answers)
      : records_(records), answers_(std::move(answers)) {}

  // Once a life.
  absl::StatusOr<ReadRules> read_rules(const std::map<std::string, std::string>& logged) override {
    const std::size_t life = lives_++;
    if (life + 1 == stop_in_life_) stop_ = true;
    if (life < answers_.size() && !answers_[life].ok()) return answers_[life];
    return AnyRules::read_rules(logged);
  }
  bool should_stop() override { return stop_ || deadline_.passed(); }
  void on_status(const ServiceStatus& status) override {
    last_ = status;
    if (status.caught_up && status.counters.records == records_) stop_ = true;
    if (status.held_back) stop_ = true;
  }
  void on_rules(const std::map<std::string, std::string>& /*newest*/) override {}

  void stop_in_life(std::size_t life) { stop_in_life_ = life; }
  std::size_t lives() const { return lives_; }
  const ServiceStatus& last() const { return last_; }  // When the service has ended.

 private:
  std::uint64_t records_;
  std::vector<absl::Status> answers_;
  const Deadline deadline_{kDeadline};
  std::size_t stop_in_life_ = 0;  // From 1; 0: none.
  std::atomic<std::size_t> lives_ = 0;
  std::atomic<bool> stop_ = false;
  ServiceStatus last_;
};

// Does something at the first commits of the process, when their records are handed over.
class AtCommit final : public CommitObserver {
 public:
  AtCommit(int commits, std::function<void()> act) : left_(commits), act_(std::move(act)) {}

  void on_step(CommitStep step) override {
    if (step == CommitStep::kProduced && left_-- > 0) act_();
  }

 private:
  int left_;
  std::function<void()> act_;
};

class ServiceReactions : public testing::Test {
 protected:
  ServiceReactions()
      : kafka_(new_application(1)), directory_(testing::TempDir() + kafka_.application) {}
  ~ServiceReactions() override {
    for (const auto& entry : std::filesystem::directory_iterator(testing::TempDir())) {
      if (entry.path().string().starts_with(directory_)) std::filesystem::remove_all(entry.path());
    }
  }

  // The first start logs the rules, which are checked from then on.
  void SetUp() override {
    write_invoice(kafka_, "a", kSale);
    ScriptedHost host(1, {});
    const absl::Status ended = run(host);
    ASSERT_TRUE(ended.ok()) << ended;
    write_invoice(kafka_, "b", kSale);
  }

  absl::Status run(ScriptedHost& host, CommitObserver* observer = nullptr) {
    ServiceOptions options = service_options(kafka_, directory_);
    options.observer = observer;
    return run_service(options, host, clock_);
  }

  // Each customer's transitions are there, once.
  void expect_transitions_of(const std::set<std::string>& customers) {
    std::set<KeyValue> seen;
    std::set<std::string> found;
    for (const KeyValue& record : read_committed(kafka_, kafka_.transitions_topic)) {
      EXPECT_TRUE(seen.insert(record).second) << record.first;
      found.insert(record.first);
    }
    EXPECT_EQ(found, customers);
  }

  std::size_t directories_aside() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(testing::TempDir())) {
      const std::string path = entry.path().string();
      count += path.starts_with(directory_) && path != directory_ ? 1U : 0U;
    }
    return count;
  }

  const KafkaOptions kafka_;
  const std::string directory_;
  const SystemClock clock_;
};

TEST_F(ServiceReactions, WhatPassesIsRebuilt) {
  ScriptedHost host(2, {absl::UnavailableError("no broker"), absl::AbortedError("rebalanced")});
  const absl::Status ended = run(host);
  EXPECT_TRUE(ended.ok()) << ended;
  EXPECT_EQ(host.lives(), 3U);
  expect_transitions_of({"a", "b"});
}

TEST_F(ServiceReactions, WhatIsRestoredIsNotReadAgain) {
  for (const std::uint64_t read : {1U, 0U}) {
    ScriptedHost host(2, {});
    const absl::Status ended = run(host);
    EXPECT_TRUE(ended.ok()) << ended;
    EXPECT_EQ(host.last().counters.records, 2U);
    EXPECT_EQ(host.last().records, read);
  }
}

TEST_F(ServiceReactions, WhatIsHeldBackIsBehind) {
  const KafkaOptions kafka = new_application(1);
  constexpr int kUnusable = 150;
  write_numbers(kafka, kafka.input_topic, 0, 0, kUnusable);
  ScriptedHost host(kUnusable, {});
  const absl::Status ended =
      run_service(service_options(kafka, directory_ + "-held"), host, clock_);
  EXPECT_TRUE(ended.ok()) << ended;
  EXPECT_TRUE(host.last().held_back);
  EXPECT_EQ(host.last().records_behind, kUnusable + 1);  // With the end of their transaction.
}

TEST_F(ServiceReactions, AnErrorNobodyForesawEndsItAfterItsLimit) {
  ScriptedHost host(2, std::vector<absl::Status>(10, absl::InternalError("a riddle")));
  const absl::Status ended = run(host);
  EXPECT_EQ(ended.code(), absl::StatusCode::kInternal) << ended;
  EXPECT_NE(ended.message().find("a riddle"), std::string::npos) << ended;
  EXPECT_EQ(host.lives(), std::size_t{kUnforeseenRebuildsMax} + 1);
  expect_transitions_of({"a"});
  // Once it is mended nothing is lost.
  ScriptedHost mended(2, {});
  EXPECT_TRUE(run(mended).ok());
  expect_transitions_of({"a", "b"});
}

TEST_F(ServiceReactions, WhatOnlyPeopleMendEndsItAtOnce) {
  ScriptedHost host(2, {absl::FailedPreconditionError("rules differ")});
  EXPECT_EQ(run(host), absl::FailedPreconditionError("rules/1: rules differ"));
  EXPECT_EQ(host.lives(), 1U);
}

TEST_F(ServiceReactions, DamagedStateIsSetAsideAndRestored) {
  ScriptedHost host(2, {absl::DataLossError("checksum")});
  const absl::Status ended = run(host);
  EXPECT_TRUE(ended.ok()) << ended;
  EXPECT_EQ(host.lives(), 2U);
  EXPECT_EQ(directories_aside(), 1U);
  expect_transitions_of({"a", "b"});
}

TEST_F(ServiceReactions, AStopIsAnsweredInAPauseBetweenLives) {
  ScriptedHost host(2, std::vector<absl::Status>(10, absl::UnavailableError("no broker")));
  host.stop_in_life(2);
  const absl::Status ended = run(host);
  EXPECT_EQ(host.lives(), 2U);
  EXPECT_EQ(ended, absl::UnavailableError("rules/1: no broker"));
}

TEST_F(ServiceReactions, AStopIsAnsweredWhateverEndsALife) {
  for (const absl::Status& status :
       {absl::InternalError("a riddle"), absl::PermissionDeniedError("fenced"),
        absl::DeadlineExceededError("open for 12 s"), absl::DataLossError("checksum"),
        absl::FailedPreconditionError("rules differ")}) {
    SCOPED_TRACE(status.ToString());
    ScriptedHost host(3, std::vector<absl::Status>(10, status));
    host.stop_in_life(1);
    const absl::Status ended = run(host);
    EXPECT_TRUE(ended.ok() || ended.code() == status.code()) << ended;
    EXPECT_LE(host.lives(), 2U);
  }
}

TEST_F(ServiceReactions, ARivalOnceIsRebuiltTwiceEndsIt) {
  const std::array<std::string, 1> topics = {kafka_.transitions_topic};
  const auto fence = [&] {
    const auto rival = KafkaProducer::open(kafka_, lane_name(kafka_), topics, nullptr, nullptr);
    EXPECT_TRUE(rival.ok()) << rival.status();
  };
  AtCommit once(1, fence);
  ScriptedHost host(2, {});
  absl::Status ended = run(host, &once);
  EXPECT_TRUE(ended.ok()) << ended;
  EXPECT_EQ(host.lives(), 2U);
  expect_transitions_of({"a", "b"});
  write_invoice(kafka_, "c", kSale);
  AtCommit always(100, fence);
  ScriptedHost fenced(3, {});
  ended = run(fenced, &always);
  EXPECT_EQ(ended.code(), absl::StatusCode::kPermissionDenied) << ended;
  EXPECT_NE(ended.message().find("nother process runs as"), std::string::npos) << ended;
  EXPECT_EQ(fenced.lives(), 2U);
  expect_transitions_of({"a", "b"});
}

TEST_F(ServiceReactions, AnOwnTransactionThatTimedOutIsRebuilt) {
  // A rival who came twice would end it.
  AtCommit slow(2, [&] {
    // Beyond its timeout, and beyond the moment at which the broker sees that.
    const Deadline over(2 * kafka_.transaction_timeout);
    while (!over.passed()) std::this_thread::sleep_for(kafka_.transaction_timeout / 20);
  });
  ScriptedHost host(2, {});
  const absl::Status ended = run(host, &slow);
  EXPECT_TRUE(ended.ok()) << ended;
  EXPECT_EQ(host.lives(), 3U);
  expect_transitions_of({"a", "b"});
}

}  // namespace
}  // namespace rfm
