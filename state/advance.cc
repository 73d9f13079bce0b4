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

// What is compared at one instant. Keeps the risks, once a transition needs them, for the next one.
struct Comparison {
  CustomerFacts before{};
  CustomerFacts after{};
  const Cause* cause = nullptr;
};

// With a finite window: when time alone will change the segment. A churn model is asked at every
// boundary, so that its next change is not foreseen.
std::optional<EventTime> next_change_in_window(const CustomerRow& row, Segmentation segmentation,
                                               const CustomerFacts& facts, const Rules& rules) {
  if (!rules.window) return std::nullopt;
  if (segmentation == Segmentation::kChurn && facts.version->churn) return kNever;
  return next_change_if_silent(segmentation, SilentFacts(row, facts, rules),
                               row.segments[index_of(segmentation)].segment, rules,
                               facts.at + kForesight);
}

void change_segment(CustomerRow& row, Segmentation segmentation, SegmentCode to, Reason reason,
                    Comparison& compared, const Rules& rules, TransitionBuffer& out) {
  for (CustomerFacts* facts : {&compared.before, &compared.after})
    facts->churn_risk = churn_risk_of(*facts).value_or(-1);
  if (segmentation == Segmentation::kRfm) row.cache.rfm_change_at = kBeforeAll;
  const EventTime at = compared.after.at;
  SegmentState& state = row.segments[index_of(segmentation)];
  Transition transition{.row = &row,
                        .segmentation = segmentation,
                        .reason = reason,
                        .from = state.segment,
                        .to = to,
                        .from_since = state.since,
                        .seq = state.seq + 1,
                        .consent = row.consent,
                        .before = compared.before,
                        .after = compared.after,
                        .cause = compared.cause};
  state = {.since = at, .seq = state.seq + 1, .segment = to};
  row.clock = std::max(row.clock, at);
  for (std::size_t i = 0; i < row.segments.size(); ++i)
    transition.segments[i] = row.segments[i].segment;
  if (to != kNoSegmentCode)
    transition.next_change = next_change_in_window(row, segmentation, compared.after, rules);
  out.transitions.push_back(transition);
}

// To the segment that is called for, unless the current one's dwell is not over.
void move_segment(CustomerRow& row, Segmentation segmentation, SegmentCode to, Reason reason,
                  Comparison& compared, const Rules& rules, TransitionBuffer& out) {
  if (to == row.segments[index_of(segmentation)].segment) return;
  if (to >= kFirstSegment && compared.after.at < dwell_end(row, segmentation, rules)) {
    if (compared.cause != nullptr) ++out.suppressed;
    return;
  }
  change_segment(row, segmentation, to, reason, compared, rules, out);
}

void decide_segment(CustomerRow& row, Segmentation segmentation, Reason reason,
                    Comparison& compared, const Rules& rules, TransitionBuffer& out) {
  const SegmentCode current = row.segments[index_of(segmentation)].segment;
  const SegmentCode to = segment_for(segmentation, compared.after, current, rules);
  move_segment(row, segmentation, to, reason, compared, rules, out);
}

// The same for the churn band of a customer with a purchase, under a version with a churn model;
// and how long the band stays.
void decide_churn(CustomerRow& row, Reason reason, Comparison& compared, const Rules& rules,
                  TransitionBuffer& out) {
  CustomerFacts& after = compared.after;
  const ChurnOutlook outlook = churn_outlook(*after.version->churn, churn_input_of(after),
                                             {rules.churn_medium_from, rules.churn_high_from});
  after.churn_risk = outlook.risk;
  const Duration quiet{static_cast<std::int64_t>(outlook.quiet_days * kDayMs)};
  row.cache.churn_quiet_until = epoch_of(after.at + quiet);
  move_segment(row, Segmentation::kChurn, churn_segment_at(outlook.risk, rules), reason, compared,
               rules, out);
}

// The invoices that count have changed: brings what follows from them up to date.
CustomerFacts facts_of_changed(CustomerRow& row, EventTime at, const ModelVersion* version,
                               const Rules& rules) {
  CustomerFacts facts = facts_of(row, rules, version, at);
  facts.feature_f = row.feature_f = fixed_feature_f(facts.frequency);
  facts.feature_m = row.feature_m = fixed_feature_m(facts.monetary);
  row.cache.rfm_change_at = kBeforeAll;
  // A boundary at `at` itself is still to come.
  row.cache.churn_quiet_until = epoch_of(at - Duration{1});
  return facts;
}

