// Goal: `run` says often enough how far it is, and no rate that it did not have.
#include "stream/app/status_log.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "tests/fake/manual_clock.h"

namespace rfm {
namespace {

using std::chrono::seconds;

ServiceStatus after(std::uint64_t records, std::uint64_t commits) {
  ServiceStatus status;
  status.counters.records = 1000 + records;  // A thousand were restored.
  status.records = records;
  status.commits.commits = commits;
  status.partitions_owned = 1;
  return status;
}

TEST(StatusLog, ALineEveryTenSecondsWhileSomethingIsCommitted) {
  ManualClock clock(0);
  StatusLog log(clock);
  clock.pass(seconds{9});
  EXPECT_EQ(log.due(after(500, 5)), std::nullopt);
  clock.pass(seconds{1});
  EXPECT_EQ(log.due(after(500, 5)).value_or("").substr(0, 28), "1,500 records (50/s), 0 behi");
  EXPECT_EQ(log.due(after(600, 6)), std::nullopt);
}

TEST(StatusLog, OneAMinuteWhileNothingIs) {
  ManualClock clock(0);
  StatusLog log(clock);
  for (int minute = 0; minute < 3; ++minute) {
    clock.pass(seconds{59});
    EXPECT_EQ(log.due(after(0, 0)), std::nullopt);
    clock.pass(seconds{1});
    EXPECT_EQ(log.due(after(0, 0)).value_or("").substr(0, 20), "1,000 records (0/s),");
  }
}

TEST(StatusLog, ARebuiltPipelineCountsFromZero) {
  ManualClock clock(0);
  StatusLog log(clock);
  clock.pass(seconds{10});
  log.line(after(500, 5));
  clock.pass(seconds{10});
  EXPECT_EQ(log.line(after(100, 1)).substr(0, 21), "1,100 records (10/s),");
}

TEST(StatusLog, TellsHowFarItIsBehindInEventTime) {
  ManualClock clock(0);
  StatusLog log(clock);
  ServiceStatus status = after(100, 1);
  status.records_behind = 7;
  status.broker_ms = 1'000'000'000;
  status.partitions = {{.partition = 0,
                        .records_behind = 5,
                        .started = true,
                        .event_time = from_ms(1'000'000'000 - 9 * 360'000)},
                       {.partition = 1,
                        .records_behind = 0,  // At its end, however long ago that was.
                        .started = true,
                        .event_time = from_ms(0)}};
  EXPECT_NE(log.line(status).find(", 7 behind (54.0 min), event time"), std::string::npos);
  status.partitions[1].records_behind = 2;
  EXPECT_NE(log.line(status).find(", 7 behind (11.6 d), event time"), std::string::npos);
  status.broker_ms = std::nullopt;
  EXPECT_NE(log.line(status).find(", 7 behind, event time"), std::string::npos);
}

// Goal: without a broker it does not look as if it had read all there is.
TEST(StatusLog, SaysThatItOwnsNothing) {
  ManualClock clock(0);
  StatusLog log(clock);
  clock.pass(seconds{60});
  ServiceStatus status = after(100, 1);
  EXPECT_EQ(log.line(status).find("owns no partition"), std::string::npos);
  status.partitions_owned = 0;
  EXPECT_NE(log.line(status).find("owns no partition"), std::string::npos);
}

}  // namespace
}  // namespace rfm
