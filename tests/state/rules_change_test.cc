// Goal: at the boundary of other rules a row goes over to them at once, whatever steps lead there:
// what is called the same stays, what is new begins, what is gone ends, and chains go on.
#include "state/rules_change.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "state/advance.h"
#include "state/damping.h"
#include "state/epoch.h"
#include "state/resident_rows.h"
#include "state/time_context.h"

namespace rfm {
namespace {

using std::chrono::hours;

constexpr std::int64_t kFirstEpoch = 15'000;
constexpr std::int64_t kChange = kFirstEpoch + 10;
const EventTime kSale = boundary_of(kFirstEpoch) + hours{12};

SegmentationSpec rfm_spec() {
  SegmentationSpec spec = *find_preset("rfm");
  for (SegmentInfo& info : spec.segments) info.actions.clear();  // They look at `churn`.
  return spec;
}

// Held where it is for as long as nothing says otherwise.
SegmentationSpec held_spec() {
  SegmentationSpec spec = rfm_spec();
  spec.stay_ms = Duration{hours{24 * 60}}.count();
  return spec;
}

// The customer's figures, and silence.
SegmentationSpec points_spec(double far_days) {
  SegmentationSpec spec;
  spec.name = "points";
  spec.scorer = Scorer::kCluster;
  spec.centroids = {{"Near", 0, 1, 50}, {"Far", far_days, 1, 50}};
  spec.segments = {{.name = "Near", .rank = 2, .description = "", .actions = {}},
                   {.name = "Far", .rank = 1, .description = "", .actions = {}}};
  return spec;
}

Rules rules_of(std::int64_t version, std::vector<SegmentationSpec> specs) {
  Rules rules;
  rules.version = version;
  absl::StatusOr<Segmentations> made = Segmentations::create(std::move(specs));
  EXPECT_TRUE(made.ok()) << made.status();
  rules.segmentations = *std::move(made);
  rules.precedence = precedence_of({}, rules.segmentations);
  return rules;
}

// A customer with one purchase, and rules that follow each other every ten days.
class RulesChange : public testing::Test {
 protected:
  explicit RulesChange() { logs_.start_at(kFirstEpoch + 1); }

  void follow(std::vector<std::vector<SegmentationSpec>> versions) {
    first_ = rules_of(1, versions.front());
    for (std::size_t i = 1; i < versions.size(); ++i) {
      Rules rules = rules_of(static_cast<std::int64_t>(i) + 1, versions[i]);
      const auto& before = i == 1 ? first_ : *logs_.rules(static_cast<std::int64_t>(i));
      rules.segmentations.continue_cut_specs(before.segmentations.cut_specs());
      logs_.append_rules(std::make_shared<const Rules>(std::move(rules)),
                         kFirstEpoch + 10 * static_cast<std::int64_t>(i));
    }
    for (std::int64_t epoch = kFirstEpoch + 1; epoch < kFirstEpoch + 100; ++epoch) {
      ModelVersion version;
      version.trained_epoch = epoch;
      version.unchanged = true;
      logs_.append(std::make_shared<const ModelVersion>(version));
    }
  }

