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

// How far ahead a change by time is looked for where it is published.
inline constexpr Duration kForesight = std::chrono::hours{24 * 365 * 10};

// The first instant in (facts.at, until] at which time alone calls for another segment than
// `current`, under this version, without dwell and while no invoice leaves a window; kNever if
// there is none. Churn changes at events and boundaries only: kNever.
EventTime next_change_if_silent(Segmentation segmentation, const CustomerFacts& facts,
                                SegmentCode current, const Rules& rules, EventTime until);

// A customer's facts while nothing more comes: invoices leave a finite window.
class SilentFacts {
 public:
  // `facts` are those of the row now; the row outlives this.
  SilentFacts(const CustomerRow& row, const CustomerFacts& facts, const Rules& rules)
      : ledger_(row.ledger), rules_(rules), sums_(row.ledger.sums()), facts_(facts) {}

  const CustomerFacts& facts() const { return facts_; }
  EventTime next_exit() const { return ledger_.next_exit(rules_, facts_.at); }
  void go_to(EventTime at);  // Not back.

 private:
  const InvoiceLedger& ledger_;
  const Rules& rules_;
  InvoiceSums sums_;
  CustomerFacts facts_;
};

// The same as above with the invoices that leave the window; churn changes by them too.
EventTime next_change_if_silent(Segmentation segmentation, SilentFacts silent, SegmentCode current,
                                const Rules& rules, EventTime until);

}  // namespace rfm
