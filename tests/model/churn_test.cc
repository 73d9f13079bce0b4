#include "model/churn.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>

#include "model/nbd.h"
#include "tests/model/uniform.h"

namespace rfm {
namespace {

constexpr std::int64_t kDay = 86400000;

ChurnModel random_model(std::mt19937_64& rng) {
  ChurnModel model{.nbd_r = uniform(rng, .2, 2), .nbd_alpha_days = uniform(rng, 10, 150)};
  model.intercept = uniform(rng, -.5, .5);
  for (std::size_t i = 0; i < kHazardFeatureCount; ++i) {
    model.coefficient[i] = uniform(rng, -.6, .6);
    model.mean[i] = uniform(rng, 0, 6);
    model.sd[i] = uniform(rng, .5, 2);
  }
  return model;
}

ChurnInput random_input(std::mt19937_64& rng) {
  ChurnInput input;
  input.frequency = rng() % 3 == 0 ? 1 : static_cast<double>(1 + rng() % 40);
  input.age_days = uniform(rng, 0, 400);
  input.recency_days = input.frequency > 1 ? uniform(rng, 0, input.age_days) : input.age_days;
  input.monetary = uniform(rng, -50, 5000);
  input.gap_days = purchase_gap_days(input.age_days, input.recency_days, input.frequency);
  return input;
}

ChurnInput later(ChurnInput input, double days) {
  input.recency_days += days;
  input.age_days += days;
  if (input.frequency <= 1) input.gap_days += days;
  return input;
}

// The definition, with libm: week by week, hazard from its logit.
double risk_by_definition(const ChurnModel& model, const ChurnInput& input) {
  double log_risk = 0;
  for (int j = 0; j < kChurnStepCount; ++j) {
    const ChurnInput at = later(input, 7 * j);
    const double shape = model.nbd_r + at.frequency - 1;
    const double start = model.nbd_alpha_days + at.age_days;
    const double hazard = 1 - std::pow(start / (start + 7), shape);
    const double gap = std::max(at.gap_days, 1.0);
    const std::array<double, kHazardFeatureCount> x = {
        std::log1p(at.recency_days), std::log1p(at.frequency),
        std::log1p(std::max(0.0, at.monetary)), std::log1p(at.gap_days),
        std::log1p(at.recency_days / gap)};
    double logit = std::log(hazard / (1 - hazard)) + model.intercept;
    for (std::size_t i = 0; i < x.size(); ++i) {
      logit += model.coefficient[i] * (x[i] - model.mean[i]) / model.sd[i];
    }
    log_risk -= (j < 12 ? 1 : 6.0 / 7) * std::log1p(std::exp(logit));
  }
  return std::exp(log_risk);
}

TEST(Churn, RiskEqualsItsDefinition) {
  std::mt19937_64 rng(1);
  for (int i = 0; i < 5000; ++i) {
    const ChurnModel model = random_model(rng);
    const ChurnInput input = random_input(rng);
    const double expected = risk_by_definition(model, input);
    ASSERT_NEAR(churn_risk(model, input), expected, 1e-10 * (1 + expected)) << i;
  }
}

TEST(Churn, WithoutCoefficientsRiskIsThatOfTheNbd) {
  const ChurnModel model{.nbd_r = .8, .nbd_alpha_days = 66};
  const ChurnInput input{
      .recency_days = 10, .frequency = 4, .monetary = 1, .age_days = 100, .gap_days = 30};
  // 13 weeks of which the last counts 6/7: 90 days but for the hazard's change within the last
  // week.
  EXPECT_NEAR(churn_risk(model, input), std::pow(166.0 / 256, 3.8), 1e-3);
}

TEST(Churn, RiskIsAProbabilityForAnyInput) {
  std::mt19937_64 rng(2);
  for (int i = 0; i < 5000; ++i) {
    ChurnModel model = random_model(rng);
    model.nbd_r = std::exp(uniform(rng, -9, 13));
    model.nbd_alpha_days = std::exp(uniform(rng, -9, 13));
    model.intercept = uniform(rng, -100, 100);
    ChurnInput input = random_input(rng);
    input.monetary = std::exp(uniform(rng, -5, 30));
    const ChurnOutlook outlook = churn_outlook(model, input);
    const double quiet = quiet_days(outlook, {.33, .66});
    ASSERT_GT(outlook.risk, 0) << i;
    ASSERT_LE(outlook.risk, 1) << i;
    ASSERT_FALSE(std::isnan(quiet)) << i;
    for (const double share : {.3, 1.0}) {
      const double then = churn_risk(model, later(input, quiet * share));
      ASSERT_EQ(then >= .33, outlook.risk >= .33) << i;
      ASSERT_EQ(then >= .66, outlook.risk >= .66) << i;
    }
  }
}

constexpr std::array<double, 2> kLimits = {.33, .66};

// Goal: what the outlook calls quiet is quiet, whatever the model.
// Method: random models and customers, and limits that are close to the risk now or in the week;
// the risk at many instants of the quiet time.
TEST(Churn, RiskStaysOnItsSideOfTheLimitsWhileQuiet) {
  std::mt19937_64 rng(3);
  double mean = 0;
  int cut_short = 0;
  constexpr int kCases = 20000;
  for (int i = 0; i < kCases; ++i) {
    const ChurnModel model = random_model(rng);
    ChurnInput input = random_input(rng);
    if (input.frequency <= 1 && rng() % 4 == 0) {  // Bought within the last days.
      input.age_days = input.recency_days = input.gap_days = uniform(rng, 0, 2);
    }
    std::array<double, 2> limits = kLimits;
    if (rng() % 2 == 0) {
      const double at = churn_risk(model, later(input, uniform(rng, 0, 8)));
      limits = {at * uniform(rng, .7, 1), std::min(1.0, at * uniform(rng, 1, 1.3))};
    }
    const ChurnOutlook now = churn_outlook(model, input);
    const double quiet = quiet_days(now, limits);
    ASSERT_EQ(now.risk, churn_risk(model, input));
    ASSERT_GE(quiet, 0);
    ASSERT_LE(quiet, kChurnStepDays);
    mean += quiet / kCases;
    cut_short += quiet < kChurnStepDays ? 1 : 0;
    for (int k = 0; k <= 40; ++k) {
      const double day = quiet * k / 40;
      const double risk = churn_risk(model, later(input, day));
      for (const double limit : limits) {
        ASSERT_EQ(risk >= limit, now.risk >= limit)
            << "case " << i << ", day " << day << " of " << quiet;
      }
    }
  }
  EXPECT_GT(cut_short, kCases / 10);  // Limits do get in the way ...
  EXPECT_GT(mean, 3.5);               // ... and the bound is of use all the same.
}

TEST(Churn, RiskFarFromTheLimitsIsQuietForAWeek) {
  const ChurnModel model{.nbd_r = .7, .nbd_alpha_days = 55};
  const ChurnInput input{
      .recency_days = 200, .frequency = 1, .monetary = 100, .age_days = 200, .gap_days = 200};
  EXPECT_GT(churn_risk(model, input), .7);
  EXPECT_EQ(quiet_days(churn_outlook(model, input), kLimits), kChurnStepDays);
}

TEST(Churn, OneSetOfBitsWithAndWithoutAvx2) {
  std::mt19937_64 rng(5);
  for (int i = 0; i < 20000; ++i) {
    ChurnModel model = random_model(rng);
    if (rng() % 8 == 0) model.intercept = uniform(rng, -100, 100);
    const ChurnInput input = random_input(rng);
    const ChurnOutlook fast = churn_outlook(model, input);
    const ChurnOutlook plain = churn_outlook_plain(model, input);
    ASSERT_EQ(fast.risk, plain.risk) << i;
    ASSERT_EQ(quiet_days(fast, kLimits), quiet_days(plain, kLimits)) << i;
  }
}

SampleRow row(std::uint64_t hash, std::int64_t first_day, std::int64_t last_day,
              std::uint32_t frequency) {
  return {.id_hash = hash,
          .first_purchase_ms = first_day * kDay,
          .last_purchase_ms = last_day * kDay,
          .monetary = 100000,
          .frequency = frequency};
}

TEST(Churn, LabelsComeFromTheSampleAWeekLater) {
  constexpr std::uint64_t kHigh = std::uint64_t{1} << 63;
  const std::vector<SampleRow> sample = {row(1, 10, 90, 3), row(2, 20, 20, 1), row(5, 30, 40, 2),
                                         row(kHigh, 1, 2, 2)};
  const std::vector<SampleRow> later = {row(1, 10, 90, 3), row(2, 20, 100, 2), row(3, 101, 101, 1),
                                        row(kHigh, 1, 106, 3)};
  const ChurnWeek week = label_week(sample, later, 100 * kDay, 100);
  EXPECT_EQ(week.label, (std::vector<double>{0, 1, 0, 1}));
  EXPECT_EQ(week.repeat_counts, (std::vector<std::uint32_t>{2, 0, 1, 1}));
  EXPECT_EQ(week.age_days, (std::vector<double>{90, 80, 70, 99}));
  EXPECT_EQ(label_week(sample, later, 100 * kDay, 2).label.size(), 2U);
}

TEST(Churn, RowsThatALaterSmallerSampleDoesNotCoverAreLeftOut) {
  constexpr std::uint64_t kHalf = std::uint64_t{1} << 63;
  const std::vector<SampleRow> sample = {row(1, 10, 90, 3), row(kHalf - 1, 20, 20, 1),
                                         row(kHalf + 5, 30, 40, 2)};
  const std::vector<SampleRow> later = {row(1, 10, 90, 3), row(kHalf - 2, 20, 100, 2)};
  EXPECT_EQ(label_week(sample, later, 100 * kDay, 100).label.size(), 2U);
}

// Customers whose weekly hazard is h0(NBD) times exp(bias): the fit must find the bias.
TEST(Churn, FitRecoversAPlantedIntercept) {
  std::mt19937_64 rng(4);
  std::vector<SampleRow> current;
  ChurnWeek week;
  for (std::uint64_t i = 0; i < 20000; ++i) {
    const std::int64_t age = 10 + static_cast<std::int64_t>(rng() % 300);
    const double rate = -std::log(uniform(rng, 1e-9, 1)) / 60;  // r = 1, alpha = 60.
    std::uint32_t repeats = 0;
    double last = 0;
    for (double t = 0;;) {
      t -= std::log(uniform(rng, 1e-9, 1)) / rate;
      if (t >= static_cast<double>(age)) break;
      last = t;
      ++repeats;
    }
    SampleRow r = row(i << 40, 1000 - age, 1000 - age, 1 + repeats);
    r.last_purchase_ms += static_cast<std::int64_t>(last * static_cast<double>(kDay));
    current.push_back(r);
  }
  week = label_week(current, {}, 1000 * kDay, 20000);
  for (std::size_t i = 0; i < week.label.size(); ++i) {
    const double start = 60 + week.age_days[i];
    const double odds =
        (std::pow((start + 7) / start, 1.0 + week.repeat_counts[i]) - 1) * std::exp(-.7);
    week.label[i] = uniform(rng, 0, 1) < odds / (1 + odds) ? 1 : 0;
  }
  const ChurnModel cold = fit_churn(std::nullopt, current, 1000 * kDay, {&week, 1}, {});
  EXPECT_NEAR(cold.nbd_r, 1, .05);
  EXPECT_NEAR(cold.nbd_alpha_days, 60, 3);
  EXPECT_NEAR(cold.intercept, -.7, .08);
  for (const double c : cold.coefficient) EXPECT_NEAR(c, 0, .12);
  // Warm or cold, the optimum is the same.
  const ChurnModel warm = fit_churn(cold, current, 1000 * kDay, {&week, 1}, {});
  EXPECT_NEAR(warm.intercept, cold.intercept, 1e-6);
  for (std::size_t i = 0; i < kHazardFeatureCount; ++i) {
    EXPECT_NEAR(warm.coefficient[i], cold.coefficient[i], 1e-6);
  }
}

TEST(Churn, WithoutWeeksTheFitIsTheNbdAlone) {
  const std::vector<SampleRow> current = {row(1, 10, 90, 3), row(2, 20, 20, 1), row(3, 0, 99, 7)};
  const ChurnModel model = fit_churn(std::nullopt, current, 100 * kDay, {}, {});
  EXPECT_GT(model.nbd_r, 0);
  EXPECT_EQ(model.intercept, 0);
  EXPECT_EQ(model.coefficient, (std::array<double, kHazardFeatureCount>{}));
}

}  // namespace
}  // namespace rfm
