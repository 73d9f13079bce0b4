// Goal: a probe's answer follows from the status alone, and names all that is in the way.
#include "admin/health.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace rfm {
namespace {

using std::chrono::seconds;

const std::chrono::steady_clock::time_point kNow{seconds{1'000}};

ServiceStatus running() {
  ServiceStatus status;
  status.phase = ServicePhase::kRunning;
  status.broker_answers = true;
  status.partition_count = 4;
  status.partitions_owned = 4;
  for (int lane = 0; lane < 2; ++lane)
    status.lanes.push_back(
        {.lane = lane, .turned_at = kNow - seconds{1}, .is_assigned = true, .figures = {}});
  return status;
}

ProbeContext at_now(const ServiceStatus& status, bool is_stopping = false) {
  return {.status = status, .is_stopping = is_stopping, .now = kNow, .stuck_after = seconds{60}};
}

std::vector<std::string> reasons(const ProbeContext& context) {
  std::vector<std::string> result;
  for (const Obstacle& obstacle : obstacles(context)) result.emplace_back(obstacle.reason);
  return result;
}

struct Case {
  std::string name;
  std::function<void(ServiceStatus&)> change;
  bool is_stopping = false;
  bool is_healthy = true;
  std::vector<std::string> reasons;
};

TEST(Probes, EachStateHasItsAnswer) {
  const std::vector<Case> cases = {
      {.name = "running", .change = [](ServiceStatus&) {}, .reasons = {}},
      {.name = "before anything is known",
       .change = [](ServiceStatus& s) { s = ServiceStatus{}; },
       .reasons = {"starting", "no_broker"}},
      {.name = "starting",
       .change = [](ServiceStatus& s) { s.disown(ServicePhase::kStarting, ""); },
       .reasons = {"starting"}},
      {.name = "restoring",
       .change =
           [](ServiceStatus& s) {
             s.lanes[1].is_restoring = true;
             s.lanes[1].turned_at = kNow - seconds{600};
             s.partitions_owned = 2;
           },
       .reasons = {"restoring"}},
      {.name = "broker gone",
       .change = [](ServiceStatus& s) { s.broker_answers = false; },
       .reasons = {"no_broker"}},
      {.name = "rebuilding",
       .change =
           [](ServiceStatus& s) {
             s.disown(ServicePhase::kRebuilding, "commit: timed out");
             for (LaneStatus& lane : s.lanes) lane.turned_at = kNow - seconds{600};
           },
       .reasons = {"rebuilding"}},
      {.name = "input gone",
       .change =
           [](ServiceStatus& s) { s.disown(ServicePhase::kAwaitingTopics, "the input is gone"); },
       .reasons = {"topic_gone"}},
      {.name = "partitions lost",
       .change = [](ServiceStatus& s) { s.partitions_owned = 3; },
       .reasons = {"not_assigned"}},
      {.name = "paused",
       .change = [](ServiceStatus& s) { s.lanes[0].is_held_back = true; },
       .reasons = {"held_back"}},
      {.name = "stuck",
       .change = [](ServiceStatus& s) { s.lanes[1].turned_at = kNow - seconds{60}; },
       .is_healthy = false,
       .reasons = {"stuck"}},
      {.name = "stopping",
       .change = [](ServiceStatus&) {},
       .is_stopping = true,
       .reasons = {"stopping"}},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    ServiceStatus status = running();
    test.change(status);
    const ProbeContext context = at_now(status, test.is_stopping);
    EXPECT_EQ(reasons(context), test.reasons);
    EXPECT_EQ(health(context).is_good, test.is_healthy);
    EXPECT_EQ(readiness(context).is_good, test.reasons.empty());
  }
}

TEST(Probes, AStuckLaneIsNamedWithItsSeconds) {
  ServiceStatus status = running();
  status.lanes[1].turned_at = kNow - seconds{93};
  EXPECT_EQ(health(at_now(status)).json,
            R"({"healthy":false,"phase":"running","stuck":[{"lane":1,"seconds":93}]})"
            "\n");
}

TEST(Probes, ReadinessSaysWhy) {
  ServiceStatus status = running();
  EXPECT_EQ(readiness(at_now(status)).json, "{\"ready\":true,\"reasons\":[]}\n");
  status.disown(ServicePhase::kAwaitingTopics, "the input topic \"invoices\" is gone");
  EXPECT_EQ(readiness(at_now(status)).json, R"({"ready":false,"reasons":[{"reason":"topic_gone",)"
                                            R"("detail":"the input topic \"invoices\" is gone"}]})"
                                            "\n");
}

// The text that the log has of it begins with a record's value.
TEST(Probes, WhatHoldsALaneBackIsNotQuoted) {
  ServiceStatus status = running();
  status.lanes[0].is_held_back = true;
  status.held_back = "dead letters. For example {\"customer_id\":\"jane\"}";
  EXPECT_EQ(readiness(at_now(status)).json.find("jane"), std::string::npos);
}

}  // namespace
}  // namespace rfm
