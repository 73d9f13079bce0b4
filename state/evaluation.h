// What follows from a customer's invoices at one instant: pure functions of the facts, the rules
// and one model version.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "model/axis_value.h"
#include "model/churn_risk.h"
#include "model/day.h"
#include "model/model_version.h"
#include "state/customer_row.h"
#include "state/rules.h"
#include "state/transition.h"

namespace rfm {

// Net or gross, as the rules say.
Money monetary_of(const InvoiceSums& sums, const Rules& rules);

CustomerFacts facts_of(const CustomerRow& row, const Rules& rules, const ModelVersion* version,
                       EventTime at);

// Silence since the last purchase; 0 while none counts.
inline std::int64_t recency_ms(const CustomerFacts& facts) {
  if (facts.frequency == 0) return 0;
  return std::max<std::int64_t>(0, (facts.at - facts.last_purchase).count());
}

inline double recency_days(const CustomerFacts& facts) {
  return static_cast<double>(recency_ms(facts)) / kDayMs;
}

// log1p of R in days, F and max(M, 0) in currency units; F and M through the stored fixed point.
// R counts as at least `recency_min_ms`.
FeatureVector features_of(const CustomerFacts& facts, std::int64_t recency_min_ms = 0);
std::int32_t fixed_feature_f(std::uint32_t frequency);
std::int32_t fixed_feature_m(Money monetary);

// What the hazard model sees of the facts, in days and currency units.
ChurnInput churn_input_of(const CustomerFacts& facts);

// What the axes of a grid measure; with the churn risk, if there is a model.
AxisInput axis_input_of(const CustomerFacts& facts);
AxisInput axis_input_without_risk(const CustomerFacts& facts);

// P(no purchase within 90 days); absent without a model or a purchase.
std::optional<double> churn_risk_of(const CustomerFacts& facts);

}  // namespace rfm
