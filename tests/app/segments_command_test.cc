// Goal: `segments` shows what is in force and every preset, as a table and as settings.
#include "stream/app/segments_command.h"

#include <gtest/gtest.h>

#include "config/checked_settings.h"
#include "model/segmentation.h"
#include "tests/app/command_line.h"

namespace rfm {
namespace {

absl::Status segments(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "segments");
  return run_command(add_segments_command, std::move(arguments));
}

std::string shown(std::vector<std::string> arguments) {
  testing::internal::CaptureStdout();
  const absl::Status status = segments(std::move(arguments));
  std::string text = testing::internal::GetCapturedStdout();
  EXPECT_TRUE(status.ok()) << status;
  return text;
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

TEST(SegmentsCommand, ListsWhatIsInForceAndAllPresets) {
  const std::string text = shown(
      {"list", "--set", "segmentation.churn.stay=1d", "--set", "segmentation.mine.preset=putler"});
  for (const std::string_view name : preset_names())
    EXPECT_TRUE(has(text, "\n" + std::string(name) + " ")) << name;
  EXPECT_TRUE(has(text, "\nchurn               yes       3         risk (3)")) << text;
  EXPECT_TRUE(has(text, "\nmine                yes       10        r (5), f (5), m (5)")) << text;
  EXPECT_TRUE(has(text, "\nputler              -         10")) << text;
  EXPECT_TRUE(has(text, "changed by the")) << text;
}

TEST(SegmentsCommand, ShowsOneWithAxesSegmentsAndMap) {
  const std::string text = shown({"show", "rfm"});
  EXPECT_TRUE(has(text, "stay 8d; silence never up")) << text;
  EXPECT_TRUE(has(text, "r     recency    0.1     quantiles in 5, cuts within 30d-60d,")) << text;
  EXPECT_TRUE(has(text, "m     monetary   0.1     quantiles in 5; at first 99.9999,")) << text;
  EXPECT_TRUE(has(text, "down: if churn is Low: no incentive")) << text;
  EXPECT_TRUE(has(text, "At Risk             30    lost  ")) << text;
  EXPECT_TRUE(has(text, "m = 1:\n  r \\ f  1 ")) << text;
  EXPECT_TRUE(has(shown({"show", "cluster"}), "hysteresis 0.2; recency at least 21d"));
  EXPECT_TRUE(has(shown({"show", "churn"}), "  risk = 1  High\n"));
  for (const std::string_view name : preset_names()) {
    std::istringstream lines(shown({"show", std::string(name)}));
    bool is_map = false;  // Its columns are as wide as its names.
    for (std::string line; std::getline(lines, line);) {
      is_map = is_map || line.starts_with("  ") || line.ends_with(":");
      EXPECT_TRUE(is_map || line.size() <= 100) << line;
    }
  }
}

TEST(SegmentsCommand, WhatShowPrintsAsSettingsIsTheSame) {
  const TestDirectory directory;
  const std::string path = directory.file("a.toml");
  for (const std::string_view name : preset_names()) {
    std::ofstream(path) << shown({"show", std::string(name), "--toml"});
    const absl::StatusOr<Settings> settings = load_settings(path, {}, {});
    ASSERT_TRUE(settings.ok()) << settings.status();
    const absl::StatusOr<Segmentations> all = settings->segmentations();
    EXPECT_EQ((*all)[all->find(name)].spec(), *find_preset(name)) << name;
  }
}

TEST(SegmentsCommand, RefusesWhatThereIsNot) {
  const absl::Status status = segments({"show", "putle"});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(has(std::string(status.message()),
                  "there is no segmentation putle; there are churn, cluster"));
  EXPECT_EQ(segments({}).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace rfm
