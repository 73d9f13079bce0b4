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

std::int64_t recency_ms(const CustomerFacts& facts) {
  return std::max<std::int64_t>(0, (facts.at - facts.last_purchase).count());
}

Money monetary_of(const InvoiceSums& sums, const Rules& rules) {
  return rules.monetary == MonetaryKind::kNet ? sums.purchases - sums.credits : sums.purchases;
}

SegmentCode cluster_segment_for(const CustomerFacts& facts, SegmentCode current,
                                const Rules& rules) {
  if (!facts.version->clusters) return kUnassigned;
  const int cluster = current >= kFirstSegment ? current - kFirstSegment : -1;
  const int next =
      decide(*facts.version->clusters, features_of(facts), cluster, rules.cluster_hysteresis);
  return static_cast<SegmentCode>(kFirstSegment + next);
}

// A row may come from another version than the one it is shown under.
std::string_view cluster_name(const ModelVersion& version, std::size_t id) {
  const bool is_known = version.clusters && id < version.clusters->names.size();
  return is_known ? std::string_view(version.clusters->names[id]) : kUnassignedSegment;
}

EventTime next_rfm_change(const CustomerFacts& facts, SegmentCode current, const Rules& rules,
                          EventTime until) {
  Scores scores = scores_of(facts);
  const AxisCuts& cuts = facts.version->cuts.recency_ms;
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    const EventTime at = facts.last_purchase + Duration{cuts[i] + 1};
    if (at <= facts.at) continue;
    if (at > until) return kNever;
    // The cuts ascend; equal ones are passed together.
    while (i + 1 < cuts.size() && cuts[i + 1] == cuts[i]) ++i;
    scores.r = static_cast<std::uint8_t>(kScoreMax - 1 - static_cast<int>(i));
    if (kFirstSegment + rules.map.segment_of(scores) != current) return at;
  }
  return kNever;
}

EventTime next_cluster_change(const CustomerFacts& facts, SegmentCode current, const Rules& rules,
                              EventTime until) {
  if (!facts.version->clusters || current < kFirstSegment) return kNever;
  const FeatureVector x = features_of(facts);
  const std::optional<std::int64_t> at =
      next_switch_ms(*facts.version->clusters,
                     {.f = x[1],
                      .m = x[2],
                      .last_purchase_ms = to_ms(facts.last_purchase),
                      .current = current - kFirstSegment},
                     rules.cluster_hysteresis, to_ms(facts.at), to_ms(until));
  return at ? from_ms(*at) : kNever;
}

}  // namespace

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

Scores scores_of(const CustomerFacts& facts) {
  if (facts.frequency == 0) return {};
  return score(facts.version->cuts, recency_ms(facts), facts.frequency, facts.monetary.units);
}

std::int32_t fixed_feature_f(std::uint32_t frequency) { return fixed_log1p(frequency); }
std::int32_t fixed_feature_m(Money monetary) { return fixed_log1p(currency_units(monetary)); }

FeatureVector features_of(const CustomerFacts& facts) {
  const double r = facts.recency_feature >= 0
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

SegmentCode churn_segment_at(double risk, const Rules& rules) {
  const ChurnBand band = risk >= rules.churn_high_from     ? ChurnBand::kHigh
                         : risk >= rules.churn_medium_from ? ChurnBand::kMedium
                                                           : ChurnBand::kLow;
  return static_cast<SegmentCode>(kFirstSegment + static_cast<SegmentCode>(band));
}

SegmentCode segment_for(Segmentation segmentation, const CustomerFacts& facts, SegmentCode current,
                        const Rules& rules) {
  if (facts.frequency == 0) return kNoSegmentCode;
  switch (segmentation) {
    case Segmentation::kChurn:
      if (const std::optional<double> risk = churn_risk_of(facts)) {
        return churn_segment_at(*risk, rules);
      }
      return kUnassigned;
    case Segmentation::kCluster:
      return cluster_segment_for(facts, current, rules);
    case Segmentation::kRfm:
      break;
  }
  return static_cast<SegmentCode>(kFirstSegment + rules.map.segment_of(scores_of(facts)));
}

const SegmentInfo& segment_info(Segmentation segmentation, SegmentCode code, const Rules& rules,
                                const ModelVersion& version) {
  if (code == kNoSegmentCode) return no_segment();
  if (code == kUnassigned) return unassigned_segment();
  const std::size_t id = code - kFirstSegment;
  switch (segmentation) {
    case Segmentation::kChurn:
      return churn_segment(static_cast<ChurnBand>(id));
    case Segmentation::kCluster:
      return cluster_segment(cluster_name(version, id));
    case Segmentation::kRfm:
      break;
  }
  return rules.map.info(static_cast<std::uint8_t>(id));
}

std::string_view segment_name(Segmentation segmentation, SegmentCode code, const Rules& rules,
                              const ModelVersion& version) {
  if (code == kNoSegmentCode) return kNoSegment;
  if (code == kUnassigned) return kUnassignedSegment;
  const std::size_t id = code - kFirstSegment;
  switch (segmentation) {
    case Segmentation::kChurn:
      return churn_segment(static_cast<ChurnBand>(id)).name;
    case Segmentation::kCluster:
      return cluster_name(version, id);
    case Segmentation::kRfm:
      break;
  }
  return rules.map.name(static_cast<std::uint8_t>(id));
}

EventTime next_change_if_silent(Segmentation segmentation, const CustomerFacts& facts,
                                SegmentCode current, const Rules& rules, EventTime until) {
  if (facts.frequency == 0) return kNever;
  switch (segmentation) {
    case Segmentation::kChurn:
      return kNever;
    case Segmentation::kCluster:
      return next_cluster_change(facts, current, rules, until);
    case Segmentation::kRfm:
      break;
  }
  return next_rfm_change(facts, current, rules, until);
}

void SilentFacts::go_to(EventTime at) {
  sums_ = ledger_.sums_if_silent(sums_, facts_.at, at, rules_);
  facts_ = {.at = at,
            .first_purchase = sums_.first_purchase,
            .last_purchase = sums_.last_purchase,
            .frequency = sums_.frequency,
            .monetary = monetary_of(sums_, rules_),
            .version = facts_.version};
}

EventTime next_change_if_silent(Segmentation segmentation, SilentFacts silent, SegmentCode current,
                                const Rules& rules, EventTime until) {
  while (true) {
    const EventTime exit = silent.next_exit();
    const EventTime limit = std::min(until, exit == kNever ? kNever : exit - Duration{1});
    const EventTime change =
        next_change_if_silent(segmentation, silent.facts(), current, rules, limit);
    if (change <= limit) return change;
    if (exit == kNever || exit > until) return kNever;
    silent.go_to(exit);
    if (segment_for(segmentation, silent.facts(), current, rules) != current) return exit;
  }
}

}  // namespace rfm
