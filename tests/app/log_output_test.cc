// Goal: each line of a JSON log is one JSON object, whatever the message holds.
#include "stream/app/log_output.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <rapidjson/document.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "stream/app/run_command.h"
#include "stream/app/serve_command.h"
#include "tests/app/command_line.h"

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

void add_run(CLI::App& app, Invocation& invocation) { add_run_command(app, invocation, nullptr); }

// What a command that fails writes to standard error until its end, as main does it.
std::string failing(AddCommand add, std::vector<std::string> arguments) {
  CLI::App app;
  Invocation invocation;
  add(app, invocation);
  std::reverse(arguments.begin(), arguments.end());  // As CLI11 takes them.
  app.parse(arguments);
  testing::internal::CaptureStderr();
  const absl::Status status = invocation.run();
  EXPECT_NE(exit_code(status, invocation.log_format), 0);
  std::string said = testing::internal::GetCapturedStderr();
  log_to_standard_error("warn");
  return said;
}

TEST(JsonLog, TheFailureOfAServiceIsALineOfItAndSaidOnce) {
  const std::string json = "log.format=json";
  const std::string run = failing(add_run, {"run", "--accept-loss", "x", "--set", json});
  EXPECT_STREQ(parsed(run)["level"].GetString(), "critical");
  const std::string serve = failing(add_serve_command, {"serve", "--state", "none", "--set", json});
  EXPECT_STREQ(parsed(serve)["level"].GetString(), "critical");
  EXPECT_TRUE(failing(add_run, {"run", "--accept-loss", "x"}).starts_with("rfmstream: "));
}

}  // namespace
}  // namespace rfm
