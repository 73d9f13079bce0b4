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
                     std::to_string(t.rules_version));
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
  const std::vector<std::string> expected = {"rfm none->New purchase 1 day 0 rules 1",
                                             "rfm New->Promising inactivity 2 day 40 rules 2"};
  EXPECT_EQ(run(hours{5}, kSale + hours{24 * 45}), expected);
  EXPECT_EQ(run(hours{24 * 45}, kSale + hours{24 * 45}), expected);
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
