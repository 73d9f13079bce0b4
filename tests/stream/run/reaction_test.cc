// Goal: each way in which a life of the pipeline ends has its reaction, no error loops for ever,
// and no outage that passes ends the service.
#include "stream/run/reaction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "stream/kafka/kafka_group.h"
#include "stream/run/topic_check.h"

namespace rfm {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr ReactionPolicy::Time kStart{};

ReactionPolicy::Decision after(ReactionPolicy& policy, const absl::Status& status,
                               ReactionPolicy::Time now = kStart, milliseconds lived = {}) {
  return policy.decide({.status = status, .lived = lived}, now);
}

TEST(ReactionPolicy, AnOrderlyEndIsTheEnd) {
  ReactionPolicy policy("app-0-0");
  const auto decision = after(policy, absl::OkStatus());
  EXPECT_EQ(decision.reaction, Reaction::kEnd);
  EXPECT_TRUE(decision.status.ok());
}

TEST(ReactionPolicy, AStopEndsItWhateverWentWrong) {
  ReactionPolicy policy("app-0-0");
  const absl::Status lost = absl::UnavailableError("no broker");
  const auto failed =
      policy.decide({.status = lost, .stop_asked = true, .lived = seconds(1)}, kStart);
  EXPECT_EQ(failed.reaction, Reaction::kEnd);
  EXPECT_EQ(failed.status, lost);
  // Nothing was owned yet, so nothing waits to be committed; a refusal is one all the same.
  const auto before = policy.decide({.status = lost, .stop_asked = true}, kStart);
  EXPECT_EQ(before.reaction, Reaction::kEnd);
  EXPECT_TRUE(before.status.ok());
  const absl::Status refused = absl::FailedPreconditionError("other rules");
  EXPECT_EQ(policy.decide({.status = refused, .stop_asked = true}, kStart).status, refused);
  // A restore that a stop cut short had nothing to commit.
  const auto cut = policy.decide(
      {.status = absl::CancelledError("stopped while reading"), .stop_asked = true}, kStart);
  EXPECT_EQ(cut.reaction, Reaction::kEnd);
  EXPECT_TRUE(cut.status.ok());
}

TEST(ReactionPolicy, ForeseenErrorsAreRebuiltWithGrowingPausesUpToALimit) {
  ReactionPolicy policy("app-0-0");
  milliseconds longest = kRebuildPauseFirst;
  for (int i = 0; i < kRebuildsMax; ++i) {
    const auto decision = after(policy, absl::UnavailableError("no broker"));
    ASSERT_EQ(decision.reaction, Reaction::kRebuild) << i;
    EXPECT_GE(decision.pause, longest / 2);
    EXPECT_LE(decision.pause, longest);
    longest = std::min(2 * longest, kRebuildPauseMax);
  }
  const auto last = after(policy, absl::UnavailableError("no broker"));
  EXPECT_EQ(last.reaction, Reaction::kEnd);
  EXPECT_NE(last.status.message().find("no broker"), std::string::npos);
  EXPECT_NE(last.status.message().find("rebuilds in a row"), std::string::npos);
}

TEST(ReactionPolicy, AnErrorNobodyForesawDoesNotLoop) {
  for (const absl::Status& status : {absl::InternalError("?"), absl::UnknownError("?")}) {
    ReactionPolicy policy("app-0-0");
    for (int i = 0; i < kUnforeseenRebuildsMax; ++i)
      ASSERT_EQ(after(policy, status).reaction, Reaction::kRebuild) << i;
    const auto last = after(policy, status);
    EXPECT_EQ(last.reaction, Reaction::kEnd);
    EXPECT_EQ(last.status.code(), status.code());
  }
}

TEST(ReactionPolicy, AHealthyLifeEndsARowOfFailures) {
  ReactionPolicy policy("app-0-0");
  for (int i = 0; i < 10 * kRebuildsMax; ++i) {
    const auto decision = after(policy, absl::InternalError("?"), kStart, kHealthyAfter);
    ASSERT_EQ(decision.reaction, Reaction::kRebuild);
    ASSERT_LE(decision.pause, kRebuildPauseFirst);
  }
}

TEST(ReactionPolicy, ARivalThatStaysEndsIt) {
  ReactionPolicy policy("app-0-0");
  const absl::Status fenced = absl::PermissionDeniedError("fenced");
  EXPECT_EQ(after(policy, fenced, kStart).reaction, Reaction::kRebuild);
  EXPECT_EQ(after(policy, fenced, kStart + minutes(2)).reaction, Reaction::kRebuild);
  const auto last = after(policy, fenced, kStart + minutes(2) + seconds(5));
  EXPECT_EQ(last.reaction, Reaction::kEnd);
  EXPECT_EQ(last.status, fenced);
}

TEST(ReactionPolicy, AnOwnTransactionThatTimedOutIsNoRival) {
  ReactionPolicy policy("app-0-0");
  const absl::Status timed_out = absl::DeadlineExceededError("open for 12 s");
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(after(policy, timed_out, kStart + seconds(i)).reaction, Reaction::kRebuild);
}

TEST(ReactionPolicy, DamagedStateIsSetAsideOnce) {
  ReactionPolicy policy("app-0-0");
  EXPECT_EQ(after(policy, absl::DataLossError("checksum")).reaction, Reaction::kSetAside);
  EXPECT_EQ(after(policy, absl::UnavailableError("no broker")).reaction, Reaction::kRebuild);
  EXPECT_EQ(after(policy, absl::DataLossError("checksum")).reaction, Reaction::kEnd);
}

TEST(ReactionPolicy, ATopicThatIsGoneIsWaitedFor) {
  ReactionPolicy policy("app-0-0");
  for (int i = 0; i < 2 * kRebuildsMax; ++i) {
    const auto decision =
        policy.decide({.status = absl::NotFoundError("gone"), .topic_gone = true}, kStart);
    ASSERT_EQ(decision.reaction, Reaction::kAwaitTopics);
  }
}

TEST(ReactionPolicy, APositionThatIsGoneWhileRunningIsForTheNextStartToExplain) {
  ReactionPolicy policy("app-0-0");
  const absl::Status gone = absl::OutOfRangeError("offset");
  EXPECT_EQ(after(policy, gone, kStart, seconds(1)).reaction, Reaction::kRebuild);
  EXPECT_EQ(after(policy, gone).reaction, Reaction::kEnd);
}

TEST(ReactionPolicy, WhatOnlyPeopleMendEndsItAtOnce) {
  for (const absl::Status& status :
       {absl::FailedPreconditionError("rules differ"), absl::NotFoundError("no topic"),
        absl::InvalidArgumentError("setting"), absl::ResourceExhaustedError("disk full"),
        absl::OutOfRangeError("offset")}) {
    ReactionPolicy policy("app-0-0");
    const auto decision = after(policy, status);
    EXPECT_EQ(decision.reaction, Reaction::kEnd) << status;
    EXPECT_EQ(decision.status, status);
  }
}

TEST(ReactionPolicy, InstancesThatFailTogetherDoNotComeBackTogether) {
  std::vector<milliseconds> pauses;
  for (int instance = 0; instance < 20; ++instance) {
    ReactionPolicy policy("app-" + std::to_string(instance) + "-0");
    pauses.push_back(after(policy, absl::UnavailableError("no broker")).pause);
  }
  std::ranges::sort(pauses);
  const auto repeated = std::ranges::unique(pauses);
  EXPECT_LT(repeated.size(), 10U);
}

TEST(GroupMembers, LanesOfThisInstanceAreNotForeign) {
  KafkaOptions options;
  options.application = "app";
  options.instance = "a";
  EXPECT_EQ(instance_id_of("app-a-0-1aae93fc-db80-44c7-a878-09b62601dc3c"), "app-a-0");
  EXPECT_EQ(instance_id_of("console-consumer"), "console-consumer");
  EXPECT_EQ(foreign_member({}, options), std::nullopt);
  EXPECT_EQ(foreign_member({{"app-a-0", "/h"}, {"app-a-11", "/h"}}, options), std::nullopt);
  for (const char* const name : {"app-b-0", "app-a-b-0", "app-a-", "rdkafka"}) {
    const auto found = foreign_member({{"app-a-0", "/h"}, {name, "/other"}}, options);
    ASSERT_TRUE(found) << name;
    EXPECT_EQ(found->host, "/other");
  }
}

TEST(TopicCheck, AChangedPartitionCountNamesBothAndTheWayOn) {
  KafkaOptions options;
  options.application = "app";
  options.input_topic = "invoices";
  const absl::Status status = partitions_changed(options, 8, 12);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  for (const char* const part : {"invoices has 12 partitions", "app was started with 8",
                                 "another app.name", "do not give them more partitions"}) {
    EXPECT_NE(status.message().find(part), std::string::npos) << part << "\n" << status.message();
  }
}

}  // namespace
}  // namespace rfm
