#include "stream/format/transition_writer.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>

#include "state/damping.h"
#include "state/evaluation.h"
#include "state/hashes.h"
#include "state/segmenter.h"
#include "state/silence.h"
#include "stream/format/explanation.h"
#include "stream/text/decimal.h"
#include "stream/text/json_text.h"
#include "stream/text/number_text.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr std::string_view kType = "rfmstream.segment.transition.v2";

// Exact, with two decimals where that is enough.
NumberText brief_amount(Money money) {
  constexpr std::int64_t kCent = Money::kUnitsPerCurrencyUnit / 100;
  return money.units % kCent == 0 ? NumberText(money.units / kCent, 2) : NumberText(money.units, 4);
}

// The values of one side; of the side before only what differs from `other`.
struct Side {
  const CustomerFacts& facts;
  const std::optional<double>& risk;
  std::optional<AxisScores> scores;
};

void write_scores(JsonText& out, std::span<const Axis> axes, const AxisScores& scores,
                  const std::optional<AxisScores>& other) {
  bool is_open = false;
  for (std::size_t a = 0; a < axes.size(); ++a) {
    // Of a risk the segment says it.
    if (axes[a].cuts.quantity == Quantity::kRisk || (other && scores[a] == (*other)[a])) continue;
    if (!is_open) out.key("scores").begin_object();
    is_open = true;
    out.key(axes[a].name).integer(scores[a]);
  }
  if (is_open) out.end_object();
}

void write_values(JsonText& out, const Segmentation& segmentation, const Side& side,
                  const Side* other) {
  const CustomerFacts& facts = side.facts;
  const NumberText days = recency_text(facts);
  if (facts.frequency > 0 && (other == nullptr || days.view() != recency_text(other->facts).view()))
    out.key("recency_days").raw(days.view());
  if (other == nullptr || facts.frequency != other->facts.frequency)
    out.key("frequency").integer(facts.frequency);
  if (other == nullptr || facts.monetary != other->facts.monetary)
    out.key("monetary").text(brief_amount(facts.monetary).view());
  if (side.risk) {
    const NumberText risk(*side.risk, kRiskDigits);
    if (other == nullptr || !other->risk ||
        risk.view() != NumberText(*other->risk, kRiskDigits).view())
      out.key("churn_risk").raw(risk.view());
  }
  if (side.scores) {
    write_scores(out, segmentation.axes(), *side.scores,
                 other == nullptr ? std::nullopt : other->scores);
  }
}

// Nothing to say of the side before.
bool same_values(const Side& before, const Side& after) {
  return before.facts.frequency == after.facts.frequency &&
         before.facts.monetary == after.facts.monetary && before.risk == after.risk &&
         before.scores == after.scores &&
         recency_text(before.facts).view() == recency_text(after.facts).view();
}

void write_cause(JsonText& out, const Cause& cause, EventTime effective_at) {
  out.key("cause").begin_object();
  out.key("invoice_no").text(cause.invoice_no);
  if (!cause.event_id.empty()) out.key("event_id").text(cause.event_id);
  if (cause.event_time != effective_at)
    out.key("event_time").text(Rfc3339Text(cause.event_time).view());
  out.end_object();
}

// What silence will do, if the customer and the model stay as they are.
NextChange forecast_of(const Transition& t, const Rules& rules) {
  if (t.next_change) return *t.next_change;
  const Segmenter segmenter(rules, t.segmentation);
  const Segmentation& segmentation = segmenter.segmentation();
  const bool asks_boundaries = segmentation.follows_risk() && t.after.version->churn;
  if (t.to == kNoSegmentCode || asks_boundaries) return {};
  const EventTime at = segmenter.next_change(t.after, t.call, t.effective_at() + kForesight);
  if (at == kNever) return {};
  CustomerFacts then = t.after;
  then.at = at;
  then.recency_feature = then.churn_risk = -1;
  const SegmentCode to =
      segmenter.segment_of(segmenter.call_in_silence(then, t.call), *then.version);
  return damped(segmentation, {at, to}, t.to, t.effective_at());
}

void write_forecast(JsonText& out, const Transition& t, const Rules& rules) {
  const NextChange next = forecast_of(t, rules);
  if (next.at == kNever) return;
  out.key("if_silent").begin_object();
  out.key("segment").text(segment_info(rules.segmentations[t.segmentation], next.to).name);
  out.key("at").text(Rfc3339Text(next.at).view());
  out.end_object();
}

}  // namespace

