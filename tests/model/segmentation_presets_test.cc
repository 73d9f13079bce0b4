// Goal: every preset is the published map that its note names, cell by cell.
// Method: the tables are written down here as their sources have them (the notebook, the packages),
// not as the presets do.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "model/segmentation.h"
#include "model/segmentation_map.h"

namespace rfm {
namespace {

Segmentation preset(std::string_view name) {
  absl::StatusOr<Segmentation> made = Segmentation::create(*find_preset(name));
  EXPECT_TRUE(made.ok()) << name << ": " << made.status();
  return *std::move(made);
}

std::string segment_at(const Segmentation& segmentation, std::vector<int> scores) {
  const std::vector<std::uint8_t> narrow(scores.begin(), scores.end());
  return segmentation.spec().segments[segmentation.segment_of(segmentation.cell_of(narrow))].name;
}

using Rows = std::array<std::array<const char*, 5>, 5>;  // R = 5 first, FM (or F) = 1 first.

// Over all 125 cells, by FM.
void expect_rows(const Segmentation& segmentation, const Rows& rows) {
  for (int r = 1; r <= 5; ++r) {
    for (int f = 1; f <= 5; ++f) {
      for (int m = 1; m <= 5; ++m) {
        const auto fm = static_cast<std::size_t>(std::ceil((f + m) / 2.0));
        EXPECT_EQ(segment_at(segmentation, {r, f, m}),
                  rows[static_cast<std::size_t>(5 - r)][fm - 1])
            << r << f << m;
      }
    }
  }
}

TEST(Presets, AreValidDescribedAndDamped) {
  std::set<std::string_view> names;
  for (const std::string_view name : preset_names()) {
    const Segmentation made = preset(name);
    EXPECT_TRUE(names.insert(name).second);
    EXPECT_FALSE(preset_note(name).empty()) << name;
    EXPECT_EQ(made.spec(), *find_preset(name)) << name;  // Already as create() makes it.
    EXPECT_TRUE(made.spec().guard) << name;
    EXPECT_GT(made.spec().stay_ms, 0) << name;
    std::set<int> ranks;
    int without_action = 0;
    for (const SegmentInfo& info : made.spec().segments) {
      EXPECT_FALSE(info.description.empty()) << name << " " << info.name;
      EXPECT_TRUE(ranks.insert(info.rank).second) << name << " " << info.name;
      without_action += info.actions.empty() ? 1 : 0;
    }
    EXPECT_LE(without_action, 2) << name;
  }
  EXPECT_EQ(find_preset("nothing"), nullptr);
  EXPECT_EQ(preset_note("nothing"), "");
}

TEST(Presets, ActionsAreBoundToADirection) {
  const std::map<std::string, MoveKind> expected = {{"Champions", MoveKind::kUpOrFirst},
                                                    {"Loyal", MoveKind::kUpOrFirst},
                                                    {"Potential Loyalist", MoveKind::kUpOrFirst},
                                                    {"New", MoveKind::kUpOrFirst},
                                                    {"Need Attention", MoveKind::kDown},
                                                    {"About to Sleep", MoveKind::kDown},
                                                    {"At Risk", MoveKind::kDown},
                                                    {"Can't Lose", MoveKind::kDown},
                                                    {"Hibernating", MoveKind::kDown},
                                                    {"Occasional", MoveKind::kDown},
                                                    {"Dormant high-value", MoveKind::kDown},
                                                    {"Medium", MoveKind::kDown},
                                                    {"High", MoveKind::kDown}};
  for (const Segmentation& segmentation : Segmentations::defaults().all()) {
    for (const SegmentInfo& info : segmentation.spec().segments) {
      EXPECT_EQ(info.actions.empty(), info.name == "Promising" || info.name == "Low") << info.name;
      for (const SegmentAction& action : info.actions)
        EXPECT_EQ(action.on, expected.at(info.name)) << info.name;
    }
  }
}

TEST(Presets, RfmIsTheGridButOnePurchaseIsNew) {
  const Segmentation rfm = preset("rfm");
  const Rows grid = {{
      {"New", "Potential Loyalist", "Potential Loyalist", "Champions", "Champions"},
      {"Promising", "Potential Loyalist", "Potential Loyalist", "Loyal", "Loyal"},
      {"About to Sleep", "About to Sleep", "Need Attention", "Loyal", "Loyal"},
      {"Hibernating", "Hibernating", "At Risk", "At Risk", "Can't Lose"},
      {"Hibernating", "Hibernating", "At Risk", "At Risk", "Can't Lose"},
  }};
  for (int r = 1; r <= 5; ++r) {
    for (int f = 1; f <= 5; ++f) {
      for (int m = 1; m <= 5; ++m) {
        const auto fm = static_cast<std::size_t>(std::ceil((f + m) / 2.0));
        std::string expected = grid[static_cast<std::size_t>(5 - r)][fm - 1];
        if (f == 1 && r >= 4) expected = r == 4 && m == 1 ? "Promising" : "New";
        EXPECT_EQ(segment_at(rfm, {r, f, m}), expected) << r << f << m;
      }
    }
  }
  std::vector<std::string> by_rank;
  std::vector<SegmentInfo> segments = rfm.spec().segments;
  std::ranges::sort(segments, std::greater{}, &SegmentInfo::rank);
  for (const SegmentInfo& info : segments) by_rank.push_back(info.name);
  EXPECT_EQ(by_rank, (std::vector<std::string>{"Champions", "Loyal", "Potential Loyalist", "New",
                                               "Promising", "Need Attention", "About to Sleep",
                                               "Can't Lose", "At Risk", "Hibernating"}));
}

// The notebook's seg_map: regular expressions over the digits of R and F.
TEST(Presets, GridIsTheNotebooksSegMap) {
  const Segmentation grid = preset("grid");
  for (int r = 1; r <= 5; ++r) {
    for (int f = 1; f <= 5; ++f) {
      std::string expected;
      if (r <= 2 && f <= 2) expected = "Hibernating";
      if (r <= 2 && (f == 3 || f == 4)) expected = "At Risk";
      if (r <= 2 && f == 5) expected = "Can't Lose";
      if (r == 3 && f <= 2) expected = "About to Sleep";
      if (r == 3 && f == 3) expected = "Need Attention";
      if ((r == 3 || r == 4) && f >= 4) expected = "Loyal";
      if (r == 4 && f == 1) expected = "Promising";
      if (r == 5 && f == 1) expected = "New";
      if (r >= 4 && (f == 2 || f == 3)) expected = "Potential Loyalist";
      if (r == 5 && f >= 4) expected = "Champions";
      EXPECT_EQ(segment_at(grid, {r, f}), expected) << r << f;
    }
  }
}

TEST(Presets, QuintilesHaveTheSixSegmentsOfTheNotebook) {
  const Segmentation quintiles = preset("quintiles");
  std::set<std::string> names;
  for (const SegmentInfo& info : quintiles.spec().segments) names.insert(info.name);
  EXPECT_EQ(names, (std::set<std::string>{"Champions", "Loyal", "Potential Loyalist", "New",
                                          "At Risk", "Cannot Lose"}));
  const Segmentation tiers = preset("tiers");
  EXPECT_EQ(tiers.axes()[0].cuts.quantity, Quantity::kValue);
  EXPECT_EQ(segment_at(tiers, {4}), "Platinum");
  EXPECT_EQ(segment_at(tiers, {3}), "Gold");
  EXPECT_EQ(segment_at(tiers, {2}), "Silver");
  EXPECT_EQ(segment_at(tiers, {1}), "Bronze");
}

TEST(Presets, OverallScoresHaveTheTwoReadingsOfTheNotebook) {
  const Segmentation value = preset("overall-value");
  const Segmentation engagement = preset("overall-engagement");
  // By the OverallScore 0 to 9; the first reading ends at 8, the second begins at 1 and ends at 8.
  const std::array<const char*, 10> first = {"Low Value",  "Low Value",  "Low Value",  "Mid Value",
                                             "Mid Value",  "High Value", "High Value", "High Value",
                                             "High Value", "High Value"};
  const std::array<const char*, 10> second = {
      "Low Engagement", "Low Engagement", "Low Engagement", "Low Engagement", "Average",
      "Average",        "Average",        "Loyal",          "Loyal",          "Loyal"};
  for (int r = 0; r <= 3; ++r) {
    for (int f = 0; f <= 3; ++f) {
      for (int m = 0; m <= 3; ++m) {
        const auto overall = static_cast<std::size_t>(r + f + m);
        EXPECT_EQ(segment_at(value, {r + 1, f + 1, m + 1}), first[overall]);
        EXPECT_EQ(segment_at(engagement, {r + 1, f + 1, m + 1}), second[overall]);
      }
    }
  }
  for (const Axis& axis : value.axes()) {
    EXPECT_EQ(axis.cuts.method, CutMethod::kBreaks);
    EXPECT_EQ(axis.cuts.bins, 4);
    EXPECT_TRUE(axis.cuts.bounds.empty());
  }
}

struct PublishedRow {
  const char* segment;
  std::array<int, 2> r;
  std::array<int, 2> f;
  std::array<int, 2> m;

