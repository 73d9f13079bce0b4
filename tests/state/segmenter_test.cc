// Goal: other cuts are followed once the value is past them by the margin, and silence to the
// millisecond, in whatever steps it is asked.
// Method: one axis by hand; random segmentations, cuts and customers, one long silence against
// many short ones.
#include "state/segmenter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "tests/state/random_models.h"

namespace rfm {
namespace {

using std::chrono::hours;

constexpr Duration kDay = hours{24};
const EventTime kSale = boundary_of(kFirstEpoch);

std::int64_t days(double count) {
  return static_cast<std::int64_t>(count * static_cast<double>(Duration{kDay}.count()));
}

// Three scores of one axis, the cuts of which the model has.
class Margin {
 public:
  explicit Margin(Quantity quantity, std::vector<std::int64_t> fixed, double margin) {
    SegmentationSpec spec;
    spec.name = "one";
    spec.axes = {{.name = "x",
                  .cuts = {.quantity = quantity, .bins = 3, .bounds = {}, .fixed = fixed},
                  .margin = margin}};
    for (int score = 1; score <= 3; ++score) {
      const std::string segment = "s" + std::to_string(score);
      const bool takes_absent = quantity == Quantity::kOverdue && score == 1;
      spec.map.push_back({segment, {{"x", takes_absent ? 0 : score, score}}});
      spec.segments.push_back({.name = segment, .rank = score, .description = "", .actions = {}});
    }
    rules_.segmentations = *Segmentations::create({spec});
    old_ = version_with(std::move(fixed));
  }

  ModelVersion version_with(std::vector<std::int64_t> cuts) const {
    ModelVersion version;
    const CutSpec& spec = rules_.segmentations.cut_specs()[0];
    version.cuts = {{spec.quantity, spec.method, spec.bins, std::move(cuts)}};
    return version;
  }
  Segmenter segmenter() const { return {rules_, 0}; }
  const ModelVersion& old() const { return old_; }
  int score(Call call) const {
    return rules_.segmentations[0].scores_of(
        static_cast<std::uint16_t>(call.code - kFirstSegment))[0];
  }
  // Scored under the old cuts just before, then under `cuts`.
  Call adopted(CustomerFacts facts, const ModelVersion& to) const {
    facts.version = &old_;
    const CustomerFacts before = facts;
    const Call current = segmenter().call_at_change(facts, {});
    facts.version = &to;
    return segmenter().call_at_boundary(before, facts, current);
  }

