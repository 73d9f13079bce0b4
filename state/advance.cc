#include "state/advance.h"

#include <algorithm>
#include <cmath>

#include "model/churn.h"
#include "model/deterministic_math.h"
#include "model/nearest_centroid.h"
#include "state/assertion.h"
#include "state/epoch.h"
#include "state/evaluation.h"
#include "state/hashes.h"

namespace rfm {
namespace {

// Rounding of the distances themselves, in scaled units: far below any real margin.
constexpr double kMarginSlack = 1e-9;

constexpr std::size_t index_of(Segmentation segmentation) {
  return static_cast<std::size_t>(segmentation);
}

const ModelVersion* version_at(EventTime t, const TimeContext& context) {
  return context.models.effective_in(epoch_of(t));
}

CustomerFacts facts_at(const CustomerRow& row, EventTime t, const ModelVersion* version,
                       const TimeContext& context) {
  return facts_of(row, context.rules, version, t);
}

void change_segment(CustomerRow& row, Segmentation segmentation, SegmentCode to, Reason reason,
                    const CustomerFacts& before, const CustomerFacts& after, const Cause* cause,
                    TransitionBuffer& out) {
  SegmentState& state = row.segments[index_of(segmentation)];
  Transition transition{.row = &row,
                        .segmentation = segmentation,
                        .reason = reason,
                        .from = state.segment,
                        .to = to,
                        .from_since = state.since,
                        .seq = state.seq + 1,
                        .before = before,
                        .after = after,
                        .cause = cause};
  state = {.since = after.at, .seq = state.seq + 1, .segment = to};
  row.clock = std::max(row.clock, after.at);
  for (std::size_t i = 0; i < row.segments.size(); ++i)
    transition.segments[i] = row.segments[i].segment;
  out.transitions.push_back(transition);
}

// When the least time in the current segment is over; kBeforeAll if none applies.
EventTime dwell_end(const CustomerRow& row, Segmentation segmentation, const Rules& rules) {
  const SegmentState& state = row.segments[index_of(segmentation)];
  const Duration dwell = rules.dwell[index_of(segmentation)];
  return dwell.count() == 0 || state.segment < kFirstSegment ? kBeforeAll : state.since + dwell;
}

// To the segment that is called for, unless the current one's dwell is not over.
void move_segment(CustomerRow& row, Segmentation segmentation, SegmentCode to, Reason reason,
                  const CustomerFacts& before, const CustomerFacts& after, const Cause* cause,
                  const Rules& rules, TransitionBuffer& out) {
  if (to == row.segments[index_of(segmentation)].segment) return;
  if (to >= kFirstSegment && after.at < dwell_end(row, segmentation, rules)) {
    if (cause != nullptr) ++out.suppressed;
    return;
  }
  change_segment(row, segmentation, to, reason, before, after, cause, out);
}

void decide_segment(CustomerRow& row, Segmentation segmentation, Reason reason,
                    const CustomerFacts& before, const CustomerFacts& after, const Cause* cause,
                    const Rules& rules, TransitionBuffer& out) {
  const SegmentCode current = row.segments[index_of(segmentation)].segment;
  const SegmentCode to = segment_for(segmentation, after, current, rules);
  move_segment(row, segmentation, to, reason, before, after, cause, rules, out);
}

// Fills the cache for the epoch of `at`, up to and including the boundary that ends it.
void refresh_cache(CustomerRow& row, EventTime at, const TimeContext& context) {
  const Rules& rules = context.rules;
  const std::int64_t epoch = epoch_of(at);
  const EventTime horizon = boundary_of(epoch + 1);
  const CustomerFacts facts = facts_at(row, at, context.models.effective_in(epoch), context);
  RowCache& cache = row.cache;
  cache.churn_quiet_until = epoch;
  cache.churn_rate_max = -1;
  cache.rfm_change_at = kNever;
  cache.margin = -1;
  EventTime next = row.ledger.next_exit(rules, at);
  if (facts.frequency > 0) {
    const auto current = [&](Segmentation s) { return row.segments[index_of(s)].segment; };
    cache.rfm_change_at = next_change_if_silent(Segmentation::kRfm, facts,
                                                current(Segmentation::kRfm), rules, kNever);
    next = std::min(next, cache.rfm_change_at);
    if (facts.version->clusters && current(Segmentation::kCluster) >= kFirstSegment) {
      cache.margin =
          switch_margin(*facts.version->clusters, features_of(facts),
                        current(Segmentation::kCluster) - kFirstSegment, rules.cluster_hysteresis) /
          (1 + std::sqrt(1 - rules.cluster_hysteresis));
      cache.margin_drift = context.models.drift(epoch);
      cache.margin_at = at;
      // While dwell holds another cluster back, every instant calls for it anew: its end is asked.
      if (dwell_end(row, Segmentation::kCluster, rules) <= at) {
        next =
            std::min(next, next_change_if_silent(Segmentation::kCluster, facts,
                                                 current(Segmentation::kCluster), rules, horizon));
      }
    }
    for (int s = 0; s < kSegmentationCount; ++s) {
      const EventTime end = dwell_end(row, static_cast<Segmentation>(s), rules);
      if (end > at) next = std::min(next, end);
    }
  }
  cache.deadline = next <= horizon ? next : kNever;
}

void apply_deadline(CustomerRow& row, EventTime at, const TimeContext& context,
                    TransitionBuffer& out) {
  const Rules& rules = context.rules;
  // A deadline at the very end of an epoch still belongs to it.
  const ModelVersion* version = version_at(at - Duration{1}, context);
  const CustomerFacts before = facts_at(row, at - Duration{1}, version, context);
  const bool leaves_window = row.ledger.next_exit(rules, at - Duration{1}) <= at;
  if (leaves_window) {
    row.ledger.refresh(rules, at);
    row.clock = std::max(row.clock, at);
  }
  const CustomerFacts after = facts_at(row, at, version, context);
  if (leaves_window) {
    row.feature_f = fixed_feature_f(after.frequency);
    row.feature_m = fixed_feature_m(after.monetary);
  }
  for (int s = 0; s < kSegmentationCount; ++s) {
    const auto segmentation = static_cast<Segmentation>(s);
    // Churn changes at events and boundaries; a deadline concerns it only if its invoices or its
    // dwell do.
    if (segmentation == Segmentation::kChurn && !leaves_window &&
        dwell_end(row, segmentation, rules) != at)
      continue;
    decide_segment(row, segmentation, Reason::kInactivity, before, after, nullptr, rules, out);
  }
}

Reason adoption_reason(Segmentation segmentation, const ModelVersion& from,
                       const ModelVersion& to) {
  if (segmentation == Segmentation::kRfm) {
    return from.cuts.absolute == to.cuts.absolute ? Reason::kPopulationShift : Reason::kModelChange;
  }
  const bool followed =
      to.cluster_change == ClusterChange::kMoved || to.cluster_change == ClusterChange::kRefitWarm;
  return followed ? Reason::kPopulationShift : Reason::kModelChange;
}

bool adopts(Segmentation segmentation, const ModelVersion& to) {
  if (segmentation == Segmentation::kCluster) return to.cluster_change != ClusterChange::kNone;
  return to.cuts_changed;
}

// For how many whole days from now no time alone can carry the risk across a band's limit: its
// logarithm moves by at most the rate that model/churn.h bounds.
std::int64_t quiet_days(double risk, double log_risk_rate_max, const Rules& rules) {
  const double distance = std::min(std::abs(det_log(risk / rules.churn_medium_from)),
                                   std::abs(det_log(risk / rules.churn_high_from)));
  const double quiet = (distance - kMarginSlack) / log_risk_rate_max;
  return quiet > 0 ? static_cast<std::int64_t>(std::min(quiet, 10'000.0)) : 0;
}

struct ChurnOutlook {
  std::int64_t quiet_until = 0;
  double rate_max = -1;
};

// Evaluates the churn band at a boundary and says until which epoch it is quiet under this version.
// `rate_max` of an earlier time under the same version still bounds; negative: there is none.
ChurnOutlook decide_churn(CustomerRow& row, Reason reason, const CustomerFacts& before,
                          const CustomerFacts& after, double rate_max, const Rules& rules,
                          TransitionBuffer& out) {
  const ChurnModel& model = *after.version->churn;
  ChurnScore score{.log_risk_rate_max = rate_max};
  if (rate_max < 0) {
    score = churn_score(model, churn_input_of(after));
  } else {
    score.risk = churn_risk(model, churn_input_of(after));
  }
  move_segment(row, Segmentation::kChurn, churn_segment_at(score.risk, rules), reason, before,
               after, nullptr, rules, out);
  return {epoch_of(after.at) + quiet_days(score.risk, score.log_risk_rate_max, rules),
          score.log_risk_rate_max};
}

void cross_boundary(CustomerRow& row, std::int64_t epoch, const TimeContext& context,
                    TransitionBuffer& out) {
  const Rules& rules = context.rules;
  const EventTime boundary = boundary_of(epoch);
  const ModelVersion* from = context.models.effective_in(epoch - 1);
  const ModelVersion* to = context.models.effective_in(epoch);
  const CustomerFacts old_facts = facts_at(row, boundary, from, context);
  if (old_facts.frequency == 0) return refresh_cache(row, boundary, context);

  // What time has done under the old version, then what the new version does.
  ChurnOutlook churn{row.cache.churn_quiet_until, row.cache.churn_rate_max};
  if (from->churn && epoch > churn.quiet_until) {
    const EventTime day_before = std::max(boundary - kEpoch, old_facts.last_purchase);
    churn = decide_churn(row, Reason::kInactivity, facts_at(row, day_before, from, context),
                         old_facts, churn.rate_max, rules, out);
  }
  if (from != to) {
    const CustomerFacts new_facts = facts_at(row, boundary, to, context);
    if (to->churn && to->churn_changed) {
      churn = decide_churn(row, Reason::kModelChange, old_facts, new_facts, -1, rules, out);
    }
    for (const Segmentation segmentation : {Segmentation::kCluster, Segmentation::kRfm}) {
      if (!adopts(segmentation, *to)) continue;
      decide_segment(row, segmentation, adoption_reason(segmentation, *from, *to), old_facts,
                     new_facts, nullptr, rules, out);
    }
  }
  refresh_cache(row, boundary, context);
  row.cache.churn_quiet_until = churn.quiet_until;
  row.cache.churn_rate_max = churn.rate_max;
}

// The ledger has changed: brings the derived fields up to date and evaluates every segmentation at
// `now`.
void evaluate_event(CustomerRow& row, const InvoiceFact& fact, const CustomerFacts& before,
                    EventTime now, const TimeContext& context, TransitionBuffer& out) {
  const LedgerInvoice& invoice = fact.invoice;
  if (row.birth == 0) row.birth = birth_hash(invoice.number_hash, invoice.time);
  if (invoice.time >= row.newest_at) {
    row.newest_at = invoice.time;
    if (!fact.country.empty()) row.country = fact.country;
    if (fact.consent) row.consent = fact.consent;
  }
  row.clock = now;
  const CustomerFacts after = facts_at(row, now, before.version, context);
  row.feature_f = fixed_feature_f(after.frequency);
  row.feature_m = fixed_feature_m(after.monetary);
  const Reason reason = invoice.time < now                     ? Reason::kLateEvent
                        : invoice.type == InvoiceType::kCredit ? Reason::kReturn
                                                               : Reason::kPurchase;
  out.causes.push_back({.invoice_no = std::string(fact.invoice_no),
                        .event_id = std::string(fact.event_id),
                        .event_time = invoice.time,
                        .at_or_after_go_live = fact.at_or_after_go_live});
  for (int s = 0; s < kSegmentationCount; ++s) {
    decide_segment(row, static_cast<Segmentation>(s), reason, before, after, &out.causes.back(),
                   context.rules, out);
  }
  refresh_cache(row, now, context);
}

}  // namespace

void advance(CustomerRow& row, EventTime from, EventTime to, const TimeContext& context,
             TransitionBuffer& out) {
  RFM_ASSERT(!row.open);
  EventTime now = from;
  while (now < to) {
    const EventTime boundary = boundary_of(epoch_of(now) + 1);
    const EventTime limit = std::min(to, boundary);
    while (row.cache.deadline <= limit) {
      now = row.cache.deadline;
      apply_deadline(row, now, context, out);
      if (now == boundary) break;  // The crossing below fills the cache.
      refresh_cache(row, now, context);
    }
    now = limit;
    if (limit == boundary) cross_boundary(row, epoch_of(boundary), context, out);
  }
}

BoundaryStep boundary_step(std::int64_t epoch, const TimeContext& context) {
  BoundaryStep step{.epoch = epoch,
                    .boundary = boundary_of(epoch),
                    .horizon = boundary_of(epoch + 1),
                    .from = context.models.effective_in(epoch - 1),
                    .to = context.models.effective_in(epoch),
                    .drift = context.models.drift(epoch)};
  if (step.to->clusters) step.recency_scale = std::sqrt(step.to->clusters->weight[0]);
  const bool drifted_only = step.to->cluster_change == ClusterChange::kNone ||
                            step.to->cluster_change == ClusterChange::kMoved;
  step.every_row =
      context.rules.window.has_value() ||
      (step.from != step.to && (step.to->cuts_changed || step.to->churn_changed || !drifted_only));
  return step;
}

bool is_quiet_at(const CustomerRow& row, const BoundaryStep& step, const Rules& rules) {
  if (row.open) return false;
  const InvoiceSums& sums = row.ledger.sums();
  if (sums.frequency == 0) return !rules.window;
  const RowCache& cache = row.cache;
  if (step.every_row || cache.deadline <= step.boundary || cache.rfm_change_at <= step.horizon)
    return false;
  if (step.to->churn && step.epoch > cache.churn_quiet_until) return false;
  for (int s = 0; s < kSegmentationCount; ++s) {
    if (dwell_end(row, static_cast<Segmentation>(s), rules) > step.boundary) return false;
  }
  if (!step.to->clusters) return true;
  // log1p R grows by less than its slope at the start, times the time passed.
  const double recency_days =
      static_cast<double>((cache.margin_at - sums.last_purchase).count()) / kDayMs;
  const double passed_days = static_cast<double>((step.horizon - cache.margin_at).count()) / kDayMs;
  const double aged = passed_days / (1 + std::max(0.0, recency_days)) * step.recency_scale;
  return (step.drift - cache.margin_drift) + aged + kMarginSlack < cache.margin;
}

LedgerOutcome apply_invoice(CustomerRow& row, const InvoiceFact& fact, EventTime now,
                            const TimeContext& context, TransitionBuffer& out) {
  const CustomerFacts before = facts_at(row, now, version_at(now, context), context);
  const LedgerOutcome outcome = row.ledger.put(fact.invoice, context.rules, now);
  if (outcome == LedgerOutcome::kApplied) evaluate_event(row, fact, before, now, context, out);
  return outcome;
}

SettledInvoice settle_open_invoice(CustomerRow& row, EventTime watermark,
                                   const TimeContext& context, TransitionBuffer& out) {
  RFM_ASSERT(row.open != nullptr);
  SettledInvoice settled{.invoice = std::move(*row.open)};
  row.open.reset();
  const OpenInvoice& open = settled.invoice;
  const EventTime now = std::max(row.clock, open.last_line);
  advance(row, row.clock, now, context, out);
  const InvoiceFact fact{
      .invoice = {.number_hash = invoice_hash(open.invoice_no),
                  .amount = open.sum,
                  .time = open.last_line,
                  .type = open.type,
                  .country_bits = country_bits(open.country)},
      .invoice_no = open.invoice_no,
      .country = open.country,
      .at_or_after_go_live = open.at_or_after_go_live,
  };
  const CustomerFacts before = facts_at(row, now, version_at(now, context), context);
  settled.outcome = row.ledger.add(fact.invoice, context.rules, now);
  if (settled.outcome == LedgerOutcome::kApplied)
    evaluate_event(row, fact, before, now, context, out);
  advance(row, now, std::max(now, watermark), context, out);
  return settled;
}

void erase_segments(CustomerRow& row, EventTime now, const TimeContext& context,
                    TransitionBuffer& out) {
  const CustomerFacts before = facts_at(row, now, version_at(now, context), context);
  CustomerFacts after{.at = now, .version = before.version};
  for (int s = 0; s < kSegmentationCount; ++s) {
    if (row.segments[static_cast<std::size_t>(s)].segment == kNoSegmentCode) continue;
    change_segment(row, static_cast<Segmentation>(s), kNoSegmentCode, Reason::kErasure, before,
                   after, nullptr, out);
  }
}

void rebuild_cache(CustomerRow& row, EventTime at, const TimeContext& context) {
  refresh_cache(row, at, context);
}

bool same_state(const CustomerRow& a, const CustomerRow& b) {
  const bool same_open =
      (a.open == nullptr) == (b.open == nullptr) && (a.open == nullptr || *a.open == *b.open);
  return same_open && a.id == b.id && a.birth == b.birth && a.clock == b.clock &&
         a.ledger == b.ledger && a.newest_at == b.newest_at && a.country == b.country &&
         a.consent == b.consent && a.segments == b.segments;
}

std::string_view name(Reason reason) {
  constexpr std::array<std::string_view, 9> kNames = {
      "purchase",     "return",     "inactivity", "population_shift", "model_change",
      "rules_change", "late_event", "erasure",    "backfill"};
  return kNames[static_cast<std::size_t>(reason)];
}

}  // namespace rfm