// What is left at `until` of the margin in the cache, while the centroids stay.
double margin_left(const RowCache& cache, EventTime until) {
  if (until > cache.margin_until) return -1;
  const double days = static_cast<double>((until - cache.margin_at).count()) / kDayMs;
  return cache.margin - cache.margin_loss_per_day * days;
}

// The margin for some days: as many as R has, for log1p R grows the faster the smaller R is.
void refresh_margin(CustomerRow& row, const CustomerFacts& facts, const TimeContext& context) {
  constexpr double kSpanDaysMax = 8;
  const FeatureVector x = features_of(facts);
  const double recency_days =
      std::max(0.0, static_cast<double>((facts.at - facts.last_purchase).count()) / kDayMs);
  const double span_days = std::min(kSpanDaysMax, 1 + std::floor(recency_days));
  // log1p R grows by less than its slope at the start, times the time passed.
  const SwitchMargin margin =
      switch_margin(*facts.version->clusters, x,
                    row.segments[index_of(Segmentation::kCluster)].segment - kFirstSegment,
                    context.rules.cluster_hysteresis, span_days / (1 + recency_days));
  RowCache& cache = row.cache;
  cache.margin = margin.now;
  cache.margin_loss_per_day =
      margin.at_span < margin.now ? (margin.now - margin.at_span) / span_days : 0;
  cache.margin_drift = context.models.drift(epoch_of(facts.at));
  cache.margin_at = facts.at;
  cache.margin_until = facts.at + kEpoch * static_cast<std::int64_t>(span_days);
}

// When time alone changes the cluster up to `horizon`; the margin mostly says that it does not.
EventTime next_cluster_change(const CustomerRow& row, const CustomerFacts& facts, EventTime horizon,
                              const Rules& rules) {
  if (margin_left(row.cache, horizon) > kMarginSlack) return kNever;
  // While dwell holds another cluster back, every instant calls for it anew: its end is asked.
  if (dwell_end(row, Segmentation::kCluster, rules) > facts.at) return kNever;
  return next_change_if_silent(Segmentation::kCluster, facts,
                               row.segments[index_of(Segmentation::kCluster)].segment, rules,
                               horizon);
}

// Fills the cache for the epoch of `facts.at`, up to and including the boundary that ends it. The
// churn outlook stays.
void refresh_cache(CustomerRow& row, const CustomerFacts& facts, const TimeContext& context) {
  const Rules& rules = context.rules;
  const EventTime at = facts.at;
  const std::int64_t epoch = epoch_of(at);
  const EventTime horizon = boundary_of(epoch + 1);
  RowCache& cache = row.cache;
  cache.margin = -1;
  cache.has_purchase = facts.frequency > 0;
  EventTime next = row.ledger.next_exit(rules, at);
  if (facts.frequency == 0) {
    cache.rfm_change_at = kNever;
  } else {
    const auto current = [&](Segmentation s) { return row.segments[index_of(s)].segment; };
    if (cache.rfm_change_at <= at) {
      cache.rfm_change_at = next_change_if_silent(Segmentation::kRfm, facts,
                                                  current(Segmentation::kRfm), rules, kNever);
    }
    next = std::min(next, cache.rfm_change_at);
    if (facts.version->clusters && current(Segmentation::kCluster) >= kFirstSegment) {
      refresh_margin(row, facts, context);
      next = std::min(next, next_cluster_change(row, facts, horizon, rules));
    }
    for (int s = 0; s < kSegmentationCount; ++s) {
      const EventTime end = dwell_end(row, static_cast<Segmentation>(s), rules);
      if (end > at) next = std::min(next, end);
    }
  }
  cache.deadline = next <= horizon ? next : kNever;
}

