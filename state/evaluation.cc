#include "state/evaluation.h"

#include <algorithm>

#include "model/contribution.h"
#include "model/deterministic_math.h"
#include "model/nearest_centroid.h"

namespace rfm {
namespace {

double days(Duration span) {
  return static_cast<double>(std::max<std::int64_t>(0, span.count())) / kDayMs;
}

double currency_units(Money amount) {
  return static_cast<double>(std::max<std::int64_t>(0, amount.units)) /
         Money::kUnitsPerCurrencyUnit;
}

}  // namespace

Money monetary_of(const InvoiceSums& sums, const Rules& rules) {
  return rules.monetary == MonetaryKind::kNet ? sums.purchases - sums.credits : sums.purchases;
}

CustomerFacts facts_of(const CustomerRow& row, const Rules& rules, const ModelVersion* version,
                       EventTime at) {
  const InvoiceSums& sums = row.ledger.sums();
  return {.at = at,
          .first_purchase = sums.first_purchase,
          .last_purchase = sums.last_purchase,
          .frequency = sums.frequency,
          .monetary = monetary_of(sums, rules),
          .version = version,
          .feature_f = row.feature_f,
          .feature_m = row.feature_m};
}

std::int32_t fixed_feature_f(std::uint32_t frequency) { return fixed_log1p(frequency); }
std::int32_t fixed_feature_m(Money monetary) { return fixed_log1p(currency_units(monetary)); }

FeatureVector features_of(const CustomerFacts& facts, std::int64_t recency_min_ms) {
  const double r = recency_ms(facts) < recency_min_ms ? recency_feature(0, recency_min_ms)
                   : facts.recency_feature >= 0
                       ? facts.recency_feature
                       : recency_feature(to_ms(facts.last_purchase), to_ms(facts.at));
  const std::int32_t f = facts.feature_f >= 0 ? facts.feature_f : fixed_feature_f(facts.frequency);
  const std::int32_t m = facts.feature_m >= 0 ? facts.feature_m : fixed_feature_m(facts.monetary);
  return {r, f / kFeatureScale, m / kFeatureScale};
}

std::optional<double> churn_risk_of(const CustomerFacts& facts) {
  if (!facts.version->churn || facts.frequency == 0) return std::nullopt;
  if (facts.churn_risk >= 0) return facts.churn_risk;
  return churn_risk(*facts.version->churn, churn_input_of(facts));
}

AxisInput axis_input_without_risk(const CustomerFacts& facts) {
  return {.silence_ms = recency_ms(facts),
          .history_ms = (facts.last_purchase - facts.first_purchase).count(),
          .frequency = facts.frequency,
          .monetary = facts.monetary.units};
}

AxisInput axis_input_of(const CustomerFacts& facts) {
  AxisInput input = axis_input_without_risk(facts);
  input.risk = churn_risk_of(facts).value_or(-1);
  return input;
}

ChurnInput churn_input_of(const CustomerFacts& facts) {
  const double age = days(facts.at - facts.first_purchase);
  const double recency = days(facts.at - facts.last_purchase);
  const auto frequency = static_cast<double>(facts.frequency);
  return {.recency_days = recency,
          .frequency = frequency,
          .monetary = currency_units(facts.monetary),
          .age_days = age,
          .gap_days = purchase_gap_days(age, recency, frequency)};
}

}  // namespace rfm
