// Goal: the figures are those of the textbook definitions, ties included, whatever the order of the
// rows.
#include "model/classification_metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace rfm {
namespace {

std::vector<ScoredOutcome> four() { return {{.1, false}, {.4, false}, {.35, true}, {.8, true}}; }

// Scores in 101 steps, so with ties; compared with figures of another program.
std::vector<ScoredOutcome> two_hundred() {
  std::vector<ScoredOutcome> outcomes;
  for (int i = 0; i < 200; ++i)
    outcomes.push_back({((i * 37) % 101) / 101.0, (i * i * 7 + 3 * i) % 11 < 5});
  return outcomes;
}

// The definition: every pair of one that happened and one that did not.
double area_by_pairs(const std::vector<ScoredOutcome>& outcomes) {
  double won = 0;
  double pairs = 0;
  for (const ScoredOutcome& yes : outcomes) {
    for (const ScoredOutcome& no : outcomes) {
      if (!yes.happened || no.happened) continue;
      ++pairs;
      won += yes.score > no.score ? 1 : (yes.score == no.score ? .5 : 0);
    }
  }
  return won / pairs;
}

TEST(AreaUnderRoc, EqualsValuesWorkedOutByHand) {
  EXPECT_DOUBLE_EQ(area_under_roc(four()).value(), .75);
  const std::vector<ScoredOutcome> tied = {{.3, true}, {.7, true}, {.3, false}, {.5, false}};
  EXPECT_DOUBLE_EQ(area_under_roc(tied).value(), 2.5 / 4);
  const std::vector<ScoredOutcome> constant = {{.2, true}, {.2, false}, {.2, false}};
  EXPECT_DOUBLE_EQ(area_under_roc(constant).value(), .5);
  const std::vector<ScoredOutcome> perfect = {{2, true}, {-1, false}, {7, true}};
  EXPECT_DOUBLE_EQ(area_under_roc(perfect).value(), 1);
}

TEST(AreaUnderRoc, IsAbsentWhereThereIsNothingToRank) {
  EXPECT_FALSE(area_under_roc({}));
  const std::vector<ScoredOutcome> one_kind = {{.2, true}, {.9, true}};
  EXPECT_FALSE(area_under_roc(one_kind));
}

TEST(AreaUnderRoc, EqualsTheCountOverAllPairs) {
  std::mt19937_64 rng(1);
  for (int round = 0; round < 50; ++round) {
    std::vector<ScoredOutcome> outcomes;
    for (std::size_t i = 0; i < 60; ++i)
      outcomes.push_back({static_cast<double>(rng() % 20) / 20, rng() % 3 == 0});
    outcomes.push_back({.5, true});
    outcomes.push_back({.5, false});
    EXPECT_NEAR(area_under_roc(outcomes).value(), area_by_pairs(outcomes), 1e-12);
  }
}

TEST(BrierScore, IsTheMeanSquaredError) {
  EXPECT_NEAR(brier_score(four()), (.01 + .16 + .4225 + .04) / 4, 1e-15);
  EXPECT_EQ(brier_score({}), 0);
}

TEST(CalibrationBins, SplitTheOrderOfScoresIntoEqualParts) {
  const std::vector<CalibrationBin> bins = calibration_bins(four(), 2);
  ASSERT_EQ(bins.size(), 2U);
  EXPECT_EQ(bins[0].count, 2U);
  EXPECT_DOUBLE_EQ(bins[0].score_min, .1);
  EXPECT_DOUBLE_EQ(bins[0].score_max, .35);
  EXPECT_DOUBLE_EQ(bins[0].score_mean, .225);
  EXPECT_DOUBLE_EQ(bins[0].happened_share, .5);
  EXPECT_DOUBLE_EQ(bins[1].score_mean, .6);
  EXPECT_DOUBLE_EQ(bins[1].happened_share, .5);
  EXPECT_NEAR(expected_calibration_error(bins), (.275 + .1) / 2, 1e-15);
}

TEST(CalibrationBins, KeepEqualScoresTogether) {
  const std::vector<ScoredOutcome> tied = {{.2, true}, {.2, false}, {.2, false}, {.9, true}};
  const std::vector<CalibrationBin> bins = calibration_bins(tied, 2);
  ASSERT_EQ(bins.size(), 2U);
  EXPECT_EQ(bins[0].count, 3U);
  EXPECT_EQ(bins[1].count, 1U);
  EXPECT_EQ(calibration_bins(tied, 100).size(), 2U);
  EXPECT_TRUE(calibration_bins({}, 10).empty());
  EXPECT_EQ(expected_calibration_error({}), 0);
}

TEST(ClassificationMetrics, EqualThoseOfAnotherProgram) {
  const std::vector<ScoredOutcome> outcomes = two_hundred();
  EXPECT_NEAR(area_under_roc(outcomes).value(), 0.5730773379354979, 1e-12);  // ROC by trapezoids.
  EXPECT_NEAR(brier_score(outcomes), 0.3010508773649642, 1e-12);
  const std::vector<CalibrationBin> bins = calibration_bins(outcomes, 10);
  EXPECT_NEAR(expected_calibration_error(bins), 0.19207920792079208, 1e-12);
  ASSERT_EQ(bins.size(), 10U);
  EXPECT_EQ(bins[2].count, 21U);
  EXPECT_EQ(bins[6].count, 19U);
}

TEST(ClassificationMetrics, DoNotDependOnTheOrderOfTheRows) {
  std::vector<ScoredOutcome> outcomes = two_hundred();
  const double area = area_under_roc(outcomes).value();
  const double brier = brier_score(outcomes);
  const double error = expected_calibration_error(calibration_bins(outcomes, 10));
  std::mt19937_64 rng(2);
  for (int round = 0; round < 5; ++round) {
    std::shuffle(outcomes.begin(), outcomes.end(), rng);
    EXPECT_EQ(area_under_roc(outcomes).value(), area);
    EXPECT_EQ(brier_score(outcomes), brier);
    EXPECT_EQ(expected_calibration_error(calibration_bins(outcomes, 10)), error);
  }
}

}  // namespace
}  // namespace rfm
