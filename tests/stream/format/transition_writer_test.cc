// Goal: what is published is as the schema and docs say, byte for byte.
// Method: one transition per reason as text in tests/golden/transitions.jsonl, which
// transition_schema_test.py holds against the published schema.
#include "stream/format/transition_writer.h"

#include <gtest/gtest.h>

#include "model/cluster_names.h"
#include "state/damping.h"
#include "state/segmenter.h"
#include "tests/golden/golden_file.h"

namespace rfm {
namespace {

using std::chrono::hours;

constexpr EventTime kNow = from_ms(1'322'000'000'123);

class TransitionWriterTest : public testing::Test {
 protected:
  TransitionWriterTest() {
    old_version_.number = 11;
    ClusterModel& clusters = old_version_.clusters.emplace();
    clusters.cluster_count = 2;
    clusters.weight = {1, 1, 1};
    clusters.centroids[0] = {1.5, 2.25, 8.125};
    clusters.centroids[1] = {4.5, .75, 5.5};
    clusters.names = {kChampions, kHibernating};
    old_version_.churn = ChurnModel{.nbd_r = .8, .nbd_alpha_days = 70.5, .intercept = -.25};
    old_version_.churn->sd.fill(1);
    new_version_ = old_version_;
    new_version_.number = 12;
    const auto days = [](std::int64_t count) { return count * 86'400'000; };
    new_version_.cuts = {
        {.quantity = Quantity::kRecency, .cuts = {days(40), days(75), days(100), days(130)}},
        {.quantity = Quantity::kFrequency, .cuts = {1, 2, 4, 8}},
        {.quantity = Quantity::kMonetary, .cuts = {999'999, 2'999'999, 7'999'999, 19'999'999}}};
    new_version_.clusters->centroids[1] = {3, 1, 6};
    row_.id = "17850";
    row_.birth = 0x0123456789abcdef;
    before_ = {.at = kNow - Duration{1},
               .first_purchase = kNow - hours{24 * 200},
               .last_purchase = kNow - hours{24 * 30} - Duration{1},
               .frequency = 3,
               .monetary = {9'419'400},
               .version = &old_version_};
    after_ = before_;
    after_.at = kNow;
  }

  SegmentCode code(std::size_t segmentation, std::string_view name) const {
    const Segmentation& in = rules_.segmentations[segmentation];
    if (name == kNoSegment) return kNoSegmentCode;
    for (std::size_t i = 0; i < in.info_count(); ++i)
      if (in.info(i).name == name) return static_cast<SegmentCode>(kFirstSegment + i);
    ADD_FAILURE() << name;
    return kUnassigned;
  }

  Transition transition(std::string_view segmentation, Reason reason, std::string_view from,
                        std::string_view to) const {
    const std::size_t s = rules_.segmentations.find(segmentation);
    const Segmentation& in = rules_.segmentations[s];
    const Segmenter segmenter(rules_, s);
    Transition t{.row = &row_,
                 .rules = &rules_,
                 .from_in = &in,
                 .segmentation = static_cast<std::uint8_t>(s),
                 .reason = reason,
                 .from = code(s, from),
                 .to = code(s, to),
                 .from_since = kNow - hours{24 * 30},
                 .seq = 3,
                 .call = segmenter.call_at_change(after_, {}),
                 .before = before_,
                 .after = after_,
                 .cause = nullptr};
    t.direction = direction_of(in, t.from, t.to);
    for (const SegmentAction& action : segment_info(in, t.to).actions)
      if (action.where_segmentation.empty()) t.action = &action;
    if (t.action == nullptr) t.restraint = Restraint::kNoAction;
    return t;
  }

  TransitionSubject subject() const {
    return {.id = row_.id, .birth = row_.birth, .consent = row_.consent};
  }

  void write(const Transition& t) {
    const TransitionSubject whom = subject();
    writer_.write(t, whom, {.go_live = {.offset = 70}, .live_after = kNow - hours{1}});
    for (const Header& header : writer_.headers()) {
      text_.append(header.name).append(": ").append(header.value).append("\n");
    }
    bodies_.append(writer_.body()).append("\n");
  }

  Rules rules_;
  TransitionWriter writer_{{.application = "shop"}};
  ModelVersion old_version_;
  ModelVersion new_version_;
  CustomerRow row_;
  CustomerFacts before_;
  CustomerFacts after_;
  Cause cause_{.invoice_no = "536365", .event_id = "e-1", .event_time = kNow, .position = 76};
  std::string text_;
  std::string bodies_;
};

TEST_F(TransitionWriterTest, TransitionsAreAsPublished) {
  write(transition("rfm", Reason::kInactivity, "Champions", "Loyal"));

  Transition first = transition("rfm", Reason::kPurchase, "none", "New");
  first.seq = 1;
  first.before.frequency = 0;
  first.before.monetary = {};
  first.after.frequency = 1;
  first.after.last_purchase = first.after.first_purchase = kNow;
  first.cause = &cause_;
  row_.consent = true;
  write(first);

  Transition again = transition("rfm", Reason::kPurchase, "Loyal", "Champions");
  again.after.last_purchase = kNow;
  again.after.frequency = 4;
  again.after.monetary = {12'419'400};
  again.call = Segmenter(rules_, again.segmentation).call_at_change(again.after, {});
  again.cause = &cause_;
  write(again);

  Transition returned = transition("rfm", Reason::kReturn, "Loyal", "none");
  returned.after.frequency = 0;
  returned.after.monetary = {-10'000};
  returned.cause = &cause_;
  write(returned);

  Transition late = transition("rfm", Reason::kLateEvent, "Need Attention", "Loyal");
  cause_.event_id.clear();
  cause_.position = 69;
  cause_.event_time = kNow - hours{24 * 2};
  late.after.frequency = 5;
  late.cause = &cause_;
  write(late);
  row_.consent = false;

  Transition moved = transition("cluster", Reason::kPopulationShift, "Champions", "Hibernating");
  moved.after.version = &new_version_;
  moved.before.at = kNow;
  write(moved);

  Transition cuts = transition("rfm", Reason::kPopulationShift, "Loyal", "Champions");
  cuts.before.version = &old_version_;
  cuts.after.version = &new_version_;
  cuts.before.at = kNow;
  cuts.held = HeldSegment{.segment = cuts.to, .since = kNow - hours{24 * 3}};
  write(cuts);

  Transition risk = transition("churn", Reason::kInactivity, "Low", "High");
  risk.restraint = Restraint::kPrecedence;
  row_.consent.reset();
  write(risk);

  Transition erased = transition("rfm", Reason::kErasure, "Loyal", "none");
  erased.after = {.at = kNow, .version = &old_version_};
  write(erased);
  expect_golden("transitions.jsonl", bodies_);
  expect_golden("transition_headers.txt", text_);
}

TEST_F(TransitionWriterTest, SaysWhyOneIsNotActionable) {
  const TransitionContext live{.live_after = kNow - hours{1}};
  const auto reason = [&](const Transition& t, const TransitionContext& context) {
    return suppressed_by(t, subject(), context, rules_);
  };
  Transition t = transition("rfm", Reason::kInactivity, "Loyal", "At Risk");
  EXPECT_EQ(reason(t, live), "");
  EXPECT_EQ(reason(t, {.live_after = kNow}), "go_live");
  EXPECT_EQ(reason(t, {.live_after = std::nullopt}), "go_live");
  t.reason = Reason::kPopulationShift;
  EXPECT_EQ(reason(t, live), "population");
  t.reason = Reason::kModelChange;
  EXPECT_EQ(reason(t, live), "model");
  t.reason = Reason::kErasure;
  EXPECT_EQ(reason(t, live), "erasure");
  t.reason = Reason::kPurchase;
  t.cause = &cause_;
  EXPECT_EQ(reason(t, live), "");
  t.restraint = Restraint::kPrecedence;
  EXPECT_EQ(reason(t, live), "precedence");
  t.restraint = Restraint::kCooldown;
  EXPECT_EQ(reason(t, live), "cooldown");
  t.restraint = Restraint::kNoAction;
  EXPECT_EQ(reason(t, live), "no_action");
  t.restraint = Restraint::kNone;
  EXPECT_EQ(reason(t, {.go_live = {.offset = 77}}), "go_live");
  EXPECT_EQ(reason(t, {.go_live = {.offset = 77, .time = kNow}}), "");
  EXPECT_EQ(reason(t, {.go_live = {.time = kNow + Duration{1}}}), "go_live");
  row_.consent = false;
  EXPECT_EQ(reason(t, live), "consent");
  row_.consent.reset();
  rules_.holdout_fraction = 1;
  EXPECT_EQ(reason(t, live), "holdout");
}

TEST_F(TransitionWriterTest, CurrentSegmentsAreAsPublished) {
  row_.segments.resize(3);
  row_.segments[0] = {.since = kNow, .seq = 1, .segment = code(0, "Low"), .call = {}};
  row_.segments[1] = {.since = kNow, .seq = 2, .segment = code(1, "Loyal"), .call = {}};
  row_.ledger.put({.number_hash = 1, .amount = {100'000}, .time = kNow - hours{24}}, rules_, kNow);
  CustomerFacts facts = facts_of(row_, rules_, &old_version_, kNow);
  facts.churn_risk = .41;
  expect_golden("customer_segments.jsonl",
                std::string(writer_.write_segments(row_, rules_, facts)) + "\n");
}

}  // namespace
}  // namespace rfm
