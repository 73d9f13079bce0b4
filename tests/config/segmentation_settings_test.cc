// Goal: [segmentation.NAME] makes the segmentation that it says, the model log has it whole, and
// what is wrong is refused with its place.
#include "config/segmentation_settings.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "config/checked_settings.h"
#include "config/quantity_text.h"
#include "config/rules_change.h"
#include "config/segmentation_text.h"
#include "config/settings.h"

namespace rfm {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;

absl::StatusOr<Settings> from_toml(std::string_view toml) {
  Settings settings;
  if (absl::Status status = settings.merge_toml(toml, "a.toml"); !status.ok()) return status;
  if (absl::Status status = check_settings(settings); !status.ok()) return status;
  return settings;
}

std::string error_of(std::string_view toml) {
  const absl::StatusOr<Settings> settings = from_toml(toml);
  EXPECT_FALSE(settings.ok()) << toml;
  return settings.ok() ? "" : std::string(settings.status().message());
}

std::string set_error(const std::string& assignment) {
  const absl::StatusOr<Settings> settings = load_settings(std::nullopt, {}, {assignment});
  EXPECT_FALSE(settings.ok()) << assignment;
  return settings.ok() ? "" : std::string(settings.status().message());
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// The segmentation `name` of a file; aborts the test where there is none.
SegmentationSpec spec_of(std::string_view toml, std::string_view name) {
  const absl::StatusOr<Settings> settings = from_toml(toml);
  EXPECT_TRUE(settings.ok()) << settings.status();
  if (!settings.ok()) return {};
  const absl::StatusOr<Segmentations> all = settings->segmentations();
  EXPECT_LT(all->find(name), all->size()) << name;
  return all->find(name) < all->size() ? (*all)[all->find(name)].spec() : SegmentationSpec{};
}

constexpr std::string_view kOwn = R"(
[segmentation.baskets]
axes = [
  {name = "r", quantity = "recency", method = "fixed", cuts = ["30d", "90d"]},
  {name = "basket", quantity = "order_value", method = "breaks", bins = 3, margin = 0.2, bounds = [
    "10-50", "50.5-1000"]},
]
map = [
  ["Here", "Here", "Big"],
  ["Here", "Here", "Big"],
  ["Gone", "Gone", "Gone"],
]
segments = [
  {name = "Here", rank = 2},
  {name = "Big", rank = 3, description = "Big baskets.", actions = [
    {text = "call \"them\"", on = "up", cooldown = "30d"},
    {text = "ask", if = {churn = ["Medium", "High"]}},
  ]},
  {name = "Gone", rank = 1, lost = true},
]
guard = false
stay = "2w"
)";

TEST(SegmentationSettings, WithoutThemThereAreTheDefaults) {
  EXPECT_EQ(*Settings().segmentations(), Segmentations::defaults());
}

TEST(SegmentationSettings, ReadsOneOfItsOwn) {
  const SegmentationSpec spec = spec_of(kOwn, "baskets");
  ASSERT_EQ(spec.axes.size(), 2U);
  EXPECT_EQ(spec.axes[0].cuts.fixed, (std::vector<std::int64_t>{30 * kDayMs, 90 * kDayMs}));
  EXPECT_EQ(spec.axes[0].cuts.bins, 3);
  EXPECT_EQ(spec.axes[1].cuts.method, CutMethod::kBreaks);
  EXPECT_EQ(spec.axes[1].cuts.bounds,
            (std::vector<CutBounds>{{100'000, 500'000}, {505'000, 10'000'000}}));
  EXPECT_EQ(spec.axes[1].margin, .2);
  EXPECT_FALSE(spec.guard);
  EXPECT_EQ(spec.stay_ms, 14 * kDayMs);
  ASSERT_EQ(spec.segments.size(), 3U);
  const SegmentInfo& big = spec.segments[1];
  EXPECT_EQ(big.actions[0].text, "call \"them\"");
  EXPECT_EQ(big.actions[0].on, MoveKind::kUpOrFirst);
  EXPECT_EQ(big.actions[0].cooldown_ms, 30 * kDayMs);
  EXPECT_EQ(big.actions[1].on, MoveKind::kAny);
  EXPECT_EQ(big.actions[1].where_segmentation, "churn");
  EXPECT_EQ(big.actions[1].where_segments, (std::vector<std::string>{"Medium", "High"}));
  EXPECT_TRUE(spec.segments[2].lost);
  const absl::StatusOr<Segmentation> made = Segmentation::create(spec);
  const std::vector<std::uint8_t> best = {3, 3};
  EXPECT_EQ(spec.segments[made->segment_of(made->cell_of(best))].name, "Big");
  const std::vector<std::uint8_t> worst = {1, 3};
  EXPECT_EQ(spec.segments[made->segment_of(made->cell_of(worst))].name, "Gone");
}

// Whatever the names, texts and cuts.
RC_GTEST_PROP(SegmentationSettingsProperty, EverySpecReadsBackFromTheModelLog, ()) {
  const auto text = [] {
    const std::string drawn =
        *rc::gen::container<std::string>(rc::gen::elementOf(std::string("aZ09 \"\\'#=,;{}[]-")));
    return "s\xC3\xA9" + drawn.substr(0, 40);
  };
  SegmentationSpec spec;
  spec.name = "own";
  spec.guard = *rc::gen::arbitrary<bool>();
  spec.stay_ms = *rc::gen::inRange<std::int64_t>(0, 100 * kDayMs);
  Axis axis;
  axis.name = "x-1";
  axis.margin = *rc::gen::inRange(0, 1000) / 1000.0;
  axis.cuts.quantity = static_cast<Quantity>(*rc::gen::inRange(0, kQuantityCount));
  axis.cuts.method = static_cast<CutMethod>(*rc::gen::inRange(0, 3));
  axis.cuts.bins = 3;
  const auto low = *rc::gen::inRange<std::int64_t>(0, 500'000'000);
  const auto high = low + *rc::gen::inRange<std::int64_t>(1, 500'000'000);
  axis.cuts.fixed = {low, high};
  if (axis.cuts.method != CutMethod::kFixed && *rc::gen::arbitrary<bool>())
    axis.cuts.bounds = {{low / 2, low + 7}, {high, high + 11}};
  spec.axes = {axis};
  spec.segments = {{text() + "1", *rc::gen::inRange(0, 1000), text(), {}, true},
                   {text() + "2", *rc::gen::inRange(0, 1000), "", {}, false}};
  SegmentAction action;
  action.text = text();
  action.on = static_cast<MoveKind>(*rc::gen::inRange(0, 3));
  action.where_segmentation = "churn";
  action.where_segments = {text(), text()};
  action.cooldown_ms = *rc::gen::inRange<std::int64_t>(0, 100 * kDayMs);
  spec.segments[0].actions = {action};
  spec.map = {{spec.segments[0].name, {{"x-1", 2, 3}}}, {spec.segments[1].name, {{"x-1", 0, 1}}}};
  if (axis.cuts.quantity != Quantity::kOverdue) spec.map[1].ranges[0].low = 1;
  const absl::StatusOr<Segmentation> made = Segmentation::create(spec);
  RC_ASSERT(made.ok());
  const absl::StatusOr<SegmentationSpec> read =
      segmentation_spec("own", {{"", format_segmentation(made->spec())}});
  RC_ASSERT(read.ok());
  RC_ASSERT(*read == made->spec());
}

TEST(SegmentationSettings, EveryPresetReadsBackFromTheModelLog) {
  for (const std::string_view name : preset_names()) {
    const absl::StatusOr<Segmentation> made = Segmentation::create(*find_preset(name));
    ASSERT_TRUE(made.ok()) << name << ": " << made.status();
    const absl::StatusOr<SegmentationSpec> read =
        segmentation_spec(name, {{"", format_segmentation(made->spec())}});
    ASSERT_TRUE(read.ok()) << read.status();
    const absl::StatusOr<Segmentation> again = Segmentation::create(*read);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->spec(), made->spec()) << name;
  }
}

TEST(SegmentationSettings, EveryPresetReadsBackFromASettingsFile) {
  for (const std::string_view name : preset_names()) {
    SegmentationSpec own = *find_preset(name);
    own.name = "own";
    std::string toml = documented_segmentation(own);
    // One by clusters is enough.
    if (own.scorer == Scorer::kCluster) toml += "[segmentation.cluster]\nenabled = false\n";
    const SegmentationSpec read = spec_of(toml, "own");
    EXPECT_EQ(read, Segmentation::create(own)->spec()) << toml;
  }
}

TEST(SegmentationSettings, APresetIsABaseWhoseKeysAreChangedOneByOne) {
  const SegmentationSpec spec = spec_of(R"(
[segmentation.mine]
preset = "rfm"
stay = "3d"
axes = [
  {name = "r", bounds = ["7d-14d", "14d-28d", "28d-60d", "60d-90d"]},
  {name = "f"},
  {name = "m", margin = 0},
]
[[segmentation.mine.segments]]
name = "Loyal"
rank = 200
)",
                                        "mine");
  SegmentationSpec expected = Segmentation::create(*find_preset("rfm"))->spec();
  expected.name = "mine";
  expected.stay_ms = 3 * kDayMs;
  expected.axes[0].cuts.bounds = {{7 * kDayMs, 14 * kDayMs},
                                  {14 * kDayMs, 28 * kDayMs},
                                  {28 * kDayMs, 60 * kDayMs},
                                  {60 * kDayMs, 90 * kDayMs}};
  expected.axes[0].cuts.fixed = {14 * kDayMs, 28 * kDayMs, 60 * kDayMs, 90 * kDayMs};
  expected.axes[2].margin = 0;
  expected.segments[1].rank = 200;
  EXPECT_EQ(spec, expected);
}

TEST(SegmentationSettings, ATableWithoutPresetTakesThatOfItsName) {
  EXPECT_EQ(spec_of("[segmentation.rfm]\n", "rfm"), Segmentations::defaults()[2].spec());
  EXPECT_EQ(spec_of("[segmentation.churn]\nstay = \"1d\"\n", "churn").stay_ms, kDayMs);
}

TEST(SegmentationSettings, DefaultsCanBeDisabled) {
  const absl::StatusOr<Settings> settings = from_toml("[segmentation.churn]\nenabled = false\n");
  ASSERT_TRUE(settings.ok()) << settings.status();
  const absl::StatusOr<Segmentations> all = settings->segmentations();
  EXPECT_EQ(all->size(), 2U);
  EXPECT_FALSE(settings->semantic().contains("segmentation.churn"));
  // The preset's action that depends on it cannot apply.
  for (const SegmentInfo& info : (*all)[all->find("rfm")].spec().segments) {
    for (const SegmentAction& action : info.actions) EXPECT_EQ(action.where_segmentation, "");
  }
  const absl::StatusOr<Settings> rebuilt = logged_settings(settings->semantic());
  ASSERT_TRUE(rebuilt.ok()) << rebuilt.status();
  EXPECT_EQ(*rebuilt->segmentations(), *all);
  EXPECT_TRUE(has(error_of("[segmentation.churn]\nenabled = false\n[segmentation.rfm]\nenabled = "
                           "false\n[segmentation.cluster]\nenabled = false\n"),
                  "at least one"));
}

TEST(SegmentationSettings, TheModelLogRebuildsThem) {
  const absl::StatusOr<Settings> settings = from_toml(kOwn);
  ASSERT_TRUE(settings.ok()) << settings.status();
  const std::map<std::string, std::string> semantic = settings->semantic();
  EXPECT_FALSE(has(semantic.at("segmentation.baskets"), "\n"));
  EXPECT_FALSE(has(semantic.at("segmentation.rfm"), "preset"));
  const absl::StatusOr<Settings> rebuilt = logged_settings(semantic);
  ASSERT_TRUE(rebuilt.ok()) << rebuilt.status();
  EXPECT_EQ(rebuilt->semantic(), semantic);
  EXPECT_EQ(*rebuilt->segmentations(), *settings->segmentations());
}

TEST(SegmentationSettings, ATableChangesWhatTheModelLogHas) {
  const std::map<std::string, std::string> logged = from_toml(kOwn)->semantic();
  const auto changed = [&](std::string_view toml) {
    absl::StatusOr<Settings> settings = logged_settings(logged);
    EXPECT_TRUE(settings->merge_toml(toml, "table").ok());
    return rules_differences(logged, settings->semantic());
  };
  const std::vector<SettingDifference> stay = changed("[segmentation.rfm]\nstay = \"30d\"\n");
  ASSERT_EQ(stay.size(), 1U);
  EXPECT_EQ(stay[0].key, "segmentation.rfm.stay");
  EXPECT_EQ(stay[0].now, "30d");
  EXPECT_TRUE(changed("[segmentation.rfm]\nstay = \"" + stay[0].before + "\"\n").empty());
  // A preset begins anew, also where the log has the same one with changes.
  const std::vector<SettingDifference> baskets =
      changed("[segmentation.baskets]\npreset = \"rfm\"\n");
  EXPECT_GT(baskets.size(), 1U);
  // As with a file, the others' actions that depend on one that goes are left out.
  absl::StatusOr<Settings> without = logged_settings(Settings().semantic());
  const std::string_view toml = "[segmentation.churn]\nenabled = false\n";
  ASSERT_TRUE(without->merge_toml(toml, "table").ok());
  EXPECT_EQ(without->semantic(), from_toml(toml)->semantic());
}

TEST(SegmentationSettings, ModelLogsOfBeforeThemAreRefused) {
  std::map<std::string, std::string> semantic = Settings().semantic();
  semantic["segmentation.churn.low"] = "0.33";
  EXPECT_TRUE(has(std::string(logged_settings(semantic).status().message()),
                  "segmentation.churn.low is of an older version"));
}

TEST(SegmentationSettings, TheKeyThatDiffersFromTheModelLogIsNamed) {
  const auto differences = [](std::string_view logged, std::string_view here,
                              Settings::Compared compared = Settings::Compared::kAll) {
    const absl::StatusOr<Settings> before = from_toml(logged);
    const absl::StatusOr<Settings> now = from_toml(here);
    return std::string(now->check_same_rules(before->semantic(), "Do this.", compared).message());
  };
  EXPECT_TRUE(has(differences("", "[segmentation.rfm]\nstay = \"3d\"\n"),
                  ":\n  segmentation.rfm.stay: 8d in the model log, 3d here\nDo this."));
  EXPECT_TRUE(has(differences("[segmentation.rfm]\nstay = \"3d\"\n", ""),
                  "segmentation.rfm.stay: 3d in the model log, 8d here"));
  EXPECT_TRUE(has(differences("", "[segmentation.churn]\nenabled = false\n"),
                  "segmentation.churn: there in the model log, not there here"));
  EXPECT_TRUE(
      has(differences("", kOwn), "segmentation.baskets: not there in the model log, there here"));
  EXPECT_TRUE(has(
      differences("", "[segmentation.churn]\naxes = [{name = \"risk\", cuts = [0.25, 0.66]}]\n"),
      "segmentation.churn.axes.risk.cuts: [0.33, 0.66] in the model log, [0.25, 0.66] here"));
  EXPECT_TRUE(has(differences("", "[[segmentation.rfm.segments]]\nname = \"New\"\nrank = 1\n"),
                  "segmentation.rfm.segments.New.rank: 80 in the model log, 1 here"));
  // Of what was not chosen here the log decides.
  constexpr auto kChosen = Settings::Compared::kChosen;
  EXPECT_EQ(differences("[segmentation.rfm]\nstay = \"3d\"\n", "", kChosen), "");
  EXPECT_EQ(differences("[segmentation.rfm]\nstay = \"3d\"\n", "[segmentation.rfm]\nguard = true\n",
                        kChosen),
            "");
  EXPECT_TRUE(has(differences("[segmentation.rfm]\nstay = \"3d\"\n",
                              "[segmentation.rfm]\nstay = \"8d\"\n", kChosen),
                  "segmentation.rfm.stay"));
  EXPECT_TRUE(has(differences("[segmentation.rfm]\nstay = \"3d\"\n",
                              "[segmentation.rfm]\npreset = \"rfm\"\n", kChosen),
                  "segmentation.rfm.stay"));
}

TEST(SegmentationSettings, TheCommandLineAndTheEnvironmentReachThem) {
  const absl::StatusOr<Settings> settings = load_settings(
      std::nullopt, {"RFMSTREAM_SEGMENTATION__RFM__STAY=5d", "RFMSTREAM_ACTION__QUIET=0s"},
      {"segmentation.cluster.hysteresis=0", "segmentation.churn.enabled=false",
       "action.precedence=cluster, rfm"});
  ASSERT_TRUE(settings.ok()) << settings.status();
  const absl::StatusOr<Segmentations> all = settings->segmentations();
  EXPECT_EQ((*all)[all->find("rfm")].spec().stay_ms, 5 * kDayMs);
  EXPECT_EQ((*all)[all->find("cluster")].spec().hysteresis, 0);
  EXPECT_EQ(all->size(), 2U);
}

TEST(SegmentationSettings, UnknownKeysAreRefusedWithTheNearest) {
  EXPECT_TRUE(has(error_of("[segmentation.rfm]\nsaty = \"3d\"\n"),
                  "a.toml:2: unknown setting segmentation.rfm.saty; did you mean "
                  "segmentation.rfm.stay?"));
  EXPECT_TRUE(
      has(error_of("[segmentation.mine]\nhystersis = 1\n"), "segmentation.mine.hysteresis"));
  EXPECT_TRUE(has(error_of("[segmentation]\nrfm = 3\n"), "unknown setting segmentation.rfm"));
  EXPECT_TRUE(has(error_of("[segmentation.rfm]\ndwell = \"3d\"\n"), "it is now stay"));
  EXPECT_TRUE(has(error_of("[segmentation.churn]\nlow = 0.3\n"), "cuts = [0.33, 0.66]"));
  EXPECT_TRUE(has(set_error("segmentation.rfm={stay = \"3d\"}"), "unknown setting"));
}

TEST(SegmentationSettings, WrongValuesAreRefusedWithWhatIsAllowed) {
  EXPECT_TRUE(has(set_error("segmentation.rfm.preset=rfn"), "allowed: rfm, cluster, churn"));
  EXPECT_TRUE(has(set_error("segmentation.rfm.enabled=no"), "allowed: true, false"));
  EXPECT_TRUE(has(set_error("segmentation.rfm.axes=[{name = \"r\", quantty = \"recency\"}]"),
                  "\"quantty\"; allowed: name, quantity"));
  EXPECT_TRUE(has(set_error("segmentation.rfm.axes=[{name = \"r\", method = \"median\"}]"),
                  "method = \"median\"; allowed: fixed, quantile, breaks"));
  EXPECT_TRUE(has(set_error("segmentation.rfm.axes=[{name = \"r\", bins = 11, cuts = []}, {name = "
                            "\"f\"}, {name = \"m\"}]"),
                  "11 bins; allowed: 2 to 10"));
  EXPECT_TRUE(has(set_error("segmentation.churn.axes=[{name = \"risk\", cuts = [0.66, 0.33]}]"),
                  "cut 2 is not above"));
  EXPECT_TRUE(has(set_error("segmentation.churn.axes=[{name = \"risk\", cuts = [\"3d\", 0.33]}]"),
                  "a number from 0 to 1"));
  EXPECT_TRUE(has(set_error("segmentation.rfm.axes=[{name = \"r\", cuts = [1, 2, 3, 4]}, {name = "
                            "\"f\"}, {name = \"m\"}]"),
                  "a duration such as"));
  EXPECT_TRUE(has(set_error("segmentation.rfm.segments=[{name = \"New\", action = \"x\"}]"),
                  "actions = [{text = \"x\", on = \"any\"}]"));
  EXPECT_TRUE(has(set_error("segmentation.rfm.segments=[{name = \"Newer\", rank = 5}]"),
                  "\"Newer\" is described but no cell has it"));
  EXPECT_TRUE(has(set_error("segmentation.rfm.map=[{segment = \"Mine\"}]"),
                  "\"Mine\" is not known: it needs a rank"));
  EXPECT_TRUE(has(set_error("segmentation.rfm.map=[[\"New\"]]"), "5 rows of 5 names"));
  EXPECT_TRUE(has(set_error("segmentation.rfm.map=[{segment = \"New\", q = 1}]"),
                  "range of \"q\"; allowed: r, f, m, fm, overall"));
  EXPECT_TRUE(has(set_error("segmentation.rfm.map=gird"), "segmentation.rfm.map"));
  EXPECT_TRUE(has(set_error("segmentation.cluster.map=rfm"), "for scorer = \"grid\" only"));
  EXPECT_TRUE(has(set_error("segmentation.rfm.hysteresis=0.1"), "for scorer = \"cluster\" only"));
  EXPECT_TRUE(has(set_error("segmentation.mine.stay=1d"), "axes: they are missing"));
  EXPECT_TRUE(has(set_error("action.precedence=rfm, chrn"), "there is no segmentation chrn"));
  EXPECT_TRUE(has(set_error("action.precedence=rfm, rfm"), "allowed: names such as"));
  EXPECT_TRUE(has(error_of("[segmentation.rfm]\nenabled = \"true\"\n"), "it is text"));
}

TEST(SegmentationSettings, APartialMapIsRefusedWithItsPlaceAndTheGrid) {
  const std::string message = error_of(R"(
[segmentation.mine]
preset = "rfm"
stay = "1d"
map = [
  {segment = "Loyal", r = "2-5", fm = "2-5"},
  {segment = "New", r = "3-5", fm = "1-2"},
]
)");
  EXPECT_TRUE(has(message,
                  "a.toml:5: segmentation.mine: cell r=1 f=1 m=1 (fm=1) belongs to no "
                  "segment\n"))
      << message;
  EXPECT_TRUE(has(message,
                  "  r \\ fm  1    2            3      4      5\n"
                  "  5       New  Loyal / New  Loyal  Loyal  Loyal\n"))
      << message;
  EXPECT_TRUE(has(message, "  1       -    -            -      -      -\n")) << message;
}

TEST(QuantityText, ReadsBack) {
  EXPECT_EQ(parse_quantity(Quantity::kRecency, "2w"), 14 * kDayMs);
  EXPECT_EQ(parse_quantity(Quantity::kMonetary, "99.9999"), 999'999);
  EXPECT_EQ(parse_quantity(Quantity::kMonetary, "1e+05"), 1'000'000'000);
  EXPECT_EQ(parse_quantity(Quantity::kRisk, ".33"), 330'000'000);
  EXPECT_EQ(parse_quantity(Quantity::kRisk, "1e-09"), 1);
  EXPECT_EQ(parse_quantity(Quantity::kOverdue, "1.5"), 1500);
  for (const std::string_view wrong : {"", ".", "-1", "1.", "1.00001", "a", "1.2.3", "1e-9"}) {
    if (wrong == "1.") continue;  // As TOML does not write it, it does no harm.
    EXPECT_EQ(parse_quantity(Quantity::kMonetary, wrong), std::nullopt) << wrong;
  }
  for (const std::int64_t value : {0, 1, 9'999, 10'000, 12'345'678}) {
    for (int i = 0; i < kQuantityCount; ++i) {
      const auto quantity = static_cast<Quantity>(i);
      EXPECT_EQ(parse_quantity(quantity, format_quantity(quantity, value)), value);
    }
  }
}

}  // namespace
}  // namespace rfm