// Returns the facts afterwards.
CustomerFacts apply_deadline(CustomerRow& row, EventTime at, const TimeContext& context,
                             TransitionBuffer& out) {
  const Rules& rules = context.rules;
  // A deadline at the very end of an epoch still belongs to it.
  const ModelVersion* version = version_at(at - Duration{1}, context);
  Comparison compared{.before = facts_at(row, at - Duration{1}, version, context)};
  const bool leaves_window = row.ledger.next_exit(rules, at - Duration{1}) <= at;
  if (leaves_window) {
    row.ledger.refresh(rules, at);
    row.clock = std::max(row.clock, at);
    compared.after = facts_of_changed(row, at, version, rules);
  } else {
    compared.after = facts_at(row, at, version, context);
  }
  for (int s = 0; s < kSegmentationCount; ++s) {
    const auto segmentation = static_cast<Segmentation>(s);
    // Churn changes at events and boundaries; a deadline concerns it only if its invoices or its
    // dwell do.
    if (segmentation == Segmentation::kChurn && !leaves_window &&
        dwell_end(row, segmentation, rules) != at)
      continue;
    decide_segment(row, segmentation, Reason::kInactivity, compared, rules, out);
  }
  return compared.after;
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

void cross_boundary(CustomerRow& row, std::int64_t epoch, const TimeContext& context,
                    TransitionBuffer& out) {
  const Rules& rules = context.rules;
  const EventTime boundary = boundary_of(epoch);
  const ModelVersion* from = context.models.effective_in(epoch - 1);
  const ModelVersion* to = context.models.effective_in(epoch);
  Comparison compared{.after = facts_at(row, boundary, from, context)};
  CustomerFacts& facts = compared.after;
  if (facts.frequency == 0) return refresh_cache(row, facts, context);
  facts.recency_feature = recency_feature(to_ms(facts.last_purchase), to_ms(boundary));

  // What time has done under the old version, then what the new version does.
  if (from->churn && epoch > row.cache.churn_quiet_until) {
    const EventTime day_before = std::max(boundary - kEpoch, facts.last_purchase);
    compared.before = facts_at(row, day_before, from, context);
    decide_churn(row, Reason::kInactivity, compared, rules, out);
  }
  if (from != to) {
    compared.before = facts;
    facts.version = to;
    facts.churn_risk = -1;
    if (to->churn && to->churn_changed)
      decide_churn(row, Reason::kModelChange, compared, rules, out);
    for (const Segmentation segmentation : {Segmentation::kCluster, Segmentation::kRfm}) {
      if (!adopts(segmentation, *to)) continue;
      if (segmentation == Segmentation::kRfm) row.cache.rfm_change_at = kBeforeAll;
      decide_segment(row, segmentation, adoption_reason(segmentation, *from, *to), compared, rules,
                     out);
    }
  }
  refresh_cache(row, facts, context);
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
  Comparison compared{.before = before,
                      .after = facts_of_changed(row, now, before.version, context.rules)};
  const bool takes_back =
      invoice.type == InvoiceType::kCredit || invoice.is_void || invoice.amount < Money{};
  const Reason reason = invoice.time < now ? Reason::kLateEvent
                        : takes_back       ? Reason::kReturn
                                           : Reason::kPurchase;
  out.causes.push_back({.invoice_no = std::string(fact.invoice_no),
                        .event_id = std::string(fact.event_id),
                        .event_time = invoice.time,
                        .position = fact.position});
  compared.cause = &out.causes.back();
  for (int s = 0; s < kSegmentationCount; ++s) {
    const auto segmentation = static_cast<Segmentation>(s);
    if (segmentation == Segmentation::kChurn && compared.after.version->churn &&
        compared.after.frequency > 0) {
      decide_churn(row, reason, compared, context.rules, out);
    } else {
      decide_segment(row, segmentation, reason, compared, context.rules, out);
    }
  }
  refresh_cache(row, compared.after, context);
}

// Of a row that is up to date to `from`.
void apply_change(CustomerRow& row, const InvoiceFact& fact, const LedgerChange& change,
                  EventTime from, EventTime now, const TimeContext& context,
                  TransitionBuffer& out) {
  advance(row, from, now, context, out);
  const CustomerFacts before = facts_at(row, now, version_at(now, context), context);
  row.ledger.apply(change, context.rules, now);
  evaluate_event(row, fact, before, now, context, out);
}

}  // namespace

EventTime dwell_end(const CustomerRow& row, Segmentation segmentation, const Rules& rules) {
  const SegmentState& state = row.segments[index_of(segmentation)];
  const Duration dwell = rules.dwell[index_of(segmentation)];
  return dwell.count() == 0 || state.segment < kFirstSegment ? kBeforeAll : state.since + dwell;
}

