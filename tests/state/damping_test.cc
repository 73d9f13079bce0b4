// Goal: a segment follows what is called for as its damping says, and at most one transition is to
// be acted on.
// Method: two segmentations of four segments each are told by hand what is called for, and why.
#include "state/damping.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "state/restraint.h"

namespace rfm {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr Duration kMs{1};
constexpr Duration kDay = hours{24};
const EventTime kStart = from_ms(1'300'000'000'000);

constexpr int kLost = 1;  // The scores, which are the ranks.
constexpr int kLow = 2;
constexpr int kMid = 3;
constexpr int kTop = 4;

SegmentationSpec spec_of(const std::string& name) {
  SegmentationSpec spec;
  spec.name = name;
  spec.axes = {{.name = "f",
                .cuts = {.quantity = Quantity::kFrequency,
                         .method = CutMethod::kFixed,
                         .bins = 4,
                         .bounds = {},
                         .fixed = {1, 2, 3}}}};
  for (int score = kLost; score <= kTop; ++score) {
    const std::string segment = "s" + std::to_string(score);
    spec.map.push_back({segment, {{"f", score, score}}});
    spec.segments.push_back(
        {.name = segment,
         .rank = score,
         .description = "",
         .actions = {{.text = "act", .where_segmentation = "", .where_segments = {}}},
         .lost = score == kLost});
  }
  spec.stay_ms = Duration{kDay * 7}.count();
  return spec;
}

class Damping : public testing::Test {
 protected:
  Damping() { use({spec_of("a"), spec_of("b")}); }

  void use(std::vector<SegmentationSpec> specs) {
    absl::StatusOr<Segmentations> made = Segmentations::create(std::move(specs));
    ASSERT_TRUE(made.ok()) << made.status();
    rules_.segmentations = *std::move(made);
    rules_.precedence = precedence_of({}, rules_.segmentations);
    row_.segments.assign(rules_.segmentations.size(), {});
  }
  template <class Change>
  void change_spec(Change&& change) {
    std::vector<SegmentationSpec> specs = {spec_of("a"), spec_of("b")};
    change(specs[0]);
    use(std::move(specs));
  }

  // Whether it leads to a transition, which is the last one then.
  bool follow(int score, Reason reason, Duration after, std::size_t s = 0) {
    const CustomerFacts facts{.at = kStart + after, .frequency = 1, .version = &version_};
    Comparison compared{
        .before = facts, .after = facts, .is_purchase = reason == Reason::kPurchase};
    const std::size_t count = out_.transitions.size();
    follow_call(row_, s, call_of(score, s), reason, compared, rules_, out_);
    return out_.transitions.size() > count;
  }
  Call call_of(int score, std::size_t s) const {
    const std::vector<std::uint8_t> scores = {static_cast<std::uint8_t>(score)};
    return {.code = static_cast<std::uint16_t>(kFirstSegment +
                                               rules_.segmentations[s].cell_of(scores))};
  }
  static SegmentCode segment(int score) {
    return static_cast<SegmentCode>(kFirstSegment + score - 1);
  }
  const Transition& last() const { return out_.transitions.back(); }
  EventTime stay_ends() const { return stay_end(row_, 0, version_, rules_); }

  // Several moves of one instant, and what is against each.
  std::vector<Restraint> moved(const std::vector<std::pair<std::size_t, int>>& moves, Reason reason,
                               Duration after) {
    const std::size_t first = out_.transitions.size();
    for (const auto& [s, score] : moves) EXPECT_TRUE(follow(score, reason, after, s));
    restrain(row_, first, {kStart + after, reason == Reason::kPurchase}, rules_, out_);
    std::vector<Restraint> found;
    for (std::size_t i = first; i < out_.transitions.size(); ++i)
      found.push_back(out_.transitions[i].restraint);
    return found;
  }

  using Restraints = std::vector<Restraint>;

