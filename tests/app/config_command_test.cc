// Goal: `config` shows where each value comes from and refuses what no other command would accept.
#include "stream/app/config_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

#include "config/checked_settings.h"
#include "config/options.h"
#include "config/settings.h"
#include "tests/app/command_line.h"

namespace rfm {
namespace {

absl::Status config(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "config");
  return run_command(add_config_command, std::move(arguments));
}

std::string shown(std::vector<std::string> arguments) {
  testing::internal::CaptureStdout();
  const absl::Status status = config(std::move(arguments));
  std::string text = testing::internal::GetCapturedStdout();
  EXPECT_TRUE(status.ok()) << status;
  return text;
}

TEST(ConfigCommand, ShowsValuesWithTheirOrigin) {
  const TestDirectory directory;
  const std::string path = directory.file("a.toml");
  std::ofstream(path) << "[model]\nclusters = 4\n";
  const std::string text =
      shown({"show", "--changed", "--config", path, "--set", "rfm.monetary=gross"});
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_NE(text.find("model.clusters"), std::string::npos);
  EXPECT_NE(text.find(path + ":2"), std::string::npos);
  EXPECT_NE(text.find("gross"), std::string::npos);
  EXPECT_NE(text.find("--set"), std::string::npos);
  const std::string all = shown({"show"});
  EXPECT_EQ(static_cast<std::size_t>(std::count(all.begin(), all.end(), '\n')),
            Settings().effective().size());
}

TEST(ConfigCommand, ShowsNoSecrets) {
  const std::string text =
      shown({"show", "--changed", "--set", "kafka.properties.sasl.password=hunter2", "--set",
             "kafka.properties.ssl.key.pem=hunter2"});
  EXPECT_NE(text.find("kafka.properties.sasl.password"), std::string::npos);
  EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
}

TEST(ConfigCommand, WhatDefaultPrintsIsAccepted) {
  const TestDirectory directory;
  const std::string path = directory.file("a.toml");
  std::ofstream(path) << shown({"default"});
  EXPECT_NE(shown({"check", "--config", path}).find("settings are valid"), std::string::npos);
}

TEST(ConfigCommand, RefusesWhatComponentsRefuse) {
  EXPECT_EQ(config({"check", "--set", "model.clusters=1"}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(config({"check", "--set", "kafka.properties.acks=0"}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(config({"check", "--set", "input.format=invoices", "--set", "input.fields.total=/a",
                    "--set", "input.fields.country=/lines/0"})
                .code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(config({"check", "--set", "kafka.properties.sasl.pasword=x"}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(config({"check", "--config", "/no/such/file"}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(config({}).code(), absl::StatusCode::kInvalidArgument);
}

TEST(Options, CarryTheSettings) {
  const absl::StatusOr<Settings> settings =
      load_settings(std::nullopt, {},
                    {"model.clusters=4", "model.cluster_history=10d", "model.refit_weekday=sunday",
                     "rfm.monetary=gross", "rfm.window=30d", "segmentation.churn.stay=1h",
                     "input.format=invoices", "input.utc_offset=-01:30", "app.name=shop",
                     "kafka.properties.security.protocol=ssl", "output.holdout=0.25",
                     "output.publish=actionable"});
  ASSERT_TRUE(settings.ok()) << settings.status();
  const TrainingOptions training = training_options(*settings);
  EXPECT_EQ(training.cluster_count, 4);
  EXPECT_EQ(training.cluster_history_ms, std::int64_t{10} * 86'400'000);
  EXPECT_EQ(training.schedule.refit_weekday, 6);
  const Rules made = rules(*settings);
  EXPECT_EQ(made.monetary, MonetaryKind::kGross);
  EXPECT_EQ(made.window, Duration{std::chrono::hours{24 * 30}});
  EXPECT_EQ(made.segmentations[made.segmentations.find("churn")].spec().stay_ms, 3'600'000);
  EXPECT_EQ(made.quiet, Duration{std::chrono::hours{24 * 7}});
  EXPECT_EQ(made.holdout_fraction, .25);
  EXPECT_EQ(made.publish, Publish::kActionable);
  const DecoderOptions decoder = decoder_options(*settings, KeyPolicy::kRequired);
  EXPECT_EQ(decoder.format, InputFormat::kInvoices);
  EXPECT_EQ(decoder.utc_offset, std::chrono::minutes{-90});
  const KafkaOptions kafka = kafka_options(*settings, 3);
  EXPECT_EQ(kafka.application, "shop");
  EXPECT_EQ(kafka.lane, 3);
  EXPECT_EQ(kafka.properties.at("security.protocol"), "ssl");
}

// The options' own defaults and the settings' are the same, so that tests without settings run what
// ships.
TEST(Options, DefaultsAreTheComponents) {
  const Settings settings;
  const Rules made = rules(settings);
  const Rules own;
  EXPECT_EQ(made.lateness, own.lateness);
  EXPECT_EQ(made.settle, own.settle);
  EXPECT_EQ(made.future_max, own.future_max);
  EXPECT_EQ(made.dedup_horizon, own.dedup_horizon);
  EXPECT_EQ(made.ledger_entries_max, own.ledger_entries_max);
  EXPECT_EQ(made.monetary, own.monetary);
  EXPECT_EQ(made.window, own.window);
  EXPECT_EQ(made.holdout_fraction, own.holdout_fraction);
  EXPECT_EQ(made.publish, own.publish);
  EXPECT_EQ(made.segmentations, own.segmentations);
  EXPECT_EQ(made.quiet, own.quiet);
  EXPECT_EQ(made.precedence, own.precedence);
  const TrainingOptions training = training_options(settings);
  const TrainingOptions own_training;
  EXPECT_EQ(training.cut_specs, own_training.cut_specs);
  EXPECT_EQ(training.cluster_count, own_training.cluster_count);
  EXPECT_EQ(training.cluster_history_ms, own_training.cluster_history_ms);
  EXPECT_EQ(training.move_min, own_training.move_min);
  EXPECT_EQ(training.schedule.refit_weekday, own_training.schedule.refit_weekday);
  EXPECT_EQ(training.challenger_count, own_training.challenger_count);
  EXPECT_EQ(training.challenger_gain, own_training.challenger_gain);
  EXPECT_EQ(training.moved_max, own_training.moved_max);
  EXPECT_EQ(training.population_on, own_training.population_on);
  EXPECT_EQ(training.population_off, own_training.population_off);
  EXPECT_EQ(training.sample_max, own_training.sample_max);
  EXPECT_EQ(training.churn_weeks, own_training.churn_weeks);
  EXPECT_EQ(training.churn_lambda, own_training.churn_lambda);
  EXPECT_EQ(training.seed, own_training.seed);
  const LaneOptions lane = lane_options(settings);
  const LaneOptions own_lane;
  EXPECT_EQ(lane.commit_interval, own_lane.commit_interval);
  EXPECT_EQ(lane.commit_interval_behind, own_lane.commit_interval_behind);
  EXPECT_EQ(lane.behind_records, own_lane.behind_records);
  EXPECT_EQ(lane.transaction_records_max, own_lane.transaction_records_max);
  EXPECT_EQ(lane.transaction_bytes_max, own_lane.transaction_bytes_max);
  const DecoderOptions decoder = decoder_options(settings, KeyPolicy::kRequired);
  EXPECT_EQ(decoder.record_bytes_max, DecoderOptions().record_bytes_max);
  EXPECT_EQ(decoder.currency, DecoderOptions().currency);
}

TEST(ConfigCommand, RefusesADirectoryAndTopicsWithTwoUses) {
  TestDirectory directory;
  const absl::Status folder = config({"check", "--config", directory.file("")});
  EXPECT_EQ(folder.code(), absl::StatusCode::kInvalidArgument) << folder;
  const absl::Status twice =
      run_command(add_config_command, {"config", "check", "--set", "output.transitions=invoices"});
  EXPECT_EQ(twice.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(twice.message().find("this one is input.topic"), std::string::npos) << twice;
}

TEST(ConfigCommand, CountsWhatDiffersNotWhatIsSet) {
  testing::internal::CaptureStdout();
  const absl::Status shown = run_command(
      add_config_command,
      {"config", "show", "--changed", "--set", "input.lateness=60s", "--set", "model.clusters=4"});
  const std::string text = testing::internal::GetCapturedStdout();
  ASSERT_TRUE(shown.ok()) << shown;
  EXPECT_EQ(text.find("input.lateness"), std::string::npos) << text;
  EXPECT_NE(text.find("model.clusters"), std::string::npos) << text;
}

TEST(Command, SaysWhatCouldNotBeWrittenAndWhatWasInterrupted) {
  EXPECT_EQ(exit_code(absl::OkStatus(), LogFormat::kText), 0);
  EXPECT_EQ(exit_code(interrupted("the test"), LogFormat::kText), 130);
  const int kept = ::dup(STDOUT_FILENO);
  const int full = ::open("/dev/full", O_WRONLY);
  std::fflush(stdout);
  ::dup2(full, STDOUT_FILENO);
  const absl::Status status = run_to_end({.run = [] {
    fmt::print("something\n");
    return absl::OkStatus();
  }});
  ::dup2(kept, STDOUT_FILENO);
  std::clearerr(stdout);
  ::close(full);
  ::close(kept);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
}

}  // namespace
}  // namespace rfm
