#include "stream/app/inspect_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "model/nearest_centroid.h"
#include "state/damping.h"
#include "state/epoch.h"
#include "state/evaluation.h"
#include "state/segmenter.h"
#include "stream/app/customer_outlook.h"
#include "stream/app/progress.h"
#include "stream/app/state_arguments.h"
#include "stream/format/explanation.h"
#include "stream/text/decimal.h"
#include "stream/text/json_text.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

struct Arguments {
  StateArguments state;
  std::string customer_id;
  bool json = false;
  bool ledger = false;
};

constexpr std::size_t kLedgerShown = 10;

// Another segment that is called for and waits.
struct HeldView {
  std::string segment;
  Reason reason{};
  EventTime since{};
  EventTime until{};
};

struct SegmentView {
  std::string segmentation;
  std::string segment;
  SegmentState state;
  std::optional<NextChange> next;
  std::string next_segment{};
  std::optional<HeldView> held{};
};

// What is shown, in either form.
struct Inspection {
  const CustomerRow& row;
  const PartitionSnapshot& partition;
  const Rules& rules;
  CustomerFacts facts;
  std::vector<SegmentView> segments{};
  std::vector<DueChange> deadlines{};
  std::vector<LedgerInvoice> ledger{};
};

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

Inspection inspection_of(const StateSnapshot::Found& found, const OpenedState& state) {
  const Rules& rules = state.rules_of(found.row);
  Inspection view{.row = found.row,
                  .partition = found.partition,
                  .rules = rules,
                  .facts = state.snapshot->facts_at_clock(found.row, found.partition.meta)};
  for (std::size_t s = 0; s < rules.segmentations.size(); ++s) {
    const Segmentation& segmentation = rules.segmentations[s];
    SegmentView segment{.segmentation = segmentation.name(),
                        .segment = segment_info(segmentation, found.row.segments[s].segment).name,
                        .state = found.row.segments[s],
                        .next = next_change(s, found.row, view.facts, rules)};
    segment.held = held_of(s, found.row, view.facts, rules);
    if (segment.next) segment.next_segment = segment_info(segmentation, segment.next->to).name;
    view.segments.push_back(std::move(segment));
  }
  view.deadlines = deadlines_of(found.row, view.facts, rules);
  view.ledger = found.row.ledger.invoices();
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

void print_line(std::string_view name, std::string_view value) {
  fmt::print("  {:<17} {}\n", name, value);
}

void print_purchases(const Inspection& view) {
  const CustomerFacts& facts = view.facts;
  const InvoiceSums& sums = view.row.ledger.sums();
  fmt::print("\nPurchases\n");
  if (facts.frequency > 0) {
    print_line("first purchase", to_rfc3339(facts.first_purchase));
    print_line("last purchase", fmt::format("{}, {:.4f} days ago", to_rfc3339(facts.last_purchase),
                                            recency_days(facts)));
  } else {
    print_line("", "no purchase counts");
  }
  print_line("frequency", fmt::format("{} invoices", facts.frequency));
  print_line("monetary", fmt::format("{} ({}): sales {}, credits {}", to_text(facts.monetary),
                                     view.rules.monetary == MonetaryKind::kNet ? "net" : "gross",
                                     to_text(sums.purchases), to_text(sums.credits)));
  if (view.row.consent) print_line("consent", *view.row.consent ? "yes" : "no");
  if (view.row.open) {
    const OpenInvoice& open = *view.row.open;
    print_line("open invoice",
               fmt::format("{} {}, so far {}, last line {}; not in these figures yet",
                           open.type == InvoiceType::kCredit ? "credit" : "invoice",
                           open.invoice_no, to_text(open.sum), to_rfc3339(open.last_line)));
  }
}

void print_axes(const Segmenter& segmenter, const CustomerFacts& facts) {
  const Segmentation& segmentation = segmenter.segmentation();
  const std::optional<AxisScores> scores = segmenter.scores(facts);
  if (!scores) return;
  const AxisInput input = axis_input_of(facts);
  for (std::size_t a = 0; a < segmentation.axes().size(); ++a) {
    const Axis& axis = segmentation.axes()[a];
    const std::optional<std::int64_t> value = axis_value(axis.cuts.quantity, input);
    fmt::print("  {:<12} {:<8} {} of {}  {:>18}  cuts {}\n", segmentation.name(), axis.name,
               int{(*scores)[a]}, axis.cuts.bins,
               value ? axis_text(axis.cuts.quantity, *value) : "-",
               cuts_text(axis.cuts.quantity, segmenter.cuts_of(a, *facts.version)));
  }
}

void print_distances(const Segmenter& segmenter, const CustomerFacts& facts) {
  if (!segmenter.is_by_centroids()) return;
  const ClusterModel* const clusters = segmenter.centroids(*facts.version);
  if (clusters == nullptr) return;
  const Segmentation& segmentation = segmenter.segmentation();
  const FeatureVector x = segmenter.features(facts);
  fmt::print("  {}: distance to centroids (log1p R {:.3f}, F {:.3f}, M {:.3f})\n",
             segmentation.name(), x[0], x[1], x[2]);
  for (std::size_t c = 0; c < static_cast<std::size_t>(clusters->cluster_count); ++c) {
    const Call call{.code = static_cast<std::uint16_t>(kFirstSegment + c)};
    const SegmentCode segment = segmenter.segment_of(call, *facts.version);
    fmt::print("    {:<36} {:.3f}\n", segment_info(segmentation, segment).name,
               std::sqrt(squared_distance(clusters->weight, x, clusters->centroids[c])));
  }
}

void print_scores(const Inspection& view) {
  const CustomerFacts& facts = view.facts;
  if (facts.frequency == 0) return;
  fmt::print("\nScores, the highest is best{}\n",
             facts.version->cuts.empty() ? " (few customers: fixed limits)" : "");
  for (std::size_t s = 0; s < view.rules.segmentations.size(); ++s)
    print_axes(Segmenter(view.rules, s), facts);
  if (const std::optional<double> risk = churn_risk_of(facts))
    fmt::print("  churn risk {:.4f}: P(no purchase within 90 days)\n", *risk);
  for (std::size_t s = 0; s < view.rules.segmentations.size(); ++s)
    print_distances(Segmenter(view.rules, s), facts);
}

bool is_quiet(const Inspection& view) { return view.row.quiet_until > view.facts.at; }

void print_segments(const Inspection& view) {
  const auto width = [&](std::string SegmentView::*text, std::size_t least) {
    for (const SegmentView& segment : view.segments)
      least = std::max(least, (segment.*text).size());
    return least;
  };
  const std::size_t names = width(&SegmentView::segmentation, 9);
  const std::size_t segments = width(&SegmentView::segment, 22);
  fmt::print("\nSegments\n  {:<{}} {:<{}} {:<24} {:>4}  {}\n", "", names, "segment", segments,
             "since", "seq", "next change if silent");
  for (const SegmentView& segment : view.segments) {
    const std::string next =
        segment.next ? fmt::format("{} -> {}", to_rfc3339(segment.next->at), segment.next_segment)
                     : "none within 10 years";
    fmt::print("  {:<{}} {:<{}} {:<24} {:>4}  {}\n", segment.segmentation, names, segment.segment,
               segments, segment.state.seq > 0 ? to_rfc3339(segment.state.since) : "-",
               segment.state.seq, next);
    if (segment.held) {
      fmt::print("  {:<{}} held back since {}: {} ({}), until {}\n", "", names,
                 to_rfc3339(segment.held->since), segment.held->segment, name(segment.held->reason),
                 to_rfc3339(segment.held->until));
    }
  }
  if (is_quiet(view)) {
    fmt::print("  quiet until {}: no transition before is actionable, unless the customer acts\n",
               to_rfc3339(view.row.quiet_until));
  }
  fmt::print("\nDeadlines\n");
  for (const DueChange& deadline : view.deadlines)
    fmt::print("  {}  {}\n", to_rfc3339(deadline.at), deadline.what);
  if (view.deadlines.empty()) fmt::print("  none\n");
}

void print_ledger(const Inspection& view, std::size_t shown_max) {
  const std::size_t shown = std::min(view.ledger.size(), shown_max);
  fmt::print("\nLedger: {} entries, {}\n", view.ledger.size(),
             shown == view.ledger.size()
                 ? "by time"
                 : fmt::format("the newest {} by time (--ledger: all)", shown));
  if (const FoldedInvoices& folded = view.row.ledger.folded(); folded.newest > kBeforeAll) {
    fmt::print("  older ones, folded: {} invoices up to {}, sales {}, credits {}\n", folded.count,
               to_rfc3339(folded.newest), to_text(folded.purchases), to_text(folded.credits));
  }
  if (view.ledger.empty()) return;
  fmt::print("  {:<24}  {:<8}{:>16}  {}\n", "time", "type", "amount", "hash of the number");
  for (const LedgerInvoice& invoice : std::span(view.ledger).last(shown)) {
    fmt::print("  {:<24}  {:<8}{:>16}  {:016x}", to_rfc3339(invoice.time), kind_of(invoice),
               to_text(amount_of(invoice)), invoice.number_hash);
    if (invoice.original_hash != 0) fmt::print("  for {:016x}", invoice.original_hash);
    if (invoice.revision != 0) fmt::print("  revision {}", invoice.revision);
    fmt::print("\n");
  }
}

void print_text(const Inspection& view, std::size_t ledger_max) {
  fmt::print("Customer {}{}{}\n", view.row.id, view.row.country.empty() ? "" : ", ",
             view.row.country);
  const ModelVersion& version = *view.facts.version;
  print_line("as of", to_rfc3339(view.facts.at));
  print_line("model version",
             version.number == 0
                 ? "none yet"
                 : fmt::format("{}, trained at {} on {} customers", version.number,
                               to_date(boundary_of(version.trained_epoch)), version.population));
  print_line("rules version", fmt::format("{}", view.rules.version));
  print_line("partition", fmt::format("{}, clock {}", view.partition.id,
                                      to_rfc3339(view.partition.meta.watermark)));
  print_line("birth", fmt::format("{:016x}", view.row.birth));
  print_purchases(view);
  print_scores(view);
  print_segments(view);
  print_ledger(view, ledger_max);
}

void write_values(JsonText& out, const Inspection& view) {
  const CustomerFacts& facts = view.facts;
  const InvoiceSums& sums = view.row.ledger.sums();
  if (facts.frequency > 0) {
    out.key("first_purchase").text(to_rfc3339(facts.first_purchase));
    out.key("last_purchase").text(to_rfc3339(facts.last_purchase));
    out.key("recency_days").fixed(recency_days(facts), 6);
  }
  out.key("frequency").integer(facts.frequency);
  out.key("monetary").text(to_text(facts.monetary));
  out.key("sales").text(to_text(sums.purchases));
  out.key("credits").text(to_text(sums.credits));
  if (const std::optional<double> risk = churn_risk_of(facts))
    out.key("churn_risk").fixed(*risk, 10);
  if (view.row.consent) out.key("consent").boolean(*view.row.consent);
  if (!view.row.open) return;
  const OpenInvoice& open = *view.row.open;
  out.key("open_invoice").begin_object();
  out.key("type").text(open.type == InvoiceType::kCredit ? "credit" : "invoice");
  out.key("invoice_no").text(open.invoice_no);
  out.key("amount").text(to_text(open.sum));
  out.key("last_line").text(to_rfc3339(open.last_line));
  out.end_object();
}

void write_scores(JsonText& out, const Inspection& view, std::string_view name) {
  const std::size_t s = view.rules.segmentations.find(name);
  const std::optional<AxisScores> scores = Segmenter(view.rules, s).scores(view.facts);
  if (!scores) return;
  out.key("scores").begin_object();
  const std::span<const Axis> axes = view.rules.segmentations[s].axes();
  for (std::size_t a = 0; a < axes.size(); ++a) out.key(axes[a].name).integer((*scores)[a]);
  out.end_object();
}

void write_segments(JsonText& out, const Inspection& view) {
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
  if (is_quiet(view)) out.key("quiet_until").text(to_rfc3339(view.row.quiet_until));
  out.key("deadlines").begin_array();
  for (const DueChange& deadline : view.deadlines) {
    out.begin_object();
    out.key("at").text(to_rfc3339(deadline.at));
    out.key("what").text(deadline.what);
    out.end_object();
  }
  out.end_array();
}

void write_ledger(JsonText& out, const Inspection& view) {
  out.key("ledger").begin_array();
  for (const LedgerInvoice& invoice : view.ledger) {
    out.begin_object();
    out.key("time").text(to_rfc3339(invoice.time));
    out.key("type").text(kind_of(invoice));
    out.key("amount").text(to_text(amount_of(invoice)));
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
  out.key("sales").text(to_text(folded.purchases));
  out.key("credits").text(to_text(folded.credits));
  out.end_object();
}

void print_json(const Inspection& view) {
  TextBuffer text;
  JsonText out(text);
  out.begin_object();
  out.key("customer_id").text(view.row.id);
  out.key("country").text(view.row.country);
  out.key("as_of").text(to_rfc3339(view.facts.at));
  out.key("model_version").integer(view.facts.version->number);
  out.key("rules_version").integer(view.rules.version);
  out.key("partition").integer(view.partition.id);
  out.key("birth").text(fmt::format("{:016x}", view.row.birth));
  write_values(out, view);
  write_segments(out, view);
  write_ledger(out, view);
  out.end_object();
  fmt::print("{}\n", text.view());
}

absl::Status inspect_customer(const Arguments& arguments) {
  const absl::StatusOr<OpenedState> state = OpenedState::open(arguments.state);
  if (!state.ok()) return state.status();
  const auto found = state->snapshot->find(arguments.customer_id);
  if (!found.ok()) return found.status();
  if (!*found) {
    const absl::StatusOr<std::uint64_t> count = state->snapshot->customer_count();
    if (!count.ok()) return count.status();
    return absl::NotFoundError(fmt::format("there is no customer {} among the {} of {}",
                                           arguments.customer_id, grouped(*count),
                                           arguments.state.state));
  }
  const Inspection view = inspection_of(**found, *state);
  if (arguments.json) {
    print_json(view);
  } else {
    print_text(view, arguments.ledger ? std::numeric_limits<std::size_t>::max() : kLedgerShown);
  }
  return absl::OkStatus();
}

}  // namespace

void add_inspect_command(CLI::App& app, Invocation& invocation) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& parent =
      *app.add_subcommand("inspect", "Show everything about one customer, and what comes next");
  parent.require_subcommand(1);
  CLI::App& command = *parent.add_subcommand(
      "customer", "Values, scores, segments, deadlines and ledger of one customer");
  command.add_option("ID", arguments->customer_id, "The customer")->required()->type_name("");
  add_state_arguments(command, arguments->state);
  command.add_flag("--json", arguments->json, "One JSON object instead of text");
  command.add_flag("--ledger", arguments->ledger,
                   "All invoices and credits that are kept, not the newest 10 only (as in --json)");
  command.footer(
      "All is as of the state's clock (the watermark of the customer's partition), under the\n"
      "model in force there. `next change if silent` says when each segment changes, and to\n"
      "which, if the customer does nothing more and the model stays as it is; churn is looked at\n"
      "where a day begins. `held back` is a segment that is called for and waits for the least\n"
      "stay. The ledger keeps hashes of invoice numbers. `birth` tells a customer who was erased\n"
      "and came back from the one before.\n"
      "The rules come from the state's own model log. For a service on Kafka that log is a topic:\n"
      "name the brokers with --config or --set kafka.brokers=host:9092.\n"
      "\n"
      "Examples:\n"
      "  rfmstream inspect customer 17850 --state s\n"
      "  rfmstream inspect customer 17850 --state s --json | jq .segments.rfm\n"
      "  rfmstream inspect customer 17850 --state /var/lib/rfmstream --config rfmstream.toml");
  command.callback([arguments, &invocation] {
    invocation.run = [arguments] { return inspect_customer(*arguments); };
  });
}

}  // namespace rfm
