#include "stream/app/export_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "model/nearest_centroid.h"
#include "state/damping.h"
#include "state/evaluation.h"
#include "state/segmenter.h"
#include "stream/analyse/customer_outlook.h"
#include "stream/app/output_file.h"
#include "stream/app/progress.h"
#include "stream/app/state_arguments.h"
#include "stream/format/explanation.h"
#include "stream/text/decimal.h"
#include "stream/text/time_text.h"
#include "stream/text/utf8.h"

namespace rfm {
namespace {

// Of an axis that follows the churn risk the segment says all.
bool has_column(const Axis& axis) { return axis.cuts.quantity != Quantity::kRisk; }

enum class Outlook : std::uint8_t { kNone, kNextChange };

std::string columns_of(const Segmentations& segmentations, Outlook outlook) {
  std::string line =
      "customer_id,country,first_purchase,last_purchase,recency_days,frequency,monetary,aov";
  for (const Segmentation& segmentation : segmentations.all()) {
    for (const Axis& axis : segmentation.axes()) {
      if (has_column(axis))
        fmt::format_to(std::back_inserter(line), ",{}_{}", segmentation.name(), axis.name);
    }
  }
  for (const Segmentation& segmentation : segmentations.all()) (line += ',') += segmentation.name();
  if (outlook == Outlook::kNextChange) {
    for (const Segmentation& segmentation : segmentations.all())
      fmt::format_to(std::back_inserter(line), ",{0}_next,{0}_next_at", segmentation.name());
  }
  return line + ",churn_risk,as_of,partition\n";
}

enum class Customers : std::uint8_t { kWithPurchases, kAll };

struct Arguments {
  StateArguments state;
  std::string output = "-";
  bool all = false;
  bool outlook = false;
};

// RFC 4180: quoted where it must be, quotes doubled.
void append_text(std::string& line, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    line += text;
    return;
  }
  line += '"';
  for (const char c : text) {
    if (c == '"') line += '"';
    line += c;
  }
  line += '"';
}

// Where each segment goes, and when, if the customer does nothing more.
void append_outlook(std::string& line, const CustomerRow& row, const CustomerFacts& facts,
                    const Rules& rules, const Segmentations& shown) {
  for (const Segmentation& segmentation : shown.all()) {
    const std::size_t s = rules.segmentations.find(segmentation.name());
    const std::optional<NextChange> next =
        s < rules.segmentations.size() ? next_change(s, row, facts, rules) : std::nullopt;
    line += ',';
    if (next) append_text(line, segment_info(rules.segmentations[s], next->to).name);
    line += ',';
    if (next) line += to_rfc3339(next->at);
  }
}

// `rules` are those that the row is under, `shown` say which columns there are: for an open
// invoice's sake a row may be under older ones.
std::string line_of(const CustomerRow& row, const CustomerFacts& facts, PartitionId partition,
                    const Rules& rules, const Segmentations& shown, Outlook outlook) {
  std::string line;
  const auto out = std::back_inserter(line);
  append_text(line, row.id);
  line += ',';
  append_text(line, row.country);
  if (facts.frequency > 0) {
    fmt::format_to(out, ",{},{},{:.6f},{}", to_rfc3339(facts.first_purchase),
                   to_rfc3339(facts.last_purchase), recency_days(facts), facts.frequency);
  } else {
    line += ",,,,0";
  }
  fmt::format_to(out, ",{},", to_text(facts.monetary));
  if (facts.frequency > 0) {
    const double orders = static_cast<double>(facts.frequency) * Money::kUnitsPerCurrencyUnit;
    fmt::format_to(out, "{:.2f}", static_cast<double>(facts.monetary.units) / orders);
  }
  for (const Segmentation& segmentation : shown.all()) {
    const std::size_t s = rules.segmentations.find(segmentation.name());
    std::optional<AxisScores> scores;
    if (s < rules.segmentations.size() && rules.segmentations[s] == segmentation)
      scores = Segmenter(rules, s).scores(facts);
    for (std::size_t a = 0; a < segmentation.axes().size(); ++a) {
      if (!has_column(segmentation.axes()[a])) continue;
      line += ',';
      if (scores) fmt::format_to(out, "{}", (*scores)[a]);
    }
  }
  for (const Segmentation& segmentation : shown.all()) {
    line += ',';
    const std::size_t s = rules.segmentations.find(segmentation.name());
    if (s < rules.segmentations.size())
      append_text(line, segment_info(rules.segmentations[s], row.segments[s].segment).name);
  }
  if (outlook == Outlook::kNextChange) append_outlook(line, row, facts, rules, shown);
  line += ',';
  if (const std::optional<double> risk = churn_risk_of(facts))
    fmt::format_to(out, "{:.10f}", *risk);
  fmt::format_to(out, ",{},{}\n", to_rfc3339(facts.at), partition);
  return line;
}

struct Line {
  std::string customer_id;
  PartitionId partition = 0;
  std::string text;
};

absl::StatusOr<std::vector<Line>> lines_of(const OpenedState& state, Customers customers,
                                           Outlook outlook) {
  std::vector<Line> lines;
  const Segmentations& shown = state.rules().segmentations;
  const absl::Status visited =
      state.snapshot->for_each([&](const PartitionSnapshot& partition, const CustomerRow& row) {
        const CustomerFacts facts = state.snapshot->facts_at_clock(row, partition.meta);
        if (facts.frequency > 0 || customers == Customers::kAll) {
          lines.push_back({row.id, partition.id,
                           line_of(row, facts, partition.id, state.rules_of(row), shown, outlook)});
        }
        return absl::OkStatus();
      });
  if (!visited.ok()) return visited;
  std::ranges::sort(lines, [](const Line& a, const Line& b) {
    return std::tie(a.customer_id, a.partition) < std::tie(b.customer_id, b.partition);
  });
  return lines;
}

absl::Status write_lines(OutputFile& file, const std::string& columns,
                         const std::vector<Line>& lines) {
  absl::Status written = file.write(columns);
  for (const Line& line : lines) {
    if (written.ok()) written = file.write(line.text);
  }
  return written.ok() ? file.finish() : written;
}

absl::Status export_customers(const Arguments& arguments) {
  const absl::StatusOr<OpenedState> state = OpenedState::open(arguments.state);
  if (!state.ok()) return state.status();
  const Outlook outlook = arguments.outlook ? Outlook::kNextChange : Outlook::kNone;
  const absl::StatusOr<std::vector<Line>> lines =
      lines_of(*state, arguments.all ? Customers::kAll : Customers::kWithPurchases, outlook);
  if (!lines.ok()) return lines.status();
  absl::StatusOr<OutputFile> file = OutputFile::open(arguments.output, OutputFile::Place::kBeside);
  if (!file.ok()) return file.status();
  const absl::Status written =
      write_lines(*file, columns_of(state->rules().segmentations, outlook), *lines);
  if (!written.ok()) return written;
  fmt::print(stderr, "{} customers as of {}\n", grouped(lines->size()),
             to_rfc3339(state->snapshot->clock()));
  const auto same = [](const Line& a, const Line& b) { return a.customer_id == b.customer_id; };
  if (const auto split = std::ranges::adjacent_find(*lines, same); split != lines->end()) {
    fmt::print(stderr,
               "note: some customers are in several partitions, the first {}: their records were "
               "not partitioned alike\n",
               shown(split->customer_id));
  }
  return absl::OkStatus();
}

}  // namespace

