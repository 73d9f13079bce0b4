#include "state/row_outlook.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "model/day.h"
#include "model/nearest_centroid.h"
#include "state/damping.h"
#include "state/epoch.h"
#include "state/evaluation.h"
#include "state/segmenter.h"

namespace rfm {
namespace {

// Rounding of the distances themselves, in scaled units: far below any real margin.
constexpr double kMarginSlack = 1e-9;

// What is left at `until` of the margin in the cache, while the centroids stay.
double margin_left(const RowCache& cache, EventTime until) {
  if (until > cache.margin_until) return -1;
  const double days = static_cast<double>((until - cache.margin_at).count()) / kDayMs;
  return cache.margin - cache.margin_loss_per_day * days;
}

// The cluster segmentation, if there is one.
std::optional<std::size_t> cluster_segmentation(const Rules& rules) {
  for (std::size_t s = 0; s < rules.segmentations.size(); ++s)
    if (rules.segmentations[s].is_cluster()) return s;
  return std::nullopt;
}

// The margin for some days: as many as R has, for log1p R grows the faster the smaller R is. It is
// that of the membership and of the segmentation together: the least of two concave functions is
// above the chord of its ends too.
void refresh_margin(CustomerRow& row, const CustomerFacts& facts, const TimeContext& context) {
  constexpr double kSpanDaysMax = 8;
  const Rules& rules = context.rules_of(row);
  const ClusterModel& clusters = *facts.version->clusters;
  const double recency_days =
      std::max(0.0, static_cast<double>((facts.at - facts.last_purchase).count()) / kDayMs);
  const double span_days = std::min(kSpanDaysMax, 1 + std::floor(recency_days));
  // log1p R grows by less than its slope at the start, times the time passed.
  const double span = span_days / (1 + recency_days);
  const FeatureVector x = features_of(facts);
  SwitchMargin margin = switch_margin(clusters, x, row.member - 1, kMemberHysteresis, span);
  if (const auto s = cluster_segmentation(rules)) {
    const SegmentationSpec& spec = rules.segmentations[*s].spec();
    const FeatureVector called_x = features_of(facts, spec.recency_min_ms);
    const int called = row.segments[*s].call.code - kFirstSegment;
    // The same cluster at the same place is kept the longer by more hysteresis.
    if (called_x != x || called != row.member - 1 || spec.hysteresis < kMemberHysteresis) {
      const SwitchMargin other = switch_margin(clusters, called_x, called, spec.hysteresis, span);
      margin = {std::min(margin.now, other.now), std::min(margin.at_span, other.at_span)};
    }
  }
  RowCache& cache = row.cache;
  cache.margin = margin.now;
  cache.margin_loss_per_day =
      margin.at_span < margin.now ? (margin.now - margin.at_span) / span_days : 0;
  cache.margin_drift = context.models.drift(epoch_of(facts.at));
  cache.margin_at = facts.at;
  cache.margin_until = facts.at + kEpoch * static_cast<std::int64_t>(span_days);
}

// Whether both the membership and the call of a cluster segmentation are of the version in force.
bool has_clusters(const CustomerRow& row, const CustomerFacts& facts, const Rules& rules) {
  if (!facts.version->clusters || row.member == 0) return false;
  const auto s = cluster_segmentation(rules);
  return !s || row.segments[*s].call.code >= kFirstSegment;
}

// The first instant at which silence changes what a grid calls for.
EventTime next_grid_change(const CustomerRow& row, const CustomerFacts& facts, const Rules& rules) {
  EventTime next = kNever;
  for (std::size_t s = 0; s < rules.segmentations.size(); ++s) {
    if (!rules.segmentations[s].follows_silence()) continue;
    next = std::min(next, Segmenter(rules, s).next_change(facts, row.segments[s].call, kNever));
  }
  return next;
}

}  // namespace

const ModelVersion* version_at(EventTime t, const TimeContext& context) {
  return context.models.effective_in(epoch_of(t));
}

CustomerFacts facts_at(const CustomerRow& row, EventTime t, const ModelVersion* version,
                       const TimeContext& context) {
  return facts_of(row, context.rules, version, t);
}

ChurnOutlook outlook_of(CustomerFacts& facts, const Rules& rules) {
  facts.churn_risk = -1;
  const bool is_asked = std::ranges::any_of(rules.segmentations.all(), &Segmentation::follows_risk);
  if (!is_asked || !facts.version->churn || facts.frequency == 0) return {};
  const ChurnOutlook outlook = churn_outlook(*facts.version->churn, churn_input_of(facts));
  facts.churn_risk = outlook.risk;
  return outlook;
}

void refresh_risk_quiet(CustomerRow& row, const CustomerFacts& facts, const ChurnOutlook& outlook,
                        const Rules& rules) {
  if (!facts.version->churn) return;
  Segmenter::RiskLimits band;
  bool is_asked = false;
  for (std::size_t s = 0; s < rules.segmentations.size(); ++s) {
    if (!rules.segmentations[s].follows_risk()) continue;
    is_asked = true;
    const auto limits = Segmenter(rules, s).risk_limits(facts, row.segments[s].call);
    band.low = std::max(band.low, limits.low);
    band.high = std::min(band.high, limits.high);
  }
  if (!is_asked) {
    row.cache.risk_quiet_until = epoch_of(kNever);
    return;
  }
  // A limit that no risk reaches is none.
  if (band.low <= 0) band.low = band.high;
  if (band.high >= 1) band.high = band.low;
  const double days = quiet_days(outlook, {band.low, band.high});
  const Duration quiet{static_cast<std::int64_t>(days * kDayMs)};
  row.cache.risk_quiet_until = epoch_of(facts.at + quiet);
}

void refresh_cache(CustomerRow& row, const CustomerFacts& facts, const TimeContext& context) {
  const Rules& rules = context.rules_of(row);
  const EventTime at = facts.at;
  const EventTime horizon = boundary_of(epoch_of(at) + 1);
  RowCache& cache = row.cache;
  cache.margin = -1;
  cache.is_held = false;
  cache.has_purchase = facts.frequency > 0;
  EventTime next = row.ledger.next_exit(rules, at);
  if (facts.frequency == 0) {
    cache.grid_change_at = kNever;
  } else {
    if (cache.grid_change_at <= at) cache.grid_change_at = next_grid_change(row, facts, rules);
    next = std::min(next, cache.grid_change_at);
    if (has_clusters(row, facts, rules)) {
      refresh_margin(row, facts, context);
      const auto s = cluster_segmentation(rules);
      // The margin mostly says that silence changes nothing before the horizon.
      if (s && margin_left(cache, horizon) <= kMarginSlack) {
        next =
            std::min(next, Segmenter(rules, *s).next_change(facts, row.segments[*s].call, horizon));
      }
    }
    for (std::size_t s = 0; s < rules.segmentations.size(); ++s) {
      const EventTime end = stay_end(row, s, *facts.version, rules);
      if (end <= at) continue;
      cache.is_held = true;
      next = std::min(next, end);
    }
  }
  cache.deadline = next <= horizon ? next : kNever;
}

BoundaryStep boundary_step(std::int64_t epoch, const TimeContext& context) {
  BoundaryStep step{.epoch = epoch,
                    .boundary = boundary_of(epoch),
                    .horizon = boundary_of(epoch + 1),
                    .from = context.models.effective_in(epoch - 1),
                    .to = context.models.effective_in(epoch),
                    .drift = context.models.drift(epoch)};
  step.adopts_rules = context.rules_in(epoch).version != context.rules_in(epoch - 1).version;
  const bool drifted_only = step.to->cluster_change == ClusterChange::kNone ||
                            step.to->cluster_change == ClusterChange::kMoved;
  step.every_row =
      context.rules.window.has_value() ||
      (step.from != step.to && (step.to->cuts_changed || step.to->churn_changed || !drifted_only));
  return step;
}

bool is_quiet_at(const CustomerRow& row, const BoundaryStep& step, const Rules& rules) {
  if (row.open || step.adopts_rules) return false;
  const RowCache& cache = row.cache;
  if (!cache.has_purchase) return !rules.window;
  if (step.every_row || cache.deadline <= step.boundary || cache.grid_change_at <= step.horizon)
    return false;
  if (step.to->churn && step.epoch > cache.risk_quiet_until) return false;
  if (cache.is_held) return false;
  if (!step.to->clusters) return true;
  return margin_left(cache, step.horizon) > (step.drift - cache.margin_drift) + kMarginSlack;
}

void rebuild_cache(CustomerRow& row, EventTime at, const TimeContext& context) {
  row.cache = {.risk_quiet_until = epoch_of(at)};
  refresh_cache(row, facts_at(row, at, version_at(at, context), context), context);
}

}  // namespace rfm
