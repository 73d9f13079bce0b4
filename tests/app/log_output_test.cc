// Goal: each line of a JSON log is one JSON object, whatever the message holds.
#include "stream/app/log_output.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <rapidjson/document.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

namespace rfm {
namespace {

// The line that logging `message` writes.
std::string logged(std::string_view message) {
  std::ostringstream out;
  spdlog::logger logger("test", std::make_shared<spdlog::sinks::ostream_sink_st>(out));
  logger.set_formatter(json_log_formatter());
  logger.warn("{}", message);
  return out.str();
}

rapidjson::Document parsed(const std::string& line) {
  EXPECT_TRUE(line.ends_with("}\n")) << line;
  EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
  rapidjson::Document json;
  json.Parse(line.c_str());
  EXPECT_FALSE(json.HasParseError()) << line;
  EXPECT_TRUE(json.IsObject()) << line;
  return json;
}

TEST(JsonLog, ALineHasTimeLevelAndMessage) {
  const rapidjson::Document json = parsed(logged("all is well"));
  EXPECT_EQ(json.MemberCount(), 3U);
  EXPECT_STREQ(json["level"].GetString(), "warning");
  EXPECT_STREQ(json["message"].GetString(), "all is well");
  const std::string_view time = json["time"].GetString();
  EXPECT_TRUE(time.size() == 24 && time[10] == 'T' && time.ends_with('Z')) << time;
}

TEST(JsonLog, AnyBytesAreEscaped) {
  const std::string message = "a \"quoted\"\nline\t\\ \x01\x7f \xff\xfe caf\xc3\xa9 \xe2\x82";
  const rapidjson::Document json = parsed(logged(message));
  EXPECT_EQ(std::string(json["message"].GetString()).substr(0, 17), "a \"quoted\"\nline\t\\");
}

TEST(JsonLog, LaneAndPartitionAreReadOffTheBeginning) {
  EXPECT_EQ(parsed(logged("lane 3 is held back: x"))["lane"].GetInt(), 3);
  EXPECT_EQ(parsed(logged("partition 12: the changelog is lost"))["partition"].GetInt(), 12);
  for (const char* const other : {"lanes 3", "lane x", "a lane 3", "partitions 2", "partition"})
    EXPECT_EQ(parsed(logged(other)).MemberCount(), 3U) << other;
}

TEST(JsonLog, TheThreadOfALaneSaysItsLane) {
  std::string line;
  std::thread thread([&] {
    pthread_setname_np(pthread_self(), "lane-2");
    line = logged("partition 1 goes on");
  });
  thread.join();
  const rapidjson::Document json = parsed(line);
  EXPECT_EQ(json["lane"].GetInt(), 2);
  EXPECT_EQ(json["partition"].GetInt(), 1);
}

}  // namespace
}  // namespace rfm
