#include "stream/analyse/customer_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <span>
#include <utility>

#include "state/damping.h"
#include "state/epoch.h"
#include "state/evaluation.h"
#include "state/segmenter.h"
#include "stream/text/decimal.h"
#include "stream/text/json_text.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

std::optional<HeldView> held_of(std::size_t s, const CustomerRow& row, const CustomerFacts& facts,
                                const Rules& rules) {
  const EventTime until = stay_end(row, s, *facts.version, rules);
  if (until <= facts.at) return std::nullopt;
  const SegmentState& state = row.segments[s];
  const Segmenter segmenter(rules, s);
  const SegmentCode called = segmenter.segment_of(state.call, *facts.version);
  return HeldView{.segment = segment_info(segmenter.segmentation(), called).name,
                  .reason = state.called_reason,
                  .since = state.since + std::chrono::seconds{state.called_after_s},
                  .until = until};
}

void write_values(JsonText& out, const CustomerView& view) {
  const CustomerFacts& facts = view.facts;
  const InvoiceSums& sums = view.row.ledger.sums();
  if (facts.frequency > 0) {
    out.key("first_purchase").text(to_rfc3339(facts.first_purchase));
    out.key("last_purchase").text(to_rfc3339(facts.last_purchase));
    out.key("recency_days").fixed(recency_days(facts), 6);
  }
  out.key("frequency").integer(facts.frequency);
  out.key("monetary").raw(to_text(facts.monetary));
  out.key("sales").raw(to_text(sums.purchases));
  out.key("credits").raw(to_text(sums.credits));
  if (const std::optional<double> risk = churn_risk_of(facts))
    out.key("churn_risk").fixed(*risk, 10);
  if (view.row.consent) out.key("consent").boolean(*view.row.consent);
  if (!view.row.open) return;
  const OpenInvoice& open = *view.row.open;
  out.key("open_invoice").begin_object();
  out.key("type").text(open.type == InvoiceType::kCredit ? "credit" : "invoice");
  out.key("invoice_no").text(open.invoice_no);
  out.key("amount").raw(to_text(open.sum));
  out.key("last_line").text(to_rfc3339(open.last_line));
  out.end_object();
}

void write_scores(JsonText& out, const CustomerView& view, std::string_view name) {
  const std::size_t s = view.rules.segmentations.find(name);
  const std::optional<AxisScores> scores = Segmenter(view.rules, s).scores(view.facts);
  if (!scores) return;
  out.key("scores").begin_object();
  const std::span<const Axis> axes = view.rules.segmentations[s].axes();
  for (std::size_t a = 0; a < axes.size(); ++a) out.key(axes[a].name).integer((*scores)[a]);
  out.end_object();
}

void write_segments(JsonText& out, const CustomerView& view) {
  out.key("segments").begin_object();
  for (const SegmentView& segment : view.segments) {
    out.key(segment.segmentation).begin_object();
    out.key("segment").text(segment.segment);
    if (segment.state.seq > 0) out.key("since").text(to_rfc3339(segment.state.since));
    out.key("seq").integer(segment.state.seq);
    write_scores(out, view, segment.segmentation);
    if (segment.held) {
      out.key("held").begin_object();
      out.key("segment").text(segment.held->segment);
      out.key("reason").text(name(segment.held->reason));
      out.key("since").text(to_rfc3339(segment.held->since));
      out.key("until").text(to_rfc3339(segment.held->until));
      out.end_object();
    }
    if (segment.next) {
      out.key("next").begin_object();
      out.key("at").text(to_rfc3339(segment.next->at));
      out.key("segment").text(segment.next_segment);
      out.end_object();
    }
    out.end_object();
  }
  out.end_object();
  if (view.is_quiet()) out.key("quiet_until").text(to_rfc3339(view.row.quiet_until));
  out.key("deadlines").begin_array();
  for (const DueChange& deadline : view.deadlines) {
    out.begin_object();
    out.key("at").text(to_rfc3339(deadline.at));
    out.key("what").text(deadline.what);
    out.end_object();
  }
  out.end_array();
}

