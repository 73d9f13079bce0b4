// Churn risk: the probability of no purchase within the horizon, from weekly hazards
// (model_version.h, ChurnModel).
#pragma once

#include <array>
#include <cstddef>

#include "model/model_version.h"

namespace rfm {

inline constexpr double kChurnHorizonDays = 90;
inline constexpr int kChurnStepCount = 13;  // Weeks; the last one counts 6/7.
inline constexpr double kChurnStepDays = 7;

// Order of the hazard features.
inline constexpr std::size_t kHazardRecency = 0;
inline constexpr std::size_t kHazardFrequency = 1;
inline constexpr std::size_t kHazardMonetary = 2;
inline constexpr std::size_t kHazardGap = 3;
inline constexpr std::size_t kHazardRatio = 4;

// A customer at one instant. Days are real numbers.
struct ChurnInput {
  double recency_days = 0;
  double frequency = 1;  // Invoices, >= 1.
  double monetary = 0;   // Currency units; negative counts as 0.
  double age_days = 0;   // Since the first purchase.
  double gap_days = 0;   // purchase_gap_days below.
};

// Mean gap between purchases: (t_last - t_first) / (F - 1); the age where F = 1.
double purchase_gap_days(double age_days, double recency_days, double frequency);

// P(no purchase in the next 90 days) = prod over 13 weeks j of (1 - h_j)^w_j, recency and age
// advanced by 7 j days. In (0, 1]. About a tenth of a microsecond.
double churn_risk(const ChurnModel& model, const ChurnInput& input);

// The risk now, and what is known of it without an event.
struct ChurnOutlook {
  double risk = 0;

  // ln(-ln(risk)) now and a week later, and between what bounds a day may change it. Only where
  // `foresees`; else nothing is known.
  bool foresees = false;
  double now = 0;
  double later = 0;
  double rate_low = 0;
  double rate_high = 0;
};
// Costs little more than the risk.
ChurnOutlook churn_outlook(const ChurnModel& model, const ChurnInput& input);

// In [0, kChurnStepDays]: for that long, without an event, the risk provably stays on its side of
// each limit: `risk >= limit` is what it is now.
double quiet_days(const ChurnOutlook& outlook, const std::array<double, 2>& limits);

// The model on raw log1p features: ln(odds) = intercept + sum_i slope[i] x_i.
struct RawHazard {
  std::array<double, kHazardFeatureCount> slope{};  // coefficient / sd.
  double intercept = 0;
};
RawHazard raw_hazard(const ChurnModel& model);

// For tests: the outlook without AVX2. The bits are the same.
ChurnOutlook churn_outlook_plain(const ChurnModel& model, const ChurnInput& input);

}  // namespace rfm
