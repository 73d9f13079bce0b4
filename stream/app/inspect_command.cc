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
#include "stream/analyse/customer_view.h"
#include "stream/app/progress.h"
#include "stream/app/state_arguments.h"
#include "stream/app/state_census.h"
#include "stream/format/explanation.h"
#include "stream/text/decimal.h"
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

void print_line(std::string_view name, std::string_view value) {
  fmt::print("  {:<17} {}\n", name, value);
}

void print_purchases(const CustomerView& view, std::string_view currency) {
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
  print_line("monetary",
             fmt::format("{} {} ({}): sales {}, credits {}", currency, to_text(facts.monetary),
                         view.rules.monetary == MonetaryKind::kNet ? "net" : "gross",
                         to_text(sums.purchases), to_text(sums.credits)));
  if (view.row.consent) print_line("consent", *view.row.consent ? "yes" : "no");
  if (view.row.open) {
    const OpenInvoice& open = *view.row.open;
    print_line(
        "open invoice",
        fmt::format("{} {}, so far {} {}, last line {}; not in these figures yet",
                    open.type == InvoiceType::kCredit ? "credit" : "invoice", open.invoice_no,
                    currency, to_text(open.sum), to_rfc3339(open.last_line)));
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
  fmt::print("  {}: how far from the middle of each group\n", segmentation.name());
  for (std::size_t c = 0; c < static_cast<std::size_t>(clusters->cluster_count); ++c) {
    const Call call{.code = static_cast<std::uint16_t>(kFirstSegment + c)};
    const SegmentCode segment = segmenter.segment_of(call, *facts.version);
    fmt::print("    {:<36} {:.3f}\n", segment_info(segmentation, segment).name,
               std::sqrt(squared_distance(clusters->weight, x, clusters->centroids[c])));
  }
}

void print_scores(const CustomerView& view, std::string_view currency) {
  const CustomerFacts& facts = view.facts;
  if (facts.frequency == 0) return;
  fmt::print("\nScores, the highest is best; money in {}{}\n", currency,
             facts.version->cuts.empty() ? " (few customers: fixed limits)" : "");
  for (std::size_t s = 0; s < view.rules.segmentations.size(); ++s)
    print_axes(Segmenter(view.rules, s), facts);
  if (const std::optional<double> risk = churn_risk_of(facts))
    fmt::print("  churn risk {:.4f}: how likely no purchase is within 90 days\n", *risk);
  for (std::size_t s = 0; s < view.rules.segmentations.size(); ++s)
    print_distances(Segmenter(view.rules, s), facts);
}

void print_segments(const CustomerView& view) {
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
  if (view.is_quiet()) {
    fmt::print("  quiet until {}: no transition before is actionable, unless the customer acts\n",
               to_rfc3339(view.row.quiet_until));
  }
  fmt::print("\nDeadlines\n");
  for (const DueChange& deadline : view.deadlines)
    fmt::print("  {}  {}\n", to_rfc3339(deadline.at), deadline.what);
  if (view.deadlines.empty()) fmt::print("  none\n");
}

void print_ledger(const CustomerView& view, std::size_t shown_max, std::string_view currency) {
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
  fmt::print("  {:<24}  {:<8}{:>16}  {}\n", "time", "type", fmt::format("amount, {}", currency),
             "hash of the number");
  for (const LedgerInvoice& invoice : std::span(view.ledger).last(shown)) {
    fmt::print("  {:<24}  {:<8}{:>16}  {:016x}", to_rfc3339(invoice.time), kind_of(invoice),
               to_text(amount_of(invoice)), invoice.number_hash);
    if (invoice.original_hash != 0) fmt::print("  for {:016x}", invoice.original_hash);
    if (invoice.revision != 0) fmt::print("  revision {}", invoice.revision);
    fmt::print("\n");
  }
}

void print_text(const CustomerView& view, std::size_t ledger_max, std::string_view currency) {
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
  print_line("partition", fmt::format("{}, clock {}", view.partition, to_rfc3339(view.watermark)));
  print_purchases(view, currency);
  print_scores(view, currency);
  print_segments(view);
  print_ledger(view, ledger_max, currency);
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
  const auto& [partition, row] = **found;
  const CustomerView view =
      view_of(row, partition.id, partition.meta.watermark, state->snapshot->logs());
  if (arguments.json) {
    fmt::print("{}\n", customer_json(view));
  } else {
    print_text(view, arguments.ledger ? std::numeric_limits<std::size_t>::max() : kLedgerShown,
               currency_of(*state));
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
      "stay. The ledger keeps hashes of invoice numbers. `birth`, in --json, tells a customer who\n"
      "was erased and came back from the one before.\n"
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
