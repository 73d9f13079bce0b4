#include "state/advance.h"

#include <algorithm>

#include "model/nearest_centroid.h"
#include "state/assertion.h"
#include "state/damping.h"
#include "state/epoch.h"
#include "state/evaluation.h"
#include "state/hashes.h"
#include "state/model_adoption.h"
#include "state/moves_book.h"
#include "state/restraint.h"
#include "state/rules_change.h"
#include "state/segmenter.h"

namespace rfm {
namespace {

// The invoices that count have changed: brings what follows from them up to date.
CustomerFacts facts_of_changed(CustomerRow& row, EventTime at, const ModelVersion* version,
                               const Rules& rules) {
  CustomerFacts facts = facts_of(row, rules, version, at);
  facts.feature_f = row.feature_f = fixed_feature_f(facts.frequency);
  facts.feature_m = row.feature_m = fixed_feature_m(facts.monetary);
  row.cache.grid_change_at = kBeforeAll;
  // A boundary at `at` itself is still to come.
  row.cache.risk_quiet_until = epoch_of(at - Duration{1});
  return facts;
}

// Returns the facts afterwards.
CustomerFacts apply_deadline(CustomerRow& row, EventTime at, const TimeContext& context,
                             TransitionBuffer& out) {
  const Rules& rules = context.rules_of(row);
  const std::size_t first = out.transitions.size();
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
  for (std::size_t s = 0; s < rules.segmentations.size(); ++s) {
    const Segmenter segmenter(rules, s);
    const Call current = row.segments[s].call;
    const Call call = leaves_window ? segmenter.call_at_change(compared.after, current)
                                    : segmenter.call_in_silence(compared.after, current);
    follow_call(row, s, call, Reason::kInactivity, compared, rules, out);
  }
  row.cache.grid_change_at = kBeforeAll;
  restrain(row, first, {.at = at}, rules, out);
  return compared.after;
}

void cross_boundary(CustomerRow& row, std::int64_t epoch, const TimeContext& context,
                    TransitionBuffer& out) {
  const Rules& old_rules = context.rules_of(row);
  const Rules& rules = context.rules_in(epoch);
  const bool adopts_rules = rules.version != old_rules.version;
  std::size_t first = out.transitions.size();
  const EventTime boundary = boundary_of(epoch);
  const ModelVersion* from = context.models.effective_in(epoch - 1);
  const ModelVersion* to = context.models.effective_in(epoch);
  Comparison compared{.after = facts_at(row, boundary, from, context)};
  CustomerFacts& facts = compared.after;
  if (facts.frequency == 0) {
    facts.version = to;
    if (adopts_rules) adopt_rules(row, facts, facts, old_rules, rules, out);
    return refresh_cache(row, facts, context);
  }
  facts.recency_feature = recency_feature(to_ms(facts.last_purchase), to_ms(boundary));

  // What time has done under the old version, then what the new version does; the same of rules.
  const bool asks_risk = from->churn && epoch > row.cache.risk_quiet_until;
  ChurnOutlook outlook;
  if (asks_risk) {
    const EventTime day_before = std::max(boundary - kEpoch, facts.last_purchase);
    compared.before = facts_at(row, day_before, from, context);
    outlook = outlook_of(facts, old_rules);
    for (std::size_t s = 0; s < old_rules.segmentations.size(); ++s) {
      const Segmenter segmenter(old_rules, s);
      if (!segmenter.segmentation().follows_risk()) continue;
      const Call call = segmenter.call_at_boundary(facts, facts, row.segments[s].call);
      follow_call(row, s, call, Reason::kInactivity, compared, old_rules, out);
    }
  }
  refresh_member(row, facts);
  SegmentationMask adopting = ~SegmentationMask{0};
  if (adopts_rules) {
    restrain(row, first, {.at = boundary}, old_rules, out);
    first = out.transitions.size();
    CustomerFacts judged = facts;
    judged.version = to;
    if (to->churn_changed) judged.churn_risk = -1;
    adopting = adopt_rules(row, facts, judged, old_rules, rules, out);
  }
  if (from != to) {
    compared.before = facts;
    facts.version = to;
    if (to->churn_changed || (to->cuts_changed && !asks_risk)) outlook = outlook_of(facts, rules);
    for (std::size_t s = 0; s < rules.segmentations.size(); ++s) {
      const Segmenter segmenter(rules, s);
      const Segmentation& segmentation = segmenter.segmentation();
      if (!adopts(segmentation, *to) || (adopting & mask_of(s)) == 0) continue;
      const Call current = row.segments[s].call;
      const Call call = segmenter.call_at_boundary(compared.before, facts, current);
      const Reason reason = adoption_reason(segmenter, row.segments[s], call, *from, *to);
      follow_call(row, s, call, reason, compared, rules, out);
    }
    if (to->cuts_changed) row.cache.grid_change_at = kBeforeAll;
    if (to->cluster_change != ClusterChange::kNone) refresh_member(row, facts);
  }
  if (adopts_rules) outlook = outlook_of(facts, rules);
  if (asks_risk || adopts_rules || to->churn_changed || to->cuts_changed)
    refresh_risk_quiet(row, facts, outlook, rules);
  restrain(row, first, {.at = boundary}, rules, out);
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
  compared.is_purchase = !takes_back;
  const Rules& rules = context.rules_of(row);
  const std::size_t first = out.transitions.size();
  const ChurnOutlook outlook = outlook_of(compared.after, rules);
  for (std::size_t s = 0; s < rules.segmentations.size(); ++s) {
    const Segmenter segmenter(rules, s);
    const Call current = row.segments[s].call;
    const Call call = takes_back ? segmenter.call_at_return(before, compared.after, current)
                                 : segmenter.call_at_change(compared.after, current);
    follow_call(row, s, call, reason, compared, rules, out);
  }
  refresh_member(row, compared.after);
  restrain(row, first, {.at = now, .is_own_event = true}, rules, out);
  if (compared.after.frequency > 0) refresh_risk_quiet(row, compared.after, outlook, rules);
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

void advance(CustomerRow& row, EventTime from, EventTime to, const TimeContext& context,
             TransitionBuffer& out) {
  RFM_ASSERT(!row.open);
  EventTime now = from;
  while (now < to) {
    const EventTime boundary = boundary_of(epoch_of(now) + 1);
    const EventTime limit = std::min(to, boundary);
    while (row.cache.deadline <= limit) {
      now = row.cache.deadline;
      if (now == boundary) note_day_end(row, boundary, context.rules, out);
      const CustomerFacts facts = apply_deadline(row, now, context, out);
      if (now == boundary) break;  // The crossing below fills the cache.
      refresh_cache(row, facts, context);
    }
    if (limit == boundary) {
      if (now < boundary) note_day_end(row, boundary, context.rules, out);
      cross_boundary(row, epoch_of(boundary), context, out);
    }
    now = limit;
  }
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
  SettledInvoice settled;
  settled.invoice = std::move(*row.open);
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
  settled.entry = change.to;
  if (change.known < row.ledger.entries().size())
    settled.replaced = row.ledger.entries().at(change.known);
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
  for (std::size_t s = 0; s < row.segments.size(); ++s) {
    if (row.segments[s].segment == kNoSegmentCode) continue;
    change_segment(row, s, kNoSegmentCode, Reason::kErasure, {}, compared, context.rules_of(row),
                   out);
  }
}

}  // namespace rfm
