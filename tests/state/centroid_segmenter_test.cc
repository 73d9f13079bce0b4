// Goal: a customer is with the nearest given centroid, whatever the model is, and silence moves him
// at the exact instant, or never where recency counts up to a day that is set.
// Method: two points on the axis of recency by hand; random points, one long silence against many.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "state/segmenter.h"

namespace rfm {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
const EventTime kSale = from_ms(1'000'000 * std::int64_t{1'000'000});

SegmentationSpec two_points() {
  SegmentationSpec spec;
  spec.name = "points";
  spec.scorer = Scorer::kCluster;
  spec.hysteresis = 0;
  spec.centroids = {{"Near", 0, 3, 100}, {"Far", 99, 3, 100}};
  spec.segments = {{.name = "Near", .rank = 2, .description = "", .actions = {}},
                   {.name = "Far", .rank = 1, .description = "", .actions = {}}};
  return spec;
}

Rules rules_of(SegmentationSpec spec) {
  Rules rules;
  rules.segmentations = *Segmentations::create({std::move(spec)});
  return rules;
}

CustomerFacts bought(const ModelVersion& version, EventTime at) {
  return {.at = at,
          .first_purchase = kSale,
          .last_purchase = kSale,
          .frequency = 3,
          .monetary = Money{1'000'000},
          .version = &version};
}

TEST(CentroidSegmenter, SilenceLeadsToTheOtherPointHalfWayInLogarithms) {
  const Rules rules = rules_of(two_points());
  const Segmenter segmenter(rules, 0);
  const ModelVersion none;
  CustomerFacts facts = bought(none, kSale);
  const Call near = segmenter.call_at_change(facts, {});
  EXPECT_EQ(segmenter.segment_of(near, none), kFirstSegment);
  EXPECT_EQ(segmenter.scores(facts), std::nullopt);
  // log1p R = log1p(99) / 2: R = 9 days.
  const EventTime change = segmenter.next_change(facts, near, kNever);
  EXPECT_NEAR(static_cast<double>((change - kSale).count()) / kDayMs, 9, 1e-6);
  facts.at = change - Duration{1};
  EXPECT_EQ(segmenter.call_in_silence(facts, near), near);
  facts.at = change;
  const Call far = segmenter.call_in_silence(facts, near);
  EXPECT_EQ(segmenter.segment_of(far, none), kFirstSegment + 1);
  EXPECT_EQ(segmenter.next_change(facts, far, kNever), kNever);
}

TEST(CentroidSegmenter, RecencyUpToADayIsAsOfThatDay) {
  SegmentationSpec spec = two_points();
  spec.recency_at_ms = to_ms(kSale) + 8 * kDayMs;
  const Rules rules = rules_of(spec);
  const Segmenter segmenter(rules, 0);
  const ModelVersion none;
  CustomerFacts facts = bought(none, kSale);
  const Call near = segmenter.call_at_change(facts, {});
  EXPECT_EQ(segmenter.segment_of(near, none), kFirstSegment);
  EXPECT_EQ(segmenter.next_change(facts, near, kNever), kNever);
  facts.at = kSale + Duration{400 * kDayMs};
  EXPECT_EQ(segmenter.call_in_silence(facts, near), near);
  // Who bought two days before it is 10 days silent then, and was when he bought.
  facts = bought(none, kSale - Duration{2 * kDayMs});
  facts.last_purchase = facts.at;
  EXPECT_EQ(segmenter.segment_of(segmenter.call_at_change(facts, {}), none), kFirstSegment + 1);
}

TEST(CentroidSegmenter, SilenceIsFollowedToTheMillisecondBetweenRandomPoints) {
  std::mt19937_64 random(1);
  const auto uniform = [&](double low, double high) {
    return low + (high - low) * static_cast<double>(random() >> 11) * 0x1p-53;
  };
  int changes = 0;
  for (int i = 0; i < 300; ++i) {
    SCOPED_TRACE(i);
    SegmentationSpec spec = two_points();
    spec.centroids.clear();
    for (int j = 0; j < 5; ++j) {
      spec.centroids.push_back({j % 2 == 0 ? "Near" : "Far", std::floor(uniform(0, 300)),
                                uniform(1, 9), uniform(1, 5'000)});
    }
    spec.scale = {uniform(.5, 2), uniform(.5, 2), uniform(.5, 2)};
    spec.hysteresis = i % 2 == 0 ? 0 : .2;
    const Rules rules = rules_of(spec);
    const Segmenter segmenter(rules, 0);
    const ModelVersion none;
    CustomerFacts facts = bought(none, kSale);
    const Call current = segmenter.call_at_change(facts, {});
    const EventTime change = segmenter.next_change(facts, current, kNever);
    const EventTime end = kSale + Duration{3'000 * kDayMs};
    for (int step = 0; step < 20; ++step) {
      facts.at = kSale + Duration{static_cast<std::int64_t>(uniform(0, 3'000)) * kDayMs};
      if (facts.at < std::min(change, end)) {
        EXPECT_EQ(segmenter.call_in_silence(facts, current), current);
      }
    }
    if (change >= end) continue;
    ++changes;
    facts.at = change - Duration{1};
    EXPECT_EQ(segmenter.call_in_silence(facts, current), current);
    facts.at = change;
    EXPECT_NE(segmenter.call_in_silence(facts, current), current);
  }
  EXPECT_GT(changes, 100);
}

}  // namespace
}  // namespace rfm
