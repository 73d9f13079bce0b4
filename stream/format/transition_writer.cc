#include "stream/format/transition_writer.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <iterator>

#include "state/evaluation.h"
#include "state/hashes.h"
#include "stream/format/explanation.h"
#include "stream/text/decimal.h"
#include "stream/text/json_text.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr std::string_view kType = "rfmstream.segment.transition.v1";

void write_values(JsonText& out, std::string_view name, const CustomerFacts& facts,
                  const std::optional<double>& risk) {
  out.key(name).begin_object();
  if (facts.frequency > 0) out.key("recency_days").fixed(recency_days(facts), 4);
  out.key("frequency").integer(facts.frequency);
  out.key("monetary").text(to_text(facts.monetary));
  if (facts.frequency > 0) {
    const Scores scores = scores_of(facts);
    out.key("r").integer(scores.r);
    out.key("f").integer(scores.f);
    out.key("m").integer(scores.m);
  }
  if (risk) out.key("churn_risk").fixed(*risk, 6);
  out.end_object();
}

std::string_view direction(const Transition& t, const SegmentInfo& from, const SegmentInfo& to) {
  if (t.from == kNoSegmentCode) return "new";
  if (t.to == kNoSegmentCode) return "lost";
  if (t.from == kUnassigned || t.to == kUnassigned || from.rank == to.rank) return "sideways";
  return to.rank > from.rank ? "up" : "down";
}

void write_cause(JsonText& out, const Cause& cause) {
  out.key("cause").begin_object();
  out.key("invoice_no").text(cause.invoice_no);
  if (!cause.event_id.empty()) out.key("event_id").text(cause.event_id);
  out.key("event_time").text(Rfc3339Text(cause.event_time).view());
  out.end_object();
}

}  // namespace

TransitionWriter::TransitionWriter(const TransitionWriterOptions& options, const Rules& rules)
    : rules_(rules), source_("/rfmstream/" + options.application) {}

void TransitionWriter::write(const Transition& t, const TransitionSubject& subject,
                             const TransitionContext& context) {
  const auto segmentation = kSegmentationNames[static_cast<std::size_t>(t.segmentation)];
  const ModelVersion& version = *t.after.version;
  const SegmentInfo& from = segment_info(t.segmentation, t.from, rules_, *t.before.version);
  const SegmentInfo& to = segment_info(t.segmentation, t.to, rules_, version);
  const Rfc3339Text time(t.effective_at());
  time_ = time.view();
  position_.clear();
  fmt::format_to(std::back_inserter(position_), FMT_COMPILE("{}/{}"), context.partition,
                 context.input_offset);
  const TransitionRisks risks = risks_of(t);

  body_.clear();
  JsonText out(body_);
  out.begin_object();
  out.key("customer_id").text(subject.id);
  out.key("seq").integer(t.seq);
  out.key("segmentation").text(segmentation);
  out.key("from").begin_object();
  out.key("segment").text(from.name);
  if (t.seq > 1) out.key("since").text(Rfc3339Text(t.from_since).view());
  out.end_object();
  out.key("to").text(to.name);
  out.key("direction").text(direction(t, from, to));
  out.key("reason").text(name(t.reason));
  if (t.cause != nullptr) write_cause(out, *t.cause);
  write_values(out, "before", t.before, risks.before);
  write_values(out, "after", t.after, risks.after);
  out.key("segments").begin_object();
  for (std::size_t s = 0; s < t.segments.size(); ++s) {
    out.key(kSegmentationNames[s])
        .text(segment_name(static_cast<Segmentation>(s), t.segments[s], rules_, version));
  }
  out.end_object();
  if (risks.after) out.key("churn_risk").fixed(*risks.after, 6);
  out.key("explanation").text(explain(t, risks, rules_));
  out.key("action").text(to.action);
  out.key("effective_at").text(time_);
  const EventTime next = t.next_change
                             ? *t.next_change
                             : next_change_if_silent(t.segmentation, t.after, t.to, rules_,
                                                     t.effective_at() + kForesight);
  if (next != kNever) out.key("valid_until").text(Rfc3339Text(next).view());
  out.key("model_version").integer(version.number);
  out.key("rules_version").integer(rules_.version);
  const std::string_view suppressed = suppressed_by(t, subject, context, rules_);
  out.key("actionable").boolean(suppressed.empty());
  if (!suppressed.empty()) out.key("suppressed_by").text(suppressed);
  if (subject.consent) out.key("consent").boolean(*subject.consent);
  out.key("holdout").boolean(holdout_position(subject.id) < rules_.holdout_fraction);
  birth_.clear();
  fmt::format_to(std::back_inserter(birth_), FMT_COMPILE("{:016x}"), subject.birth);
  out.key("birth").text(birth_);
  out.end_object();
  id_ = transition_id(subject.id, body_.view());
  headers_ = {{{"ce_specversion", "1.0"},
               {"ce_id", id_},
               {"ce_source", source_},
               {"ce_type", kType},
               {"ce_subject", subject.id},
               {"ce_time", time_},
               {"content-type", "application/json"},
               {"ce_inputposition", position_}}};
}

std::string_view TransitionWriter::write_segments(const CustomerRow& row,
                                                  const ModelVersion& version, EventTime as_of,
                                                  const std::optional<double>& risk) {
  body_.clear();
  JsonText out(body_);
  out.begin_object();
  out.key("customer_id").text(row.id);
  out.key("segments").begin_object();
  for (std::size_t s = 0; s < row.segments.size(); ++s) {
    out.key(kSegmentationNames[s]);
    out.text(segment_name(static_cast<Segmentation>(s), row.segments[s].segment, rules_, version));
  }
  out.end_object();
  out.key("since").begin_object();
  for (std::size_t s = 0; s < row.segments.size(); ++s) {
    if (row.segments[s].seq > 0)
      out.key(kSegmentationNames[s]).text(Rfc3339Text(row.segments[s].since).view());
  }
  out.end_object();
  out.key("seq").begin_object();
  for (std::size_t s = 0; s < row.segments.size(); ++s)
    out.key(kSegmentationNames[s]).integer(row.segments[s].seq);
  out.end_object();
  if (risk) out.key("churn_risk").fixed(*risk, 6);
  out.key("as_of").text(Rfc3339Text(as_of).view());
  out.key("model_version").integer(version.number);
  out.key("rules_version").integer(rules_.version);
  out.end_object();
  return body_.view();
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
  if (subject.consent.has_value() && !*subject.consent) return "consent";
  if (holdout_position(subject.id) < rules.holdout_fraction) return "holdout";
  return {};
}

}  // namespace rfm
