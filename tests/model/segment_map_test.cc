// Goal: a segment map that can be made is total and disjoint over all 125 cells; any other is
// refused with its cell.
#include "model/segment_map.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace rfm {
namespace {

Scores scores(int r, int f, int m) {
  return {static_cast<std::uint8_t>(r), static_cast<std::uint8_t>(f), static_cast<std::uint8_t>(m)};
}

std::string error_of(const std::vector<SegmentRule>& rules, const std::vector<SegmentInfo>& infos) {
  const absl::StatusOr<SegmentMap> map = SegmentMap::create(rules, infos);
  return map.ok() ? "" : std::string(map.status().message());
}

SegmentInfo plain(std::string name, int rank) { return {std::move(name), rank, "", ""}; }

TEST(SegmentMap, GridGivesTheDocumentedSegments) {
  const SegmentMap& map = SegmentMap::grid();
  const auto name = [&](int r, int f, int m) { return map.name(map.segment_of(scores(r, f, m))); };
  EXPECT_EQ(name(5, 5, 5), "Champions");
  EXPECT_EQ(name(5, 3, 4), "Champions");  // FM = 4: halves go up.
  EXPECT_EQ(name(5, 1, 1), "New");
  EXPECT_EQ(name(4, 1, 1), "Promising");
  EXPECT_EQ(name(4, 1, 2), "Potential Loyalist");
  EXPECT_EQ(name(3, 3, 3), "Need Attention");
  EXPECT_EQ(name(3, 2, 1), "About to Sleep");
  EXPECT_EQ(name(2, 5, 4), "Can't Lose");
  EXPECT_EQ(name(1, 4, 4), "At Risk");
  EXPECT_EQ(name(1, 1, 1), "Hibernating");
  EXPECT_EQ(map.size(), 10U);
}

TEST(SegmentMap, EverySegmentOfTheGridHasTextsAndItsOwnRank) {
  const SegmentMap& map = SegmentMap::grid();
  std::set<int> ranks;
  for (std::size_t i = 0; i < map.size(); ++i) {
    const SegmentInfo& info = map.info(static_cast<std::uint8_t>(i));
    EXPECT_FALSE(info.description.empty()) << info.name;
    EXPECT_FALSE(info.action.empty()) << info.name;
    EXPECT_TRUE(ranks.insert(info.rank).second) << info.name;
  }
}

TEST(SegmentMap, RefusesAnEmptyCell) {
  SegmentRule rule{"Loyal", {2, 5}, {}, {}, {}};
  EXPECT_EQ(error_of({rule}, {}), "cell R=1 F=1 M=1 (FM=1) belongs to no segment");
}

TEST(SegmentMap, RefusesADoubleCell) {
  const std::vector<SegmentRule> rules = {{"Loyal", {}, {}, {}, {}},
                                          {"Champions", {5, 5}, {5, 5}, {5, 5}, {}}};
  EXPECT_EQ(error_of(rules, {}),
            "cell R=5 F=5 M=5 (FM=5) is claimed twice: by \"Loyal\" and by \"Champions\"");
}

TEST(SegmentMap, RefusesARuleThatReachesNoCell) {
  const std::vector<SegmentRule> rules = {{"Loyal", {}, {}, {}, {}},
                                          {"New", {}, {1, 1}, {1, 1}, {5, 5}}};
  EXPECT_EQ(error_of(rules, {}), "entry 2 (\"New\") reaches no cell");
}

TEST(SegmentMap, RefusesAnUnknownSegmentWithoutRank) {
  EXPECT_NE(error_of({{"VIP", {}, {}, {}, {}}}, {}).find("\"VIP\" is not known"),
            std::string::npos);
  EXPECT_EQ(error_of({{"VIP", {}, {}, {}, {}}}, {plain("VIP", 1)}), "");
}

TEST(SegmentMap, RefusesADescribedSegmentWithoutCells) {
  EXPECT_EQ(error_of({{"Loyal", {}, {}, {}, {}}}, {plain("VIP", 1)}),
            "segment \"VIP\" is described but no cell has it");
}

TEST(SegmentMap, RefusesReservedNamesAndWrongRanges) {
  EXPECT_NE(error_of({{"none", {}, {}, {}, {}}}, {plain("none", 1)}).find("reserved"),
            std::string::npos);
  EXPECT_NE(error_of({{"Loyal", {0, 5}, {}, {}, {}}}, {}).find("r is 0-5"), std::string::npos);
  EXPECT_NE(error_of({{"Loyal", {}, {}, {}, {4, 6}}}, {}).find("fm is 4-6"), std::string::npos);
}

TEST(SegmentMap, TheInfoGivenWinsOverTheCatalogue) {
  const absl::StatusOr<SegmentMap> map =
      SegmentMap::create({{"Loyal", {}, {}, {}, {}}}, {{"Loyal", 7, "d", "a"}});
  ASSERT_TRUE(map.ok());
  EXPECT_EQ(map->info(0).rank, 7);
  EXPECT_EQ(map->info(0).action, "a");
}

// Any map of rules is either refused or answers every cell with the one rule that covers it.
RC_GTEST_PROP(SegmentMapProperty, AMapThatLoadsIsTotalAndDisjoint, ()) {
  const auto range =
      rc::gen::map(rc::gen::pair(rc::gen::inRange(1, 6), rc::gen::inRange(1, 6)), [](auto pair) {
        return ScoreRange{static_cast<std::uint8_t>(std::min(pair.first, pair.second)),
                          static_cast<std::uint8_t>(std::max(pair.first, pair.second))};
      });
  // Two cuts through the cube give blocks that fit together; now and then one block is changed.
  const int cut_r = *rc::gen::inRange(1, 5);
  const int cut_fm = *rc::gen::inRange(1, 5);
  const auto low = [](int cut) { return ScoreRange{1, static_cast<std::uint8_t>(cut)}; };
  const auto high = [](int cut) { return ScoreRange{static_cast<std::uint8_t>(cut + 1), 5}; };
  std::vector<SegmentRule> rules = {{"a", low(cut_r), {}, {}, {}},
                                    {"b", high(cut_r), {}, {}, low(cut_fm)},
                                    {"c", high(cut_r), {}, {}, high(cut_fm)}};
  if (*rc::gen::inRange(0, 2) == 1) rules[0].r = *range;
  const absl::StatusOr<SegmentMap> map =
      SegmentMap::create(rules, {plain("a", 1), plain("b", 2), plain("c", 3)});
  bool total = true;
  for (int r = 1; r <= 5; ++r) {
    for (int f = 1; f <= 5; ++f) {
      for (int m = 1; m <= 5; ++m) {
        int covering = 0;
        std::string segment;
        for (const SegmentRule& rule : rules) {
          const int fm = (f + m + 1) / 2;
          if (r < rule.r.low || r > rule.r.high || fm < rule.fm.low || fm > rule.fm.high) continue;
          ++covering;
          segment = rule.segment;
        }
        total = total && covering == 1;
        if (map.ok()) RC_ASSERT(map->name(map->segment_of(scores(r, f, m))) == segment);
      }
    }
  }
  RC_ASSERT(map.ok() == total);
}

TEST(SegmentCatalog, RanksClustersAndBands) {
  const std::vector<std::pair<std::string, int>> ranks = {
      {"Champions", 50},
      {"Silent, one purchase, top spend", 45},
      {"Loyal", 40},
      {"Recent, many purchases, high spend (7)", 35},
      {"Occasional", 30},
      {"Dormant high-value", 20},
      {"Recent, repeat purchases, low spend", 15},
      {"Hibernating", 10}};
  for (const auto& [name, rank] : ranks) EXPECT_EQ(cluster_segment(name).rank, rank) << name;
  EXPECT_EQ(cluster_segment("Silent, many purchases, top spend (2)").description,
            "Silent for longer, many purchases, spend far above the average customer's.");
  EXPECT_EQ(cluster_segment("Cluster 1"), (SegmentInfo{}));
  EXPECT_GT(churn_segment(ChurnBand::kLow).rank, churn_segment(ChurnBand::kHigh).rank);
  EXPECT_FALSE(cluster_segment("Dormant high-value").action.empty());
}

}  // namespace
}  // namespace rfm