void advance(CustomerRow& row, EventTime from, EventTime to, const TimeContext& context,
             TransitionBuffer& out) {
  RFM_ASSERT(!row.open);
  EventTime now = from;
  while (now < to) {
    const EventTime boundary = boundary_of(epoch_of(now) + 1);
    const EventTime limit = std::min(to, boundary);
    while (row.cache.deadline <= limit) {
      now = row.cache.deadline;
      const CustomerFacts facts = apply_deadline(row, now, context, out);
      if (now == boundary) break;  // The crossing below fills the cache.
      refresh_cache(row, facts, context);
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
  const bool drifted_only = step.to->cluster_change == ClusterChange::kNone ||
                            step.to->cluster_change == ClusterChange::kMoved;
  step.every_row =
      context.rules.window.has_value() ||
      (step.from != step.to && (step.to->cuts_changed || step.to->churn_changed || !drifted_only));
  return step;
}

bool is_quiet_at(const CustomerRow& row, const BoundaryStep& step, const Rules& rules) {
  if (row.open) return false;
  const RowCache& cache = row.cache;
  if (!cache.has_purchase) return !rules.window;
  if (step.every_row || cache.deadline <= step.boundary || cache.rfm_change_at <= step.horizon)
    return false;
  if (step.to->churn && step.epoch > cache.churn_quiet_until) return false;
  for (int s = 0; s < kSegmentationCount; ++s) {
    if (dwell_end(row, static_cast<Segmentation>(s), rules) > step.boundary) return false;
  }
  if (!step.to->clusters) return true;
  return margin_left(cache, step.horizon) > (step.drift - cache.margin_drift) + kMarginSlack;
}

LedgerOutcome apply_invoice(CustomerRow& row, const InvoiceFact& fact, EventTime from,
                            const TimeContext& context, TransitionBuffer& out) {
  const EventTime now = std::max(from, fact.invoice.time);
  const LedgerChange change = row.ledger.plan_put(fact.invoice, context.rules, now);
  if (change.outcome == LedgerOutcome::kApplied)
    apply_change(row, fact, change, from, now, context, out);
  return change.outcome;
}

SettledInvoice settle_open_invoice(CustomerRow& row, EventTime watermark,
                                   const TimeContext& context, TransitionBuffer& out) {
  RFM_ASSERT(row.open != nullptr);
  SettledInvoice settled{.invoice = std::move(*row.open)};
  row.open.reset();
  const OpenInvoice& open = settled.invoice;
  const InvoiceFact fact{
      .invoice = {.number_hash = invoice_hash(open.invoice_no),
                  .amount = open.sum,
                  .time = open.last_line,
                  .type = open.type,
                  .country_bits = country_bits(open.country)},
      .invoice_no = open.invoice_no,
      .country = open.country,
      .position = open.last_position,
  };
  EventTime reached = open.row_at;
  const EventTime now = std::max(reached, open.last_line);
  const LedgerChange change = row.ledger.plan_add(fact.invoice, context.rules, now);
  settled.outcome = change.outcome;
  if (change.outcome == LedgerOutcome::kApplied) {
    apply_change(row, fact, change, reached, now, context, out);
    reached = now;
  }
  advance(row, reached, std::max(reached, watermark), context, out);
  return settled;
}

void erase_segments(CustomerRow& row, EventTime now, const TimeContext& context,
                    TransitionBuffer& out) {
  Comparison compared{.before = facts_at(row, now, version_at(now, context), context)};
  compared.after = {.at = now, .version = compared.before.version};
  for (int s = 0; s < kSegmentationCount; ++s) {
    if (row.segments[static_cast<std::size_t>(s)].segment == kNoSegmentCode) continue;
    change_segment(row, static_cast<Segmentation>(s), kNoSegmentCode, Reason::kErasure, compared,
                   context.rules, out);
  }
}

void rebuild_cache(CustomerRow& row, EventTime at, const TimeContext& context) {
  row.cache = {.churn_quiet_until = epoch_of(at)};
  refresh_cache(row, facts_at(row, at, version_at(at, context), context), context);
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
