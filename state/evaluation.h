// From a customer's facts to segments: pure functions of the facts, the rules and one model
// version.
#pragma once

#include <optional>

#include "model/churn_risk.h"
#include "model/model_version.h"
#include "model/segment_catalog.h"
#include "state/customer_row.h"
#include "state/rules.h"
#include "state/transition.h"

namespace rfm {

CustomerFacts facts_of(const CustomerRow& row, const Rules& rules, const ModelVersion* version,
                       EventTime at);

// 0/0/0 while no purchase counts.
Scores scores_of(const CustomerFacts& facts);

// log1p of R in days, F and max(M, 0) in currency units; F and M through the stored fixed point.
FeatureVector features_of(const CustomerFacts& facts);
std::int32_t fixed_feature_f(std::uint32_t frequency);
std::int32_t fixed_feature_m(Money monetary);

// What the hazard model sees of the facts, in days and currency units.
ChurnInput churn_input_of(const CustomerFacts& facts);

// P(no purchase within 90 days); absent without a model or a purchase.
std::optional<double> churn_risk_of(const CustomerFacts& facts);

// The band that a risk is in.
SegmentCode churn_segment_at(double risk, const Rules& rules);

// The segment that the facts call for, given the current one (hysteresis).
SegmentCode segment_for(Segmentation segmentation, const CustomerFacts& facts, SegmentCode current,
                        const Rules& rules);

// Name, rank and advice of a segment code.
const SegmentInfo& segment_info(Segmentation segmentation, SegmentCode code, const Rules& rules,
                                const ModelVersion& version);
std::string_view segment_name(Segmentation segmentation, SegmentCode code, const Rules& rules,
                              const ModelVersion& version);

// The first instant in (facts.at, until] at which time alone calls for another segment than
// `current`, under this version and without dwell; kNever if there is none. Churn changes at events
// and boundaries only: kNever.
EventTime next_change_if_silent(Segmentation segmentation, const CustomerFacts& facts,
                                SegmentCode current, const Rules& rules, EventTime until);

}  // namespace rfm
