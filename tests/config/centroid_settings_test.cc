// Goal: given centroids are read, kept whole in the model log, and refused with their place where
// they are wrong; without training only what needs none is allowed.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "config/checked_settings.h"
#include "config/options.h"
#include "config/segmentation_settings.h"
#include "config/segmentation_text.h"
#include "config/settings.h"

namespace rfm {
namespace {

constexpr std::string_view kPoints = R"(
[segmentation.points]
scorer = "cluster"
centroids = [
  {segment = "Best", r = 6.46, f = 17.44, m = 7719.38},
  {segment = "Lost", r = 185, f = 1.17, m = 225.45},
  {segment = "Lost", r = 400, f = 1, m = 0},
]
scale = [1.34, 0.68, 1.26]
recency_at = "2011-12-10"
hysteresis = 0
segments = [{name = "Best", rank = 9, description = "they buy", actions = []},
            {name = "Lost", rank = 1}]
)";

absl::StatusOr<Settings> read(std::string_view toml) {
  Settings settings;
  if (absl::Status status = settings.merge_toml(toml, "a.toml"); !status.ok()) return status;
  if (absl::Status status = check_settings(settings); !status.ok()) return status;
  return settings;
}

std::string replaced(std::string_view from, std::string_view to) {
  std::string toml(kPoints);
  return toml.replace(toml.find(from), from.size(), to);
}

std::string error_of(const std::string& toml) {
  const absl::StatusOr<Settings> settings = read(toml);
  EXPECT_FALSE(settings.ok()) << toml;
  return settings.ok() ? "" : std::string(settings.status().message());
}

TEST(CentroidSettings, MakeTheSegmentationThatTheySay) {
  const absl::StatusOr<Settings> settings = read(kPoints);
  ASSERT_TRUE(settings.ok()) << settings.status();
  const Segmentations all = *settings->segmentations();
  const Segmentation& made = all[all.find("points")];
  EXPECT_TRUE(made.has_centroids());
  EXPECT_FALSE(made.is_cluster());
  EXPECT_FALSE(made.follows_silence());
  EXPECT_EQ(made.cell_count(), 3U);
  EXPECT_EQ(made.info_count(), 2U);
  EXPECT_EQ(made.segment_of(2), 1U);
  const SegmentationSpec& spec = made.spec();
  EXPECT_EQ(spec.centroids[0], (GivenCentroid{"Best", 6.46, 17.44, 7719.38}));
  EXPECT_EQ(spec.recency_at_ms, 1'323'475'200'000);
  EXPECT_EQ(spec.scale, (std::array<double, 3>{1.34, .68, 1.26}));
  // As the model log has it.
  const auto logged = segmentation_spec("points", {{"", format_segmentation(spec)}});
  ASSERT_TRUE(logged.ok()) << logged.status();
  EXPECT_EQ(*logged, spec);
}

TEST(CentroidSettings, AreComparedPartByPart) {
  const auto text = [](std::string_view toml) {
    const Segmentations all = *read(toml)->segmentations();
    return format_segmentation(all[all.find("points")].spec());
  };
  const auto differences = segmentation_differences(
      "points", text(kPoints), text(replaced("recency_at = \"2011-12-10\"\n", "")));
  ASSERT_EQ(differences.size(), 1U);
  EXPECT_EQ(differences[0].key, "segmentation.points.recency_at");
  EXPECT_EQ(differences[0].before, "2011-12-10T00:00:00.000Z");
  EXPECT_EQ(differences[0].now, "now");
}

TEST(CentroidSettings, AreRefusedWhereTheyAreWrong) {
  const auto refuses = [](std::string_view from, std::string_view to, std::string_view why) {
    const std::string message = error_of(replaced(from, to));
    EXPECT_NE(message.find(why), std::string::npos) << message;
  };
  refuses("m = 0}", "m = -1}", "has the figure -1");
  refuses("r = 400, f = 1, m = 0", "r = 6.46, f = 17.44, m = 7719.38", "where another one is");
  refuses("f = 1, m = 0", "f = 1", "a centroid is not a table such as");
  refuses("0.68, 1.26]", "0.68]", "three numbers above 0");
  refuses("0.68", "0", "three numbers above 0");
  refuses("2011-12-10", "yesterday", "\"now\", or a time");
  refuses("{name = \"Lost\", rank = 1}", "{name = \"Gone\", rank = 1}", "no centroid leads to");
  refuses("segment = \"Best\", r", "segment = \"Odd\", r", "\"Odd\" is not known");
  refuses("\"cluster\"", "\"grid\"", "is for scorer = \"cluster\" only");
  refuses("centroids = [\n", "centroids = []\nx = [\n", "x");
  EXPECT_NE(error_of("[segmentation.cluster]\nrecency_at = \"2011-12-10\"\n")
                .find("for given centroids only"),
            std::string::npos);
}

TEST(CentroidSettings, AreAmongWhatNeedsNoTraining) {
  const std::string off = "[model]\ntraining = false\n";
  const std::string message = error_of(off + std::string(kPoints));
  EXPECT_NE(message.find("segmentation.churn needs"), std::string::npos) << message;
  std::string toml = off + std::string(kPoints);
  for (const std::string_view name : {"rfm", "cluster", "churn"})
    toml += fmt::format("[segmentation.{}]\nenabled = false\n", name);
  const absl::StatusOr<Settings> settings = read(toml);
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_FALSE(training_options(*settings).schedule.trains);
  EXPECT_TRUE(training_options(Settings()).schedule.trains);
}

}  // namespace
}  // namespace rfm
