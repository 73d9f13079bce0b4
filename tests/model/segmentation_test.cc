// Goal: a segmentation that can be made is total and disjoint over all its cells and all of it is
// used; any other is refused with what is wrong.
#include "model/segmentation.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "model/segmentation_map.h"

namespace rfm {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;

SegmentInfo plain(std::string name, int rank = 1) {
  SegmentInfo info;
  info.name = std::move(name);
  info.rank = rank;
  return info;
}

Axis axis(std::string name, int bins, Quantity quantity = Quantity::kFrequency) {
  Axis made;
  made.name = std::move(name);
  made.cuts.quantity = quantity;
  made.cuts.bins = bins;
  return made;
}

// Two axes of 3 and 2 scores, all of it "a".
SegmentationSpec small() {
  SegmentationSpec spec;
  spec.name = "small";
  spec.axes = {axis("x", 3), axis("y", 2)};
  spec.map = {{"a", {}}};
  spec.segments = {plain("a")};
  return spec;
}

std::string error_of(const SegmentationSpec& spec) {
  const absl::StatusOr<Segmentation> made = Segmentation::create(spec);
  return made.ok() ? "" : std::string(made.status().message());
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string segment_at(const Segmentation& segmentation, const AxisScores& scores) {
  return segmentation.spec().segments[segmentation.segment_of(segmentation.cell_of(scores))].name;
}

TEST(Segmentation, CellsAndScoresAreOneToOne) {
  SegmentationSpec spec = small();
  spec.axes.push_back(axis("o", 4, Quantity::kOverdue));
  const absl::StatusOr<Segmentation> made = Segmentation::create(spec);
  ASSERT_TRUE(made.ok()) << made.status();
  ASSERT_EQ(made->cell_count(), 3U * 2U * 5U);  // An overdue may be absent: score 0.
  std::set<AxisScores> seen;
  for (std::size_t cell = 0; cell < made->cell_count(); ++cell) {
    const AxisScores& scores = made->scores_of(static_cast<std::uint16_t>(cell));
    EXPECT_EQ(made->cell_of(scores), cell);
    EXPECT_GE(scores[0], 1);
    EXPECT_LE(scores[2], 4);
    EXPECT_TRUE(seen.insert(scores).second);
  }
}

TEST(Segmentation, AnAbsentOverdueHasTheScoreNought) {
  SegmentationSpec spec = small();
  spec.axes = {axis("o", 2, Quantity::kOverdue), axis("y", 2)};
  spec.map = {{"a", {{"o", 0, 0}}}, {"b", {{"o", 1, 2}}}};
  spec.segments = {plain("a"), plain("b")};
  const absl::StatusOr<Segmentation> made = Segmentation::create(spec);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(segment_at(*made, {0, 2}), "a");
  EXPECT_EQ(segment_at(*made, {2, 1}), "b");
  spec.map = {{"a", {{"o", 1, 2}}}};
  spec.segments = {plain("a")};
  EXPECT_TRUE(has(error_of(spec), "cell o=0 y=1 belongs to no segment"));
  spec.map = {{"a", {{"y", 0, 2}}}};
  EXPECT_TRUE(has(error_of(spec), "y is 0-2; allowed are ranges within 1-2"));
}

TEST(Segmentation, MapsMayUseFmAndTheOverallScore) {
  SegmentationSpec spec = small();
  spec.axes = {axis("r", 4), axis("f", 4), axis("m", 4)};
  spec.map = {{"a", {{"overall", 0, 4}}}, {"b", {{"overall", 5, 9}}}};
  spec.segments = {plain("a"), plain("b")};
  const absl::StatusOr<Segmentation> overall = Segmentation::create(spec);
  ASSERT_TRUE(overall.ok()) << overall.status();
  EXPECT_EQ(segment_at(*overall, {4, 1, 2}), "a");
  EXPECT_EQ(segment_at(*overall, {4, 1, 3}), "b");
  spec.map = {{"a", {{"fm", 1, 2}}}, {"b", {{"fm", 3, 4}}}};
  const absl::StatusOr<Segmentation> combined = Segmentation::create(spec);
  ASSERT_TRUE(combined.ok()) << combined.status();
  EXPECT_EQ(segment_at(*combined, {1, 1, 3}), "a");
  EXPECT_EQ(segment_at(*combined, {1, 1, 4}), "b");  // Halves go up.
}

TEST(Segmentation, AnEmptyCellIsShownInItsGrid) {
  SegmentationSpec spec = small();
  spec.map = {{"a", {{"x", 2, 3}}}, {"b", {{"x", 1, 2}, {"y", 2, 2}}}};
  spec.segments = {plain("a"), plain("b")};
  EXPECT_EQ(error_of(spec),
            "cell x=1 y=1 belongs to no segment\n"
            "  x \\ y  1  2\n"
            "  3      a  a\n"
            "  2      a  a / b\n"
            "  1      -  b\n");
  spec.map[1].ranges.pop_back();
  EXPECT_TRUE(has(error_of(spec), "cell x=2 y=1 is claimed twice: by \"a\" and by \"b\"\n"));
}

TEST(Segmentation, OfMoreCoordinatesTheGridAroundTheCellIsShown) {
  SegmentationSpec spec = small();
  spec.axes.push_back(axis("z", 2));
  spec.map = {{"a", {{"z", 1, 1}}},
              {"a", {{"x", 2, 3}, {"z", 2, 2}}},
              {"a", {{"x", 1, 1}, {"y", 2, 2}, {"z", 2, 2}}}};
  EXPECT_EQ(error_of(spec),
            "cell x=1 y=1 z=2 belongs to no segment; the map where z = 2:\n"
            "  x \\ y  1  2\n"
            "  3      a  a\n"
            "  2      a  a\n"
            "  1      -  a\n");
}

TEST(Segmentation, RefusesWhatIsOfNoUse) {
  SegmentationSpec spec = small();
  spec.segments.push_back(plain("b"));
  EXPECT_TRUE(has(error_of(spec), "\"b\" is described but no cell has it"));
  spec.map = {{"a", {{"x", 1, 1}}}, {"b", {{"x", 2, 3}}}, {"c", {}}};
  EXPECT_TRUE(has(error_of(spec), "\"c\" is in the map and not described"));
  spec.axes = {axis("r", 5), axis("f", 5), axis("m", 5)};
  spec.map = {{"a", {}}, {"b", {{"f", 1, 1}, {"m", 1, 1}, {"fm", 5, 5}}}};
  EXPECT_EQ(error_of(spec), "entry 2 (\"b\") of the map reaches no cell");
}

TEST(Segmentation, RefusesWrongParts) {
  const auto wrong = [](auto change) {
    SegmentationSpec spec = small();
    change(spec);
    return error_of(spec);
  };
  using Spec = SegmentationSpec;
  EXPECT_EQ(wrong([](Spec&) {}), "");
  EXPECT_NE(wrong([](Spec& s) { s.name = "Small"; }), "");
  EXPECT_NE(wrong([](Spec& s) { s.name = ""; }), "");
  EXPECT_TRUE(has(wrong([](Spec& s) { s.axes.clear(); }), "0 axes"));
  EXPECT_TRUE(has(wrong([](Spec& s) { s.axes.resize(5, s.axes[0]); }), "5 axes"));
  EXPECT_TRUE(has(wrong([](Spec& s) { s.axes[1].name = "x"; }), "\"x\" is there twice"));
  EXPECT_TRUE(has(wrong([](Spec& s) { s.axes[1].name = "fm"; }), "axis \"fm\": allowed"));
  EXPECT_TRUE(has(wrong([](Spec& s) { s.axes[1].cuts.bins = 1; }), "1 bins; allowed: 2 to 10"));
  EXPECT_TRUE(has(wrong([](Spec& s) { s.axes[1].cuts.bins = 11; }), "11 bins"));
  EXPECT_TRUE(has(wrong([](Spec& s) { s.axes[1].margin = 1; }), "margin 1"));
  EXPECT_TRUE(has(wrong([](Spec& s) { s.axes[1].margin = std::nan(""); }), "margin"));
  EXPECT_TRUE(has(wrong([](Spec& s) { s.axes[1].cuts.method = CutMethod::kFixed; }),
                  "0 cuts; 2 bins have 1"));
  EXPECT_TRUE(has(wrong([](Spec& s) {
                    s.axes[0].cuts.method = CutMethod::kFixed;
                    s.axes[0].cuts.fixed = {5, 5};
                  }),
                  "cut 2 is not above"));
  EXPECT_TRUE(has(wrong([](Spec& s) { s.axes[0].cuts.fixed = {-1, 5}; }), "below 0"));
  EXPECT_TRUE(has(wrong([](Spec& s) { s.axes[0].cuts.bounds = {{1, 2}}; }), "bounds of 1 cuts"));
  EXPECT_TRUE(has(wrong([](Spec& s) { s.axes[0].cuts.bounds = {{1, 2}, {4, 3}}; }), "cut 2"));
  EXPECT_TRUE(has(wrong([](Spec& s) { s.axes[0].cuts.bounds = {{5, 6}, {4, 7}}; }), "cut 2"));
  EXPECT_TRUE(has(wrong([](Spec& s) {
                    s.axes[0].cuts.method = CutMethod::kFixed;
                    s.axes[0].cuts.fixed = {1, 5};
                    s.axes[0].cuts.bounds = {{1, 2}, {3, 4}};
                  }),
                  "its cuts are fixed"));
  EXPECT_TRUE(has(wrong([](Spec& s) {
                    s.axes = {
                        axis("a", 10),
                        axis("b", 10),
                        axis("c", 10),
                        axis("d", 10),
                    };
                    s.axes[3].cuts.quantity = Quantity::kOverdue;
                  }),
                  "11000 cells"));
  EXPECT_TRUE(has(wrong([](Spec& s) {
                    s.map[0].ranges = {{"z", 1, 1}};
                  }),
                  "\"z\"; allowed: x, y, overall"));
  EXPECT_TRUE(has(wrong([](Spec& s) { s.map[0].ranges = {{"x", 1, 4}}; }), "x is 1-4"));
  EXPECT_TRUE(has(wrong([](Spec& s) { s.map[0].ranges = {{"x", 2, 1}}; }), "x is 2-1"));
  EXPECT_TRUE(has(wrong([](Spec& s) { s.map[0].ranges = {{"x", 1, 3}, {"x", 1, 3}}; }), "twice"));
  EXPECT_TRUE(has(wrong([](Spec& s) { s.segments.clear(); }), "no segments"));
  EXPECT_TRUE(has(wrong([](Spec& s) { s.segments[0].name = "none"; }), "reserved"));
  EXPECT_TRUE(has(wrong([](Spec& s) { s.segments[0].name = "Unassigned"; }), "reserved"));
  EXPECT_TRUE(has(wrong([](Spec& s) { s.segments.push_back(s.segments[0]); }), "twice"));
  EXPECT_TRUE(has(wrong([](Spec& s) { s.segments.resize(65, plain("b")); }), "65 segments"));
  EXPECT_TRUE(has(wrong([](Spec& s) { s.segments[0].rank = -1; }), "rank -1"));
  EXPECT_TRUE(has(wrong([](Spec& s) { s.segments[0].actions.resize(1); }), "without text"));
  EXPECT_TRUE(has(wrong([](Spec& s) { s.stay_ms = -1; }), "stay"));
  EXPECT_TRUE(has(wrong([](Spec& s) { s.scorer = Scorer::kCluster; }), "clusters have none"));
  EXPECT_TRUE(has(wrong([](Spec& s) {
                    s.scorer = Scorer::kCluster;
                    s.axes.clear();
                    s.map.clear();
                    s.hysteresis = 1;
                  }),
                  "hysteresis"));
}

TEST(Segmentation, StartCutsArePutWithinTheBounds) {
  SegmentationSpec spec = small();
  spec.axes[0].cuts.bounds = {{10, 20}, {15, 30}};
  spec.axes[0].cuts.fixed = {1, 2};
  const absl::StatusOr<Segmentation> made = Segmentation::create(spec);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->axes()[0].cuts.fixed, (std::vector<std::int64_t>{10, 15}));
  EXPECT_EQ(Segmentation::create(made->spec())->spec(), made->spec());
  spec.axes[0].cuts.bounds = {{10, 20}, {10, 30}};  // Two may meet.
  EXPECT_EQ(Segmentation::create(Segmentation::create(spec)->spec())->axes()[0].cuts.fixed,
            (std::vector<std::int64_t>{10, 10}));
}

// Any map of rules is either refused or answers every cell with the one rule that covers it.
RC_GTEST_PROP(SegmentationProperty, AMapThatLoadsIsTotalAndDisjoint, ()) {
  SegmentationSpec spec = small();
  spec.axes = {axis("r", *rc::gen::inRange(2, 6)), axis("f", *rc::gen::inRange(2, 6)),
               axis("m", *rc::gen::inRange(2, 6))};
  const int r_max = spec.axes[0].cuts.bins;
  const int fm_max = combined_score(spec.axes[1].cuts.bins, spec.axes[2].cuts.bins);
  // Two cuts through the cube give blocks that fit together; now and then one block is changed.
  const int cut_r = *rc::gen::inRange(1, r_max);
  const int cut_fm = *rc::gen::inRange(1, fm_max);
  spec.map = {{"a", {{"r", 1, cut_r}}},
              {"b", {{"r", cut_r + 1, r_max}, {"fm", 1, cut_fm}}},
              {"c", {{"fm", cut_fm + 1, fm_max}, {"r", cut_r + 1, r_max}}}};
  spec.segments = {plain("a"), plain("b"), plain("c")};
  if (*rc::gen::inRange(0, 2) == 1) {
    const int low = *rc::gen::inRange(1, r_max + 1);
    spec.map[0].ranges[0] = {"r", low, *rc::gen::inRange(low, r_max + 1)};
  }
  const absl::StatusOr<Segmentation> made = Segmentation::create(spec);
  bool is_total = true;
  std::set<std::string> reached;
  for (int r = 1; r <= r_max; ++r) {
    for (int f = 1; f <= spec.axes[1].cuts.bins; ++f) {
      for (int m = 1; m <= spec.axes[2].cuts.bins; ++m) {
        int covering = 0;
        std::string segment;
        for (const MapRule& rule : spec.map) {
          const bool covers = std::ranges::all_of(rule.ranges, [&](const ScoreRange& range) {
            const int value = range.coordinate == "r" ? r : (f + m + 1) / 2;
            return range.low <= value && value <= range.high;
          });
          if (!covers) continue;
          ++covering;
          segment = rule.segment;
          reached.insert(segment);
        }
        is_total = is_total && covering == 1;
        if (made.ok()) {
          RC_ASSERT(segment_at(*made, {static_cast<std::uint8_t>(r), static_cast<std::uint8_t>(f),
                                       static_cast<std::uint8_t>(m)}) == segment);
        }
      }
    }
  }
  RC_ASSERT(made.ok() == (is_total && reached.size() == 3));
}

RC_GTEST_PROP(SegmentationProperty, TheFirstMatchIsKeptAndAllOthersAreTheRest, ()) {
  const std::vector<Axis> axes = {axis("x", 4), axis("y", 3), axis("z", 3)};
  const auto range = [](std::string name, int max) {
    const int low = *rc::gen::inRange(1, max + 1);
    return ScoreRange{std::move(name), low, *rc::gen::inRange(low, max + 1)};
  };
  std::vector<MapRule> rules;
  const int count = *rc::gen::inRange(0, 5);
  for (int i = 0; i < count; ++i) {
    rules.push_back({std::string(1, static_cast<char>('a' + i)),
                     {range("x", 4), range("y", 3), range("z", 3)}});
  }
  SegmentationSpec spec = small();
  spec.axes = axes;
  spec.map = first_match_rules(axes, rules, "rest");
  spec.segments.clear();
  for (const MapRule& rule : spec.map) {
    if (std::ranges::find(spec.segments, rule.segment, &SegmentInfo::name) == spec.segments.end())
      spec.segments.push_back(plain(rule.segment));
  }
  const absl::StatusOr<Segmentation> made = Segmentation::create(spec);
  RC_ASSERT(made.ok());
  for (std::size_t cell = 0; cell < made->cell_count(); ++cell) {
    const AxisScores& scores = made->scores_of(static_cast<std::uint16_t>(cell));
    std::string expected = "rest";
    for (std::size_t i = rules.size(); i-- > 0;) {
      bool covers = true;
      for (std::size_t a = 0; a < 3; ++a)
        covers =
            covers && rules[i].ranges[a].low <= scores[a] && scores[a] <= rules[i].ranges[a].high;
      if (covers) expected = rules[i].segment;
    }
    RC_ASSERT(segment_at(*made, scores) == expected);
  }
}

TEST(Segmentations, AreInOrderOfNameAndShareCuts) {
  SegmentationSpec other = *find_preset("rfm");
  other.name = "another";
  other.axes[1].cuts.fixed = {2, 3, 4, 5};  // Start cuts are no difference.
  other.axes[2].cuts.bounds = {{0, 9}, {0, 9}, {0, 9}, {0, 9}};
  const absl::StatusOr<Segmentations> all =
      Segmentations::create({*find_preset("rfm"), *find_preset("churn"), other});
  ASSERT_TRUE(all.ok()) << all.status();
  ASSERT_EQ(all->size(), 3U);
  EXPECT_EQ((*all)[0].name(), "another");
  EXPECT_EQ(all->find("rfm"), 2U);
  EXPECT_EQ(all->find("nothing"), 3U);
  ASSERT_EQ(all->cut_specs().size(), 4U);
  EXPECT_EQ(all->cut_index(0, 0), 0);
  EXPECT_EQ(all->cut_index(0, 1), 1);
  EXPECT_EQ(all->cut_index(0, 2), 2);
  EXPECT_EQ(all->cut_index(1, 0), -1);  // Fixed.
  EXPECT_EQ(all->cut_index(2, 0), 0);
  EXPECT_EQ(all->cut_index(2, 1), 1);
  EXPECT_EQ(all->cut_index(2, 2), 3);
  EXPECT_TRUE(all->cut_specs()[0].fixed.empty());
}

TEST(Segmentations, RefuseWhatDoesNotFitTogether) {
  const auto error = [](std::vector<SegmentationSpec> specs) {
    const absl::StatusOr<Segmentations> made = Segmentations::create(std::move(specs));
    return made.ok() ? "" : std::string(made.status().message());
  };
  const SegmentationSpec churn = *find_preset("churn");
  SegmentationSpec clusters = *find_preset("cluster");
  EXPECT_TRUE(has(error({churn, churn}), "segmentation.churn is there twice"));
  SegmentationSpec second = clusters;
  second.name = "second";
  EXPECT_TRUE(has(error({clusters, second}), "both by clusters"));
  EXPECT_TRUE(has(error({*find_preset("rfm")}), "depends on the segmentation churn"));
  SegmentationSpec own = small();
  own.segments[0].actions.resize(1);
  own.segments[0].actions[0].text = "act";
  own.segments[0].actions[0].where_segmentation = "churn";
  own.segments[0].actions[0].where_segments = {"Lowest"};
  EXPECT_TRUE(has(error({own, churn}), "churn = \"Lowest\""));
  own.segments[0].actions[0].where_segments = {"Low"};
  EXPECT_EQ(error({own, churn}), "");
  own.segments[0].actions[0].where_segmentation = "small";
  own.segments[0].actions[0].where_segments = {"a"};
  EXPECT_TRUE(has(error({own, churn}), "its own"));
  std::vector<SegmentationSpec> many(65, small());
  EXPECT_TRUE(has(error(many), "65 segmentations"));
}

TEST(Segmentations, DefaultsAreThePresetsOfTheDocumentedValues) {
  const Segmentations& all = Segmentations::defaults();
  ASSERT_EQ(all.size(), 3U);
  for (const Segmentation& segmentation : all.all()) {
    EXPECT_EQ(segmentation.spec(), *find_preset(segmentation.name()));
    EXPECT_TRUE(segmentation.spec().guard);
    EXPECT_EQ(segmentation.spec().stay_ms, 8 * kDayMs);
  }
  const SegmentationSpec& rfm = all[all.find("rfm")].spec();
  EXPECT_EQ(rfm.axes[0].cuts.bounds, (std::vector<CutBounds>{{30 * kDayMs, 60 * kDayMs},
                                                             {60 * kDayMs, 90 * kDayMs},
                                                             {90 * kDayMs, 180 * kDayMs},
                                                             {120 * kDayMs, 365 * kDayMs}}));
  EXPECT_EQ(rfm.axes[0].cuts.fixed,
            (std::vector<std::int64_t>{30 * kDayMs, 60 * kDayMs, 90 * kDayMs, 120 * kDayMs}));
  for (const Axis& each : rfm.axes) EXPECT_EQ(each.margin, .1);
  const SegmentationSpec& churn = all[all.find("churn")].spec();
  EXPECT_EQ(churn.axes[0].cuts.fixed, (std::vector<std::int64_t>{330'000'000, 660'000'000}));
  EXPECT_EQ(churn.axes[0].margin, .06);
  const SegmentationSpec& cluster = all[all.find("cluster")].spec();
  EXPECT_EQ(cluster.hysteresis, .2);
  EXPECT_EQ(cluster.recency_min_ms, 21 * kDayMs);
}

}  // namespace
}  // namespace rfm