 private:
  Rules rules_;
  ModelVersion old_;
};

CustomerFacts silent_for(double count) {
  return {.at = kSale + Duration{days(count)},
          .first_purchase = kSale,
          .last_purchase = kSale,
          .frequency = 1,
          .monetary = {10'000}};
}

TEST(Segmenter, AnEarlierCutOfRecencyIsFollowedOnceItIsPassedByTheMargin) {
  const Margin axis(Quantity::kRecency, {days(30), days(60)}, .1);
  const ModelVersion to = axis.version_with({days(20), days(60)});
  EXPECT_EQ(axis.score(axis.adopted(silent_for(25), to)), 2);
  CustomerFacts facts = silent_for(21);
  const Call waiting = axis.adopted(facts, to);
  EXPECT_EQ(axis.score(waiting), 3);
  EXPECT_NE(waiting.waiting, 0);
  facts.version = &to;
  const EventTime change = axis.segmenter().next_change(facts, waiting, kNever);
  EXPECT_EQ(change, kSale + Duration{days(22) + 1});
  facts.at = change;
  const Call fallen = axis.segmenter().call_in_silence(facts, waiting);
  EXPECT_EQ(axis.score(fallen), 2);
  EXPECT_EQ(fallen.waiting, 0);
  EXPECT_EQ(axis.segmenter().next_change(facts, fallen, kNever), kSale + Duration{days(60) + 1})
      << "a cut that stays where it is asks for no margin";
}

TEST(Segmenter, ALaterCutOfRecencyIsFollowedOnceItIsFarByTheMargin) {
  const Margin axis(Quantity::kRecency, {days(30), days(60)}, .1);
  const ModelVersion to = axis.version_with({days(40), days(60)});
  EXPECT_EQ(axis.score(axis.adopted(silent_for(38), to)), 2);
  EXPECT_EQ(axis.score(axis.adopted(silent_for(36), to)), 3);
}

TEST(Segmenter, AReturnThatLeavesOnePurchaseTakesTheOverdueScoreAway) {
  const Margin axis(Quantity::kOverdue, {1'000, 2'000}, .1);
  CustomerFacts before = silent_for(25);
  before.version = &axis.old();
  before.frequency = 2;
  before.first_purchase -= 10 * kDay;
  const Call held = axis.segmenter().call_at_change(before, {});
  EXPECT_EQ(axis.score(held), 1);
  CustomerFacts after = before;
  after.frequency = 1;
  after.first_purchase = after.last_purchase;
  const Call call = axis.segmenter().call_at_return(before, after, held);
  EXPECT_EQ(axis.score(call), 0);
  EXPECT_EQ(axis.segmenter().next_change(after, call, kNever), kNever);
}

TEST(Segmenter, CutsOfSpendAreFollowedByTheMarginAndByTheCustomersOwnActAtOnce) {
  const Margin axis(Quantity::kMonetary, {1'000'000, 2'000'000}, .1);
  const ModelVersion higher = axis.version_with({1'200'000, 2'000'000});
  const auto spent = [](std::int64_t units) {
    CustomerFacts facts = silent_for(1);
    facts.monetary = {units};
    return facts;
  };
  EXPECT_EQ(axis.score(axis.adopted(spent(1'080'001), higher)), 2);
  EXPECT_EQ(axis.score(axis.adopted(spent(1'080'000), higher)), 1);
  const ModelVersion lower = axis.version_with({800'000, 2'000'000});
  EXPECT_EQ(axis.score(axis.adopted(spent(880'000), lower)), 1);
  EXPECT_EQ(axis.score(axis.adopted(spent(880'001), lower)), 2);
  CustomerFacts now = spent(1'100'000);
  now.version = &higher;
  const Call held = axis.adopted(now, higher);
  EXPECT_EQ(axis.score(held), 2);
  EXPECT_EQ(axis.score(axis.segmenter().call_at_change(now, held)), 1);
}

TEST(Segmenter, AReturnReleasesNothingThatItDidNotBringAbout) {
  const Margin axis(Quantity::kMonetary, {1'000'000, 2'000'000}, .1);
  const ModelVersion higher = axis.version_with({1'200'000, 2'000'000});
  CustomerFacts before = silent_for(1);
  before.monetary = {1'150'000};
  before.version = &higher;
  const Call held = axis.adopted(before, higher);
  ASSERT_EQ(axis.score(held), 2) << "within the margin of the higher cut";
  CustomerFacts after = before;
  after.monetary = {1'100'000};
  EXPECT_EQ(axis.segmenter().call_at_return(before, after, held), held);
  after.monetary = {1'080'000};
  EXPECT_EQ(axis.score(axis.segmenter().call_at_return(before, after, held)), 1)
      << "past the margin now";
  before.monetary = {1'200'001};
  after.monetary = {1'200'000};
  EXPECT_EQ(axis.score(axis.segmenter().call_at_return(before, after, held)), 1)
      << "past the cut itself";
}

TEST(Segmenter, AReturnLeavesAScoreOfRecencyWaiting) {
  const Margin axis(Quantity::kRecency, {days(30), days(60)}, .1);
  const ModelVersion to = axis.version_with({days(20), days(60)});
  CustomerFacts facts = silent_for(21);
  const Call waiting = axis.adopted(facts, to);
  facts.version = &to;
  EXPECT_EQ(axis.segmenter().call_at_return(facts, facts, waiting), waiting);
  CustomerFacts earlier = facts;  // The last purchase is cancelled.
  earlier.first_purchase = earlier.last_purchase = kSale - Duration{days(10)};
  const Call fallen = axis.segmenter().call_at_return(facts, earlier, waiting);
  EXPECT_EQ(axis.score(fallen), 2);
  EXPECT_EQ(fallen.waiting, 0);
}

TEST(Segmenter, WithoutAMarginCutsAreFollowedAtOnce) {
  const Margin axis(Quantity::kRecency, {days(30), days(60)}, 0);
  const ModelVersion to = axis.version_with({days(20), days(60)});
  EXPECT_EQ(axis.score(axis.adopted(silent_for(20), to)), 3);
  EXPECT_EQ(axis.score(axis.adopted(silent_for(20.0001), to)), 2);
}

// What is called for at the end is the same with the calls in between stored or not, and the first
// change is known to the millisecond.
TEST(SegmenterProperty, SilenceCallsForTheSameInWhateverSteps) {
  int change_count = 0;
  int waiting_count = 0;
  for (std::uint64_t seed = 0; seed < 1'500 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    Random random(seed);
    Rules rules;
    rules.segmentations = *Segmentations::create({random_segmentation(
        random, "one", {{"r", Quantity::kRecency}, {"overdue", Quantity::kOverdue}},
        Damping::kRandom)});
    ModelVersion old;
    ModelVersion version;
    old.cuts = random_cuts(random, rules.segmentations);
    // Other ones, or the same a little earlier: the score waits for the margin.
    version.cuts = random_cuts(random, rules.segmentations);
    if (random.happens(.5)) {
      version.cuts = old.cuts;
      for (TrainedCuts& trained : version.cuts)
        for (std::int64_t& cut : trained.cuts) cut -= cut / 8;
    }
    const Segmenter segmenter(rules, 0);
    const EventTime last = kSale + kDay * 20;
    CustomerFacts facts{.at = last + Duration{random.between(0, days(20))},
                        .first_purchase = last - Duration{random.between(0, days(20))},
                        .last_purchase = last,
                        .frequency = static_cast<std::uint32_t>(random.between(1, 5)),
                        .monetary = {random.between(0, 5'000'000)},
                        .version = &old};
    const CustomerFacts before = facts;
    const Call scored = segmenter.call_at_change(facts, {});
    facts.version = &version;
    const Call current = segmenter.call_at_boundary(before, facts, scored);
    waiting_count += current.waiting != 0 ? 1 : 0;
    const SegmentCode segment = segmenter.segment_of(current, version);
    const EventTime start = facts.at;
    const EventTime change = segmenter.next_change(facts, current, kNever);
    const auto called_at = [&](EventTime at, Call from) {
      facts.at = at;
      return segmenter.call_in_silence(facts, from);
    };
    const auto segment_at = [&](EventTime at) {
      return segmenter.segment_of(called_at(at, current), version);
    };
    if (change != kNever) {
      ++change_count;
      ASSERT_GT(change, start);
      ASSERT_EQ(segment_at(change - kMs), segment);
      ASSERT_NE(segment_at(change), segment);
    }
    const EventTime end = start + kDay * 60;
    for (int i = 0; i < 5; ++i) {
      const EventTime at = random.time(start, std::min(end, change - kMs));
      ASSERT_EQ(segment_at(at), segment) << to_ms(at);
    }
    Call stepped = current;
    for (EventTime at = start; at < end;) {
      at = std::min(end, at + Duration{random.between(1, days(15))});
      stepped = called_at(at, stepped);
      ASSERT_EQ(segmenter.segment_of(stepped, version), segment_at(at)) << to_ms(at);
    }
  }
  EXPECT_GT(change_count, 500);
  EXPECT_GT(waiting_count, 40);
}

}  // namespace
}  // namespace rfm