  bool covers(int r_score, int f_score, int m_score) const {
    return r[0] <= r_score && r_score <= r[1] && f[0] <= f_score && f_score <= f[1] &&
           m[0] <= m_score && m_score <= m[1];
  }
};

TEST(Presets, PutlerIsTheNarrowestPublishedRow) {
  const Segmentation putler = preset("putler");
  // Segment, R, FM (twice) as published, 0-5.
  const std::vector<PublishedRow> rows = {{"Champions", {4, 5}, {4, 5}, {}},
                                          {"Loyal", {2, 5}, {3, 5}, {}},
                                          {"Potential Loyalist", {3, 5}, {1, 3}, {}},
                                          {"Recent", {4, 5}, {0, 1}, {}},
                                          {"Promising", {3, 4}, {0, 1}, {}},
                                          {"Needing Attention", {2, 3}, {2, 3}, {}},
                                          {"About To Sleep", {2, 3}, {0, 2}, {}},
                                          {"At Risk", {0, 2}, {2, 5}, {}},
                                          {"Can't Lose", {0, 1}, {4, 5}, {}},
                                          {"Hibernating", {1, 2}, {1, 2}, {}},
                                          {"Lost", {0, 2}, {0, 2}, {}}};
  for (int r = 1; r <= 5; ++r) {
    for (int fm = 1; fm <= 5; ++fm) {
      std::string expected;
      int narrowest = 1000;
      for (const PublishedRow& row : rows) {
        if (r < row.r[0] || r > row.r[1] || fm < row.f[0] || fm > row.f[1]) continue;
        const auto width = [](std::array<int, 2> range) {  // Within 1-5.
          return range[1] - std::max(range[0], 1) + 1;
        };
        const int cells = width(row.r) * width(row.f);
        if (cells >= narrowest) continue;
        narrowest = cells;
        expected = row.segment;
      }
      EXPECT_EQ(segment_at(putler, {r, fm, fm}), expected) << r << " " << fm;
    }
  }
}

TEST(Presets, RfmRIsTheFirstPublishedRowAndElseOthers) {
  const Segmentation rfm_r = preset("rfm-r");
  const std::vector<PublishedRow> rows = {{"Champions", {5, 5}, {5, 5}, {5, 5}},
                                          {"Potential Loyalist", {3, 5}, {3, 5}, {2, 5}},
                                          {"Loyal", {2, 4}, {2, 4}, {2, 4}},
                                          {"Promising", {3, 4}, {1, 3}, {3, 5}},
                                          {"New", {4, 5}, {1, 3}, {1, 5}},
                                          {"Can't Lose", {1, 2}, {3, 4}, {4, 5}},
                                          {"At Risk", {1, 2}, {2, 5}, {4, 5}},
                                          {"Need Attention", {1, 3}, {3, 5}, {3, 5}},
                                          {"About To Sleep", {2, 3}, {1, 3}, {1, 4}},
                                          {"Lost", {1, 1}, {1, 5}, {1, 5}}};
  int others = 0;
  int champions = 0;
  for (int r = 1; r <= 5; ++r) {
    for (int f = 1; f <= 5; ++f) {
      for (int m = 1; m <= 5; ++m) {
        const auto row = std::ranges::find_if(
            rows, [&](const PublishedRow& each) { return each.covers(r, f, m); });
        const std::string segment = segment_at(rfm_r, {r, f, m});
        EXPECT_EQ(segment, row == rows.end() ? "Others" : row->segment) << r << f << m;
        others += segment == "Others" ? 1 : 0;
        champions += segment == "Champions" ? 1 : 0;
      }
    }
  }
  EXPECT_EQ(others, 10);
  EXPECT_EQ(champions, 1);
}

TEST(Presets, PymcHasThePublishedCodes) {
  const Segmentation pymc = preset("pymc");
  const std::map<std::string, std::string> codes = {
      {"Premium", "333 334 343 344 433 434 443 444"},
      {"Repeat", "143 232 233 234 243 244 332"},
      {"Top Spender", "124 133 134 144 224 313 314 323 324 413 414 423 424"},
      {"At Risk", "122 123 132 212 214 222 223 312 322 412 422"},
      {"Inactive", "111 112 113 114 211 311 411"}};
  int others = 0;
  for (int r = 1; r <= 4; ++r) {
    for (int f = 1; f <= 4; ++f) {
      for (int m = 1; m <= 4; ++m) {
        const std::string code = std::to_string(100 * r + 10 * f + m);
        std::string expected = "Other";
        for (const auto& [segment, list] : codes) {
          if (list.find(code) != std::string::npos) expected = segment;
        }
        EXPECT_EQ(segment_at(pymc, {r, f, m}), expected) << code;
        others += expected == "Other" ? 1 : 0;
      }
    }
  }
  EXPECT_EQ(others, 18);
}

// Shopify publishes words: very recent, recent, not recent; many orders and most spend, and so on.
TEST(Presets, ShopifyFollowsThePublishedWords) {
  const Segmentation shopify = preset("shopify");
  expect_rows(shopify,
              {{
                  {"New", "Active", "Active", "Champions", "Champions"},
                  {"Promising", "Active", "Active", "Loyal", "Loyal"},
                  {"Promising", "Needs Attention", "Needs Attention", "Loyal", "Loyal"},
                  {"Almost Lost", "Almost Lost", "Almost Lost", "At Risk", "Previously Loyal"},
                  {"Dormant", "Dormant", "Dormant", "At Risk", "Previously Loyal"},
              }});
}

TEST(Presets, ValueRiskFallsByRisk) {
  const Segmentation value_risk = preset("value-risk");
  EXPECT_EQ(segment_at(value_risk, {3, 3}), "High value, low risk");
  EXPECT_EQ(segment_at(value_risk, {3, 1}), "High value, high risk");
  EXPECT_EQ(segment_at(value_risk, {1, 2}), "Low value, medium risk");
  const auto rank = [&](int tier, int band) {
    const std::string name = segment_at(value_risk, {tier, band});
    return std::ranges::find(value_risk.spec().segments, name, &SegmentInfo::name)->rank;
  };
  for (int tier = 1; tier <= 3; ++tier) {
    for (int band = 1; band <= 2; ++band) EXPECT_LT(rank(tier, band), rank(tier, band + 1));
  }
}

TEST(MapGrid, ShowsTheWholeMap) {
  EXPECT_EQ(map_grid(*find_preset("churn")),
            "  risk = 3  Low\n  risk = 2  Medium\n  risk = 1  High\n");
  EXPECT_EQ(map_grid(*find_preset("overall-engagement")).substr(0, 25),
            "  overall = 9  Loyal\n  ov");
  const std::string grid = map_grid(*find_preset("grid"));
  EXPECT_EQ(
      grid.substr(0, grid.find("\n  4")),
      "  r \\ f  1               2                   3                   4          5\n"
      "  5      New             Potential Loyalist  Potential Loyalist  Champions  Champions");
  EXPECT_NE(map_grid(*find_preset("rfm")).find("m = 2:\n"), std::string::npos);
  EXPECT_EQ(map_grid(*find_preset("cluster")), "");
}

}  // namespace
}  // namespace rfm