  // What becomes of the customer in steps of `step`.
  std::vector<std::string> run(Duration step, EventTime to) {
    const TimeContext context{first_, logs_};
    TransitionBuffer buffer;
    row_ = CustomerRow{};
    row_.segments.resize(first_.segmentations.size());
    apply_invoice(row_, {.invoice = {.number_hash = 1, .amount = {500'000}, .time = kSale}}, kSale,
                  context, buffer);
    for (EventTime at = kSale; at < to; at += step)
      advance(row_, at, std::min(to, at + step), context, buffer);
    std::vector<std::string> seen;
    for (const Transition& t : buffer.transitions) {
      const Segmentation& in = t.rules->segmentations[t.segmentation];
      seen.push_back(in.name() + " " + segment_info(*t.from_in, t.from).name + "->" +
                     segment_info(in, t.to).name + " " + std::string(name(t.reason)) + " " +
                     std::to_string(t.seq) + " day " +
                     std::to_string(epoch_of(t.effective_at()) - kFirstEpoch) + " rules " +
                     std::to_string(t.rules_version) +
                     (t.held ? " held " + segment_info(*t.from_in, t.held->segment).name : ""));
      if (t.reason == Reason::kRulesChange) {
        EXPECT_EQ(to_ms(t.effective_at()) % kEpoch.count(), 0);
        EXPECT_EQ(t.action, nullptr);
      }
    }
    return seen;
  }

  Rules first_;
  ModelTimeline logs_;
  CustomerRow row_;
};

TEST_F(RulesChange, ASegmentThatIsCalledOtherwiseIsATransition) {
  SegmentationSpec renamed = rfm_spec();
  for (SegmentInfo& info : renamed.segments)
    if (info.name == "New") info.name = "Newcomer";
  for (MapRule& rule : renamed.map)
    if (rule.segment == "New") rule.segment = "Newcomer";
  follow({{rfm_spec()}, {renamed}});
  const std::vector<std::string> expected = {"rfm none->New purchase 1 day 0 rules 1",
                                             "rfm New->Newcomer rules_change 2 day 10 rules 2",
                                             "rfm Newcomer->Promising inactivity 3 day 30 rules 2"};
  for (const Duration step :
       {Duration{hours{1}}, Duration{hours{24 * 7}}, Duration{hours{24 * 40}}})
    EXPECT_EQ(run(step, kSale + hours{24 * 35}), expected);
  EXPECT_EQ(row_.rules, 2U);
}

// Damping, ranks and actions: the label and what it waits for stay.
TEST_F(RulesChange, WhatCallsForTheSameKeepsItsLabel) {
  SegmentationSpec calmer = rfm_spec();
  calmer.stay_ms = Duration{hours{24 * 40}}.count();
  calmer.segments.front().description = "said otherwise";
  follow({{rfm_spec()}, {calmer}});
  const std::vector<std::string> expected = {
      "rfm none->New purchase 1 day 0 rules 1",
      "rfm New->Promising inactivity 2 day 40 rules 2 held Promising"};
  EXPECT_EQ(run(hours{5}, kSale + hours{24 * 45}), expected);
  EXPECT_EQ(run(hours{24 * 45}, kSale + hours{24 * 45}), expected);
}

// It is not held until something else happens to the customer.
TEST_F(RulesChange, WhatAShorterStayNoLongerHoldsMovesAtTheBoundary) {
  follow({{held_spec()}, {held_spec()}, {held_spec()}, {held_spec()}, {rfm_spec()}});
  const std::vector<std::string> expected = {
      "rfm none->New purchase 1 day 0 rules 1",
      "rfm New->Promising rules_change 2 day 40 rules 5 held Promising"};
  for (const Duration step :
       {Duration{hours{1}}, Duration{hours{24 * 7}}, Duration{hours{24 * 50}}})
    EXPECT_EQ(run(step, kSale + hours{24 * 50}), expected);
}

TEST_F(RulesChange, WhatWasHeldBackIsSaid) {
  SegmentationSpec renamed = held_spec();
  for (SegmentInfo& info : renamed.segments)
    if (info.name == "Promising") info.name = "Hopeful";
  for (MapRule& rule : renamed.map)
    if (rule.segment == "Promising") rule.segment = "Hopeful";
  follow({{held_spec()}, {held_spec()}, {held_spec()}, {held_spec()}, {renamed}});
  EXPECT_EQ(run(hours{24}, kSale + hours{24 * 41}).back(),
            "rfm New->Hopeful rules_change 2 day 40 rules 5 held Promising");
}

TEST_F(RulesChange, WhatWasHeldBackIsSaidAtTheEnd) {
  const SegmentationSpec churn = *find_preset("churn");
  follow({{held_spec()}, {held_spec()}, {held_spec()}, {held_spec()}, {churn}});
  EXPECT_EQ(run(hours{24}, kSale + hours{24 * 41})[1],
            "rfm New->none rules_change 2 day 40 rules 5 held Promising");
}

TEST_F(RulesChange, OtherPointsAreOtherSegments) {
  SegmentationSpec others = points_spec(999);
  for (GivenCentroid& point : others.centroids) point.segment += " too";
  for (SegmentInfo& info : others.segments) info.name += " too";
  follow({{points_spec(999)}, {others}});
  const std::vector<std::string> expected = {"points none->Near purchase 1 day 0 rules 1",
                                             "points Near->Near too rules_change 2 day 10 rules 2"};
  EXPECT_EQ(run(hours{24}, kSale + hours{24 * 25}), expected);
}

TEST_F(RulesChange, WhatIsEvaluatedAnewIsNotDamped) {
  SegmentationSpec held = points_spec(99);
  held.hysteresis = .9;
  SegmentationSpec other = held;
  other.recency_min_ms = Duration{hours{24}}.count();
  follow({{held}, {held}, {other}});
  EXPECT_EQ(run(hours{24}, kSale + hours{24 * 25}).back(),
            "points Near->Far rules_change 2 day 20 rules 3");
}

// At most one transition within `action.quiet` is acted on: the one in force.
TEST_F(RulesChange, QuietIsMeasuredAnewFromTheSameBeginning) {
  Rules from = rules_of(1, {rfm_spec()});
  Rules to = rules_of(2, {rfm_spec()});
  from.quiet = hours{24 * 7};
  to.quiet = hours{24 * 20};
  const ModelVersion version;
  const CustomerFacts facts{.at = boundary_of(kChange), .version = &version};
  TransitionBuffer buffer;
  row_.segments.resize(1);
  adopt_rules(row_, facts, facts, from, to, buffer);
  EXPECT_EQ(row_.quiet_until, kBeforeAll);
  row_.quiet_until = facts.at + hours{24 * 2};
  adopt_rules(row_, facts, facts, from, to, buffer);
  EXPECT_EQ(row_.quiet_until, facts.at + hours{24 * 15});
}

TEST_F(RulesChange, CutsThatAreOthersTakeEffectAtTheBoundaryAndNotBefore) {
  SegmentationSpec hasty = rfm_spec();
  for (Axis& axis : hasty.axes) {
    if (axis.cuts.quantity != Quantity::kRecency) continue;
    axis.cuts.method = CutMethod::kFixed;
    axis.cuts.bounds.clear();
    axis.cuts.fixed.clear();
    for (const int days : {2, 4, 6, 8})
      axis.cuts.fixed.push_back(Duration{hours{24 * days}}.count());
  }
  follow({{rfm_spec()}, {hasty}});
  const std::vector<std::string> seen = run(hours{7}, kSale + hours{24 * 20});
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[1], "rfm New->Hibernating rules_change 2 day 10 rules 2");
  EXPECT_EQ(run(hours{24 * 20}, kSale + hours{24 * 20}), seen);
}

TEST_F(RulesChange, ASegmentationThatIsGoneEndsAndItsChainGoesOnWhenItIsBack) {
  const SegmentationSpec churn = *find_preset("churn");
  follow({{rfm_spec(), churn}, {rfm_spec()}, {rfm_spec(), churn}});
  const std::vector<std::string> seen = run(hours{24 * 3}, kSale + hours{24 * 25});
  const std::vector<std::string> expected = {
      "churn none->Unassigned purchase 1 day 0 rules 1", "rfm none->New purchase 1 day 0 rules 1",
      "churn Unassigned->none rules_change 2 day 10 rules 2",
      "churn none->Unassigned rules_change 3 day 20 rules 3"};
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(row_.dropped, nullptr);
  EXPECT_EQ(run(hours{24 * 25}, kSale + hours{24 * 25}), expected);
}

// Of a customer of whom nothing counts there is nothing to say, but the row goes over too.
TEST_F(RulesChange, ACustomerWithoutAPurchaseFollowsSilently) {
  follow({{rfm_spec()}, {rfm_spec(), *find_preset("churn")}});
  const TimeContext context{first_, logs_};
  TransitionBuffer buffer;
  row_.segments.resize(1);
  apply_invoice(row_,
                {.invoice = {.number_hash = 1,
                             .amount = {500'000},
                             .time = kSale,
                             .type = InvoiceType::kCredit}},
                kSale, context, buffer);
  advance(row_, kSale, kSale + hours{24 * 12}, context, buffer);
  EXPECT_TRUE(buffer.transitions.empty());
  EXPECT_EQ(row_.rules, 2U);
  EXPECT_EQ(row_.segments.size(), 2U);
}

}  // namespace
}  // namespace rfm