void write_ledger(JsonText& out, const CustomerView& view) {
  out.key("ledger").begin_array();
  for (const LedgerInvoice& invoice : view.ledger) {
    out.begin_object();
    out.key("time").text(to_rfc3339(invoice.time));
    out.key("type").text(kind_of(invoice));
    out.key("amount").raw(to_text(amount_of(invoice)));
    out.key("number_hash").text(fmt::format("{:016x}", invoice.number_hash));
    if (invoice.original_hash != 0)
      out.key("original_hash").text(fmt::format("{:016x}", invoice.original_hash));
    if (invoice.revision != 0) out.key("revision").integer(invoice.revision);
    out.end_object();
  }
  out.end_array();
  const FoldedInvoices& folded = view.row.ledger.folded();
  if (folded.newest == kBeforeAll) return;
  out.key("folded").begin_object();
  out.key("invoices").integer(folded.count);
  out.key("newest").text(to_rfc3339(folded.newest));
  out.key("sales").raw(to_text(folded.purchases));
  out.key("credits").raw(to_text(folded.credits));
  out.end_object();
}

// None, as before the first, where the model log does not reach.
const ModelVersion* version_in(const ModelTimeline& models, std::int64_t epoch) {
  const bool is_unknown = models.started() && !models.knows(epoch);
  return models.effective_in(is_unknown ? models.start_epoch() : epoch);
}

}  // namespace

CustomerFacts facts_at_clock(const CustomerRow& row, EventTime watermark, const TimeContext& logs) {
  const EventTime at = row.open ? row.open->row_at : std::max(row.clock, watermark);
  return facts_of(row, logs.rules, version_in(logs.models, epoch_of(at)), at);
}

CustomerView view_of(const CustomerRow& row, PartitionId partition, EventTime watermark,
                     const TimeContext& logs) {
  const Rules& rules = logs.rules_of(row);
  CustomerView view{.row = row,
                    .partition = partition,
                    .watermark = watermark,
                    .rules = rules,
                    .facts = facts_at_clock(row, watermark, logs)};
  for (std::size_t s = 0; s < rules.segmentations.size(); ++s) {
    const Segmentation& segmentation = rules.segmentations[s];
    SegmentView segment{.segmentation = segmentation.name(),
                        .segment = segment_info(segmentation, row.segments[s].segment).name,
                        .state = row.segments[s],
                        .next = next_change(s, row, view.facts, rules)};
    segment.held = held_of(s, row, view.facts, rules);
    if (segment.next) segment.next_segment = segment_info(segmentation, segment.next->to).name;
    view.segments.push_back(std::move(segment));
  }
  view.deadlines = deadlines_of(row, view.facts, rules);
  view.ledger = row.ledger.invoices();
  std::ranges::stable_sort(
      view.ledger, [](const LedgerInvoice& a, const LedgerInvoice& b) { return a.time < b.time; });
  return view;
}

std::string_view kind_of(const LedgerInvoice& invoice) {
  return invoice.type == InvoiceType::kCredit ? "credit" : "invoice";
}

Money amount_of(const LedgerInvoice& invoice) {
  const bool credit = invoice.type == InvoiceType::kCredit;
  return credit ? Money{-std::abs(invoice.amount.units)} : invoice.amount;
}

void write_customer(JsonText& out, const CustomerView& view) {
  out.key("customer_id").text(view.row.id);
  out.key("country").text(view.row.country);
  out.key("as_of").text(to_rfc3339(view.facts.at));
  out.key("model_version").integer(view.facts.version->number);
  out.key("rules_version").integer(view.rules.version);
  out.key("partition").integer(view.partition);
  out.key("birth").text(fmt::format("{:016x}", view.row.birth));
  write_values(out, view);
  write_segments(out, view);
  write_ledger(out, view);
}

std::string customer_json(const CustomerView& view) {
  TextBuffer text;
  JsonText out(text);
  out.begin_object();
  write_customer(out, view);
  out.end_object();
  return std::string(text.view());
}

}  // namespace rfm