TransitionWriter::TransitionWriter(const TransitionWriterOptions& options)
    : source_("/rfmstream/" + options.application) {}

void TransitionWriter::write(const Transition& t, const TransitionSubject& subject,
                             const TransitionContext& context) {
  const Rules& rules = *t.rules;
  const Segmenter segmenter(rules, t.segmentation);
  const Segmentation& segmentation = segmenter.segmentation();
  const auto name_of = [](const Segmentation& in, SegmentCode code) -> std::string_view {
    return segment_info(in, code).name;
  };
  const TransitionRisks risks = risks_of(t, rules);
  const Side before{t.before, risks.before, segmenter.scores(t.before)};
  const Side after{t.after, risks.after, segmenter.scores(t.after)};

  body_.clear();
  JsonText out(body_);
  out.begin_object();
  out.key("customer_id").text(subject.id);
  out.key("segmentation").text(segmentation.name());
  out.key("seq").integer(t.seq);
  out.key("from").begin_object();
  out.key("segment").text(name_of(*t.from_in, t.from));
  if (t.seq > 1) out.key("since").text(Rfc3339Text(t.from_since).view());
  out.end_object();
  out.key("to").text(name_of(segmentation, t.to));
  out.key("direction").text(name(t.direction));
  out.key("reason").text(name(t.reason));
  if (t.cause != nullptr) write_cause(out, *t.cause, t.effective_at());
  if (t.held) {
    out.key("held").begin_object();
    out.key("segment").text(name_of(*t.from_in, t.held->segment));
    out.key("since").text(Rfc3339Text(t.held->since).view());
    out.end_object();
  }
  if (t.before.frequency > 0 && !same_values(before, after)) {
    out.key("before").begin_object();
    write_values(out, segmentation, before, &after);
    out.end_object();
  }
  out.key("after").begin_object();
  write_values(out, segmentation, after, nullptr);
  out.end_object();
  out.key("explanation").text(explain(t, risks, rules));
  out.key("effective_at").text(Rfc3339Text(t.effective_at()).view());
  write_forecast(out, t, rules);
  out.key("model").integer(t.after.version->number);
  out.key("rules").integer(t.rules_version);
  const std::string_view suppressed = suppressed_by(t, subject, context, rules);
  out.key("actionable").boolean(suppressed.empty());
  if (suppressed.empty()) {
    out.key("action").text(t.action->text);
  } else {
    out.key("suppressed_by").text(suppressed);
  }
  if (subject.consent) out.key("consent").boolean(*subject.consent);
  if (holdout_position(subject.id) < rules.holdout_fraction) out.key("holdout").boolean(true);
  birth_.clear();
  fmt::format_to(std::back_inserter(birth_), FMT_COMPILE("{:08x}"), subject.birth >> 32);
  out.key("birth").text(birth_);
  out.end_object();
  id_ = transition_id(subject.id, body_.view());
  headers_ = {{{"ce_specversion", "1.0"},
               {"ce_id", id_},
               {"ce_source", source_},
               {"ce_type", kType},
               {"content-type", "application/json"}}};
}

std::string_view suppressed_by(const Transition& t, const TransitionSubject& subject,
                               const TransitionContext& context, const Rules& rules) {
  switch (t.reason) {
    case Reason::kErasure:
      return "erasure";
    case Reason::kBackfill:
      return "backfill";
    case Reason::kPopulationShift:
      return "population";
    case Reason::kModelChange:
    case Reason::kRulesChange:
      return "model";
    case Reason::kPurchase:
    case Reason::kReturn:
    case Reason::kLateEvent:
      if (!context.go_live.includes(*t.cause)) return "go_live";
      break;
    case Reason::kInactivity:
      if (!context.live_after || t.effective_at() <= *context.live_after) return "go_live";
      break;
  }
  if (t.restraint == Restraint::kNoAction) return "no_action";
  if (subject.consent.has_value() && !*subject.consent) return "consent";
  if (holdout_position(subject.id) < rules.holdout_fraction) return "holdout";
  if (t.restraint == Restraint::kPrecedence) return "precedence";
  if (t.restraint == Restraint::kCooldown) return "cooldown";
  return {};
}

}  // namespace rfm