void add_export_command(CLI::App& app, Invocation& invocation) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& parent = *app.add_subcommand("export", "Write what the state holds as a table");
  parent.require_subcommand(1);
  CLI::App& command = *parent.add_subcommand(
      "customers", "Every customer's values, scores, segments and risk as CSV");
  add_state_arguments(command, arguments->state);
  command
      .add_option("-o,--output", arguments->output,
                  "The file, replaced when all is written; -: standard output")
      ->type_name("FILE|-")
      ->capture_default_str();
  command.add_flag("--all", arguments->all,
                   "Also customers of whom no purchase counts (segment `none`)");
  command.add_flag(
      "--outlook", arguments->outlook,
      "Also the next change of each segment if the customer does nothing more; slower");
  command.footer(
      "Columns (RFC 4180, one header line, sorted by customer_id as text):\n"
      "  customer_id, country          as they came; the country of the newest invoice\n"
      "  first_purchase, last_purchase RFC 3339, UTC; empty if no purchase counts\n"
      "  recency_days                  days from last_purchase to the state's clock\n"
      "  frequency, monetary           distinct invoices; net or gross as rfm.monetary says\n"
      "  aov                           monetary / frequency, the average order's value\n"
      "  rfm_r, rfm_f, rfm_m           of every segmentation with axes: the scores under the\n"
      "                                model in force, the highest is best\n"
      "  churn, cluster, rfm           the segment in each segmentation\n"
      "  rfm_next, rfm_next_at, ...    with --outlook: the segment that comes next in silence, "
      "and\n"
      "                                when; empty: none within 10 years\n"
      "  churn_risk                    P(no purchase within 90 days); empty without a model\n"
      "  as_of                         the instant that all of it is told for\n"
      "  partition                     of the input; a customer should be in one only\n"
      "\n"
      "All is as of the state's clock, which is printed on standard error: the watermark of the\n"
      "customer's partition. A customer with an invoice still open is shown before it.\n"
      "The rules come from the state's own model log. For a service on Kafka that log is a topic:\n"
      "name the brokers with --config or --set kafka.brokers=host:9092.\n"
      "\n"
      "Examples:\n"
      "  rfmstream replay --input online_retail.csv --format csv --until 2011-12-10 --state s\n"
      "  rfmstream export customers --state s --output customers.csv\n"
      "  rfmstream export customers --state s | grep ',At Risk,'");
  command.callback([arguments, &invocation] {
    invocation.run = [arguments] { return export_customers(*arguments); };
  });
}

}  // namespace rfm