  Rules rules_;
  ModelVersion version_;
  CustomerRow row_;
  TransitionBuffer out_;
};

TEST_F(Damping, TheFirstSegmentAndWhatTheCustomerDoesAreAtOnce) {
  EXPECT_TRUE(follow(kLow, Reason::kPurchase, {}));
  EXPECT_EQ(last().direction, Direction::kNew);
  EXPECT_TRUE(follow(kTop, Reason::kPurchase, kMs));
  EXPECT_TRUE(follow(kLow, Reason::kReturn, kMs * 2));
  EXPECT_EQ(last().from, segment(kTop));
  EXPECT_EQ(last().seq, 3U);
  EXPECT_EQ(out_.suppressed, 0U);
}

TEST_F(Damping, SilenceNeverMovesUpNorAPurchaseDown) {
  ASSERT_TRUE(follow(kMid, Reason::kPurchase, {}));
  EXPECT_FALSE(follow(kTop, Reason::kInactivity, kDay * 100));
  EXPECT_FALSE(follow(kLow, Reason::kPurchase, kDay * 101));
  EXPECT_EQ(out_.suppressed, 2U);
  EXPECT_EQ(row_.segments[0].segment, segment(kMid));
  EXPECT_EQ(row_.segments[0].call, call_of(kLow, 0)) << "scores follow";
}

TEST_F(Damping, WhatIsDroppedStaysSoUntilAnotherSegmentIsCalledFor) {
  ASSERT_TRUE(follow(kMid, Reason::kPurchase, {}));
  ASSERT_FALSE(follow(kTop, Reason::kInactivity, kDay * 100));
  EXPECT_EQ(stay_ends(), kBeforeAll) << "nothing waits";
  EXPECT_FALSE(follow(kTop, Reason::kPopulationShift, kDay * 200));
  EXPECT_EQ(out_.suppressed, 1U) << "the same move is counted once";
  EXPECT_FALSE(follow(kMid, Reason::kInactivity, kDay * 201));
  EXPECT_TRUE(follow(kTop, Reason::kPurchase, kDay * 202));
  EXPECT_FALSE(last().held);
}

TEST_F(Damping, WithoutTheGuardEveryDirectionIsTaken) {
  change_spec([](SegmentationSpec& spec) { spec.guard = false; });
  ASSERT_TRUE(follow(kMid, Reason::kPurchase, {}));
  EXPECT_TRUE(follow(kTop, Reason::kInactivity, kDay * 7));
  EXPECT_TRUE(follow(kLow, Reason::kPurchase, kDay * 8));
}

TEST_F(Damping, AStayPutsOffWithItsOwnReason) {
  ASSERT_TRUE(follow(kMid, Reason::kPurchase, {}));
  EXPECT_FALSE(follow(kLow, Reason::kPopulationShift, kDay));
  EXPECT_EQ(stay_ends(), kStart + kDay * 7);
  EXPECT_FALSE(follow(kLow, Reason::kInactivity, kDay * 7 - kMs));
  EXPECT_TRUE(follow(kLow, Reason::kInactivity, kDay * 7));
  EXPECT_EQ(last().reason, Reason::kPopulationShift);
  EXPECT_EQ(stay_ends(), kBeforeAll);
}

TEST_F(Damping, AFallToALostSegmentWaitsUnlessItIsBySilence) {
  ASSERT_TRUE(follow(kMid, Reason::kPurchase, {}));
  EXPECT_FALSE(follow(kLost, Reason::kModelChange, kDay));
  EXPECT_FALSE(follow(kMid, Reason::kModelChange, kDay * 2));
  EXPECT_TRUE(follow(kLost, Reason::kInactivity, kDay * 3));
}

TEST_F(Damping, WhatIsTakenBackBeforeItsTimeLeavesNoTrace) {
  ASSERT_TRUE(follow(kMid, Reason::kPurchase, {}));
  const SegmentState before = row_.segments[0];
  ASSERT_FALSE(follow(kLow, Reason::kPopulationShift, kDay));
  EXPECT_NE(row_.segments[0], before);
  EXPECT_FALSE(follow(kMid, Reason::kPopulationShift, kDay * 2));
  EXPECT_EQ(row_.segments[0], before);
}

TEST_F(Damping, APurchaseThatCallsForWhatIsHeldIsNotHeld) {
  ASSERT_TRUE(follow(kLow, Reason::kPurchase, {}));
  ASSERT_FALSE(follow(kTop, Reason::kPopulationShift, kDay));
  EXPECT_TRUE(follow(kTop, Reason::kPurchase, kDay * 2));
  EXPECT_EQ(last().reason, Reason::kPurchase);
  ASSERT_TRUE(last().held);
  EXPECT_EQ(last().held->segment, segment(kTop));
  EXPECT_EQ(last().held->since, kStart + kDay);
}

TEST_F(Damping, APurchaseThatCallsForWhatSilenceMayNotIsTaken) {
  ASSERT_TRUE(follow(kLow, Reason::kPurchase, {}));
  ASSERT_FALSE(follow(kTop, Reason::kInactivity, kDay * 100));
  EXPECT_TRUE(follow(kTop, Reason::kPurchase, kDay * 101));
  EXPECT_EQ(last().reason, Reason::kPurchase);
}

TEST_F(Damping, AFallThatIsHeldIsDroppedByAPurchaseThatDoesNotEndIt) {
  ASSERT_TRUE(follow(kMid, Reason::kPurchase, {}));
  ASSERT_FALSE(follow(kLow, Reason::kModelChange, kDay));
  EXPECT_FALSE(follow(kLow, Reason::kPurchase, kDay * 2));
  EXPECT_EQ(stay_ends(), kBeforeAll);
  EXPECT_FALSE(follow(kLow, Reason::kInactivity, kDay * 20));
  EXPECT_EQ(out_.suppressed, 1U);
}

TEST_F(Damping, AReturnThatCallsForNothingElseLeavesWhatIsHeld) {
  ASSERT_TRUE(follow(kMid, Reason::kPurchase, {}));
  ASSERT_FALSE(follow(kTop, Reason::kPopulationShift, kDay));
  EXPECT_FALSE(follow(kTop, Reason::kReturn, kDay * 2));
  EXPECT_TRUE(follow(kTop, Reason::kInactivity, kDay * 7));
  EXPECT_EQ(last().reason, Reason::kPopulationShift);
}

TEST_F(Damping, AReturnThatCallsForAnotherCellOfTheSegmentThatIsHeldIsNotHeld) {
  change_spec([](SegmentationSpec& spec) {
    spec.map[kLost - 1] = {"s1", {{"f", kLost, kLow}}};  // Both cells.
    spec.map.erase(spec.map.begin() + kLow - 1);
    spec.segments.erase(spec.segments.begin() + kLow - 1);
  });
  ASSERT_TRUE(follow(kMid, Reason::kPurchase, {}));
  ASSERT_FALSE(follow(kLow, Reason::kPopulationShift, kDay));
  EXPECT_TRUE(follow(kLost, Reason::kReturn, kDay * 2));
  EXPECT_EQ(last().reason, Reason::kReturn);
}

TEST_F(Damping, WhatWasHeldIsOnTheNextTransitionSinceItWasCalledFor) {
  ASSERT_TRUE(follow(kMid, Reason::kPurchase, {}));
  ASSERT_FALSE(follow(kLow, Reason::kPopulationShift, kDay + kMs));
  ASSERT_TRUE(follow(kTop, Reason::kPurchase, kDay * 2));
  ASSERT_TRUE(last().held);
  EXPECT_EQ(last().held->segment, segment(kLow));
  EXPECT_EQ(last().held->since, kStart + kDay + seconds{1}) << "in whole seconds, never earlier";
}

TEST_F(Damping, PrecedenceDecidesAtOneInstant) {
  rules_.precedence = {1, 0};
  EXPECT_EQ(moved({{0, kMid}, {1, kMid}}, Reason::kPurchase, {}),
            (Restraints{Restraint::kPrecedence, Restraint::kNone}));
  EXPECT_EQ(last().action->text, "act");
  rules_.precedence = {0, 1};
  EXPECT_EQ(moved({{0, kTop}, {1, kTop}}, Reason::kPurchase, kDay),
            (Restraints{Restraint::kNone, Restraint::kPrecedence}));
}

TEST_F(Damping, TheEarlierStandsWhileItIsQuietUnlessTheCustomerActs) {
  ASSERT_EQ(moved({{0, kMid}}, Reason::kPurchase, {}), Restraints{Restraint::kNone});
  ASSERT_EQ(moved({{1, kMid}}, Reason::kPurchase, {}), Restraints{Restraint::kPrecedence})
      << "two events of one instant are one";
  EXPECT_EQ(moved({{0, kLost}}, Reason::kInactivity, kDay * 7 - kMs),
            Restraints{Restraint::kPrecedence});
  EXPECT_EQ(moved({{1, kLost}}, Reason::kInactivity, kDay * 7), Restraints{Restraint::kNone});
  EXPECT_EQ(moved({{1, kMid}}, Reason::kPurchase, kDay * 8), Restraints{Restraint::kNone});
}

TEST_F(Damping, AnEventThatMovesNothingDoesNotEndTheQuietOfItsInstant) {
  ASSERT_EQ(moved({{0, kMid}}, Reason::kPurchase, {}), Restraints{Restraint::kNone});
  ASSERT_EQ(moved({}, Reason::kPurchase, {}), Restraints{});
  EXPECT_EQ(moved({{1, kMid}}, Reason::kPurchase, {}), Restraints{Restraint::kPrecedence});
  ASSERT_EQ(moved({}, Reason::kPurchase, kDay), Restraints{}) << "a later one does";
  EXPECT_EQ(moved({{1, kLost}}, Reason::kInactivity, kDay * 2), Restraints{Restraint::kNone});
}

TEST_F(Damping, WithoutQuietAllStand) {
  rules_.quiet = Duration{0};
  EXPECT_EQ(moved({{0, kMid}, {1, kMid}}, Reason::kPurchase, {}),
            (Restraints{Restraint::kNone, Restraint::kNone}));
}

TEST_F(Damping, MovesByCutsAndModelHaveNoActionAndStandInNobodysWay) {
  ASSERT_EQ(moved({{0, kMid}}, Reason::kPurchase, {}), Restraints{Restraint::kNone});
  EXPECT_EQ(moved({{0, kTop}}, Reason::kModelChange, kDay * 10), Restraints{Restraint::kNoAction});
  EXPECT_EQ(last().action, nullptr);
  EXPECT_EQ(moved({{0, kLost}}, Reason::kInactivity, kDay * 11), Restraints{Restraint::kNone});
}

TEST_F(Damping, AnActionIsBoundToItsDirection) {
  change_spec([](SegmentationSpec& spec) {
    spec.segments[kMid - 1].actions = {{.text = "rise",
                                        .on = MoveKind::kUpOrFirst,
                                        .where_segmentation = "",
                                        .where_segments = {}}};
    spec.segments[kLow - 1].actions = {
        {.text = "fall", .on = MoveKind::kDown, .where_segmentation = "", .where_segments = {}}};
  });
  EXPECT_EQ(moved({{0, kMid}}, Reason::kPurchase, {}), Restraints{Restraint::kNone}) << "the first";
  EXPECT_EQ(last().action->text, "rise");
  EXPECT_EQ(moved({{0, kLow}}, Reason::kInactivity, kDay * 30), Restraints{Restraint::kNone});
  EXPECT_EQ(last().action->text, "fall");
  EXPECT_EQ(moved({{0, kMid}}, Reason::kPurchase, kDay * 60), Restraints{Restraint::kNone}) << "up";
  EXPECT_EQ(moved({{0, kTop}}, Reason::kPurchase, kDay * 61), Restraints{Restraint::kNone});
  EXPECT_EQ(moved({{0, kMid}}, Reason::kInactivity, kDay * 90), Restraints{Restraint::kNoAction});
}

TEST_F(Damping, AnActionMayDependOnAnotherSegmentation) {
  change_spec([](SegmentationSpec& spec) {
    spec.segments[kMid - 1].actions = {
        {.text = "remind", .where_segmentation = "b", .where_segments = {"s2", "s4"}},
        {.text = "win back", .where_segmentation = "", .where_segments = {}}};
  });
  moved({{0, kMid}, {1, kTop}}, Reason::kPurchase, {});
  EXPECT_EQ(out_.transitions[0].action->text, "remind") << "as it is after the instant";
  moved({{0, kTop}, {1, kLost}}, Reason::kReturn, kDay * 10);
  moved({{0, kMid}}, Reason::kReturn, kDay * 20);
  EXPECT_EQ(last().action->text, "win back");
}

TEST_F(Damping, ACooldownHoldsForOneSegmentAndStandsInNobodysWay) {
  change_spec([](SegmentationSpec& spec) {
    spec.segments[kMid - 1].actions[0].cooldown_ms = Duration{kDay * 30}.count();
  });
  ASSERT_EQ(moved({{0, kMid}}, Reason::kPurchase, {}), Restraints{Restraint::kNone});
  ASSERT_EQ(moved({{0, kTop}}, Reason::kPurchase, kDay), Restraints{Restraint::kNone});
  ASSERT_TRUE(follow(kLow, Reason::kReturn, kDay * 2));
  EXPECT_EQ(moved({{0, kMid}, {1, kMid}}, Reason::kPurchase, kDay * 30 - kMs),
            (Restraints{Restraint::kCooldown, Restraint::kNone}));
  ASSERT_TRUE(follow(kLow, Reason::kReturn, kDay * 30 - kMs));
  EXPECT_EQ(moved({{0, kMid}}, Reason::kPurchase, kDay * 30), Restraints{Restraint::kNone});
  ASSERT_TRUE(row_.cooldowns);
  EXPECT_EQ(row_.cooldowns->size(), 1U) << "what is over is forgotten";
}

TEST_F(Damping, WithoutQuietEachActionOfAnInstantHasItsCooldown) {
  change_spec([](SegmentationSpec& spec) {
    spec.segments[kMid - 1].actions[0].cooldown_ms = Duration{kDay * 30}.count();
  });
  rules_.quiet = Duration{0};
  moved({{0, kMid}, {1, kMid}}, Reason::kPurchase, {});
  moved({{0, kLow}}, Reason::kReturn, kDay);
  EXPECT_EQ(moved({{0, kMid}}, Reason::kPurchase, kDay * 2), Restraints{Restraint::kCooldown});
}

}  // namespace
}  // namespace rfm
