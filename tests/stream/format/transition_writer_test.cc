// Goal: what is published is as the schema and docs say, byte for byte.
// Method: one transition per reason as text in tests/golden/transitions.jsonl, which
// transition_schema_test.py holds against the published schema.
#include "stream/format/transition_writer.h"

#include <gtest/gtest.h>

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
    clusters.names = {"Champions", "Hibernating"};
    old_version_.churn = ChurnModel{.nbd_r = .8, .nbd_alpha_days = 70.5, .intercept = -.25};
    old_version_.churn->sd.fill(1);
    new_version_ = old_version_;
    new_version_.number = 12;
    new_version_.cuts.absolute = false;
    new_version_.cuts.recency_ms[0] = hours{24 * 7}.count();
    new_version_.clusters->centroids[1] = {3, 1, 6};
    row_.id = "17850";
    row_.birth = 0x0123456789abcdef;
    before_ = {.at = kNow - Duration{1},
               .first_purchase = kNow - hours{24 * 200},
               .last_purchase = kNow - hours{24 * 14} - Duration{1},
               .frequency = 3,
               .monetary = {9'419'400},
               .version = &old_version_};
    after_ = before_;
    after_.at = kNow;
  }

  Transition transition(Segmentation segmentation, Reason reason, SegmentCode from,
                        SegmentCode to) const {
    return {.row = &row_,
            .segmentation = segmentation,
            .reason = reason,
            .from = from,
            .to = to,
            .from_since = kNow - hours{24 * 30},
            .seq = 3,
            .segments = {2, 3, to},
            .before = before_,
            .after = after_,
            .cause = nullptr};
  }

  TransitionSubject subject() const {
    return {.id = row_.id, .birth = row_.birth, .consent = row_.consent};
  }

  void write(const Transition& t) {
    const TransitionSubject whom = subject();
    writer_.write(t, whom,
                  {.partition = 2,
                   .input_offset = 77,
                   .go_live = {.offset = 70},
                   .live_after = kNow - hours{1}});
    for (const Header& header : writer_.headers()) {
      text_.append(header.name).append(": ").append(header.value).append("\n");
    }
    bodies_.append(writer_.body()).append("\n");
  }

  Rules rules_;
  TransitionWriter writer_{{.application = "shop"}, rules_};
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
  const auto rfm = Segmentation::kRfm;
  write(transition(rfm, Reason::kInactivity, 9, 8));

  Transition first = transition(Segmentation::kChurn, Reason::kPurchase, kNoSegmentCode, 2);
  first.seq = 1;
  first.before.frequency = 0;
  first.before.monetary = {};
  first.cause = &cause_;
  row_.consent = true;
  write(first);

  Transition returned = transition(rfm, Reason::kReturn, 9, kNoSegmentCode);
  returned.after.frequency = 0;
  returned.after.monetary = {-10'000};
  returned.cause = &cause_;
  write(returned);

  Transition late = transition(rfm, Reason::kLateEvent, 8, 9);
  cause_.event_id.clear();
  cause_.position = 69;
  late.cause = &cause_;
  write(late);
  row_.consent = false;

  Transition moved = transition(Segmentation::kCluster, Reason::kPopulationShift, 2, 3);
  moved.after.version = &new_version_;
  moved.before.at = kNow;
  write(moved);

  Transition cuts = transition(rfm, Reason::kModelChange, 9, 8);
  cuts.after.version = &new_version_;
  cuts.before.at = kNow;
  write(cuts);

  write(transition(Segmentation::kChurn, Reason::kInactivity, 2, 4));

  Transition erased = transition(rfm, Reason::kErasure, 9, kNoSegmentCode);
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
  Transition t = transition(Segmentation::kRfm, Reason::kInactivity, 9, 8);
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
  row_.segments = {SegmentState{kNow, 1, 2}, SegmentState{kNow, 2, 3}, SegmentState{{}, 0, 0}};
  row_.ledger.put({.number_hash = 1, .amount = {100'000}, .time = kNow - hours{24}}, rules_, kNow);
  expect_golden("customer_segments.jsonl",
                std::string(writer_.write_segments(row_, old_version_, kNow, .41)) + "\n");
}

}  // namespace
}  // namespace rfm
