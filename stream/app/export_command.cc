#include "stream/app/export_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "stream/app/census_tables.h"
#include "stream/app/customers_table.h"
#include "stream/app/powerbi_export.h"
#include "stream/app/progress.h"
#include "stream/app/state_arguments.h"
#include "stream/app/state_census.h"
#include "stream/app/table_output.h"
#include "stream/text/time_text.h"
#include "stream/text/utf8.h"

namespace rfm {
namespace {

enum class Customers : std::uint8_t { kWithPurchases, kAll };

struct Arguments {
  StateArguments state;
  std::string output = "-";
  bool all = false;
  bool outlook = false;
  // Of `--for powerbi`.
  std::string purpose;
  std::string input;
};

struct CustomersOptions {
  Customers customers = Customers::kWithPurchases;
  Outlook outlook = Outlook::kNone;
};
CustomersOptions customers_options(const Arguments& arguments) {
  return {.customers = arguments.all ? Customers::kAll : Customers::kWithPurchases,
          .outlook = arguments.outlook ? Outlook::kNextChange : Outlook::kNone};
}

// Customers of one partition come in order. Those of several are kept until they are sorted.
class CustomersWriter {
 public:
  CustomersWriter(const OpenedState& state, const CustomersOptions& options, TableOutput& output)
      : state_(state),
        options_(options),
        output_(output),
        sorts_(state.snapshot->partitions().size() > 1) {}

  absl::Status write() {
    absl::Status written = output_.begin(
        "customers", customers_columns(state_.rules().segmentations, options_.outlook));
    if (!written.ok()) return written;
    written = visit_customers(
        state_, "exported",
        [this](const PartitionSnapshot& partition, const CustomerRow& row,
               const CustomerFacts& facts) { return add(partition.id, row, facts); });
    return written.ok() && sorts_ ? write_sorted() : written;
  }

  std::uint64_t count() const { return count_; }

 private:
  struct Line {
    std::string customer_id;
    PartitionId partition = 0;
    TableRow row;
  };

  absl::Status add(PartitionId partition, const CustomerRow& row, const CustomerFacts& facts) {
    if (facts.frequency == 0 && options_.customers == Customers::kWithPurchases)
      return absl::OkStatus();
    ++count_;
    fill_customer(figures_of(row, facts, state_.rules_of(row), state_.rules(), history_), partition,
                  options_.outlook, line_);
    if (!sorts_) return output_.write(line_);
    lines_.push_back({row.id, partition, line_});
    return absl::OkStatus();
  }

  absl::Status write_sorted() {
    std::ranges::sort(lines_, [](const Line& a, const Line& b) {
      return std::tie(a.customer_id, a.partition) < std::tie(b.customer_id, b.partition);
    });
    for (const Line& line : lines_) {
      if (absl::Status written = output_.write(line.row); !written.ok()) return written;
    }
    const auto same = [](const Line& a, const Line& b) { return a.customer_id == b.customer_id; };
    if (const auto split = std::ranges::adjacent_find(lines_, same); split != lines_.end()) {
      fmt::print(stderr,
                 "note: some customers are in several partitions, the first {}: their records were "
                 "not partitioned alike\n",
                 shown(split->customer_id));
    }
    return absl::OkStatus();
  }

  const OpenedState& state_;
  CustomersOptions options_;
  TableOutput& output_;
  bool sorts_;
  std::uint64_t count_ = 0;
  std::vector<Line> lines_;
  TableRow line_;
  LedgerHistory history_;
};

void print_clock(const OpenedState& state, std::string_view what) {
  fmt::print(stderr, "{} as of {}\n", what, to_rfc3339(state.snapshot->clock()));
}

absl::Status export_customers(const Arguments& arguments) {
  const absl::StatusOr<OpenedState> state = OpenedState::open(arguments.state);
  if (!state.ok()) return state.status();
  absl::StatusOr<TableOutput> output = TableOutput::csv(arguments.output);
  if (!output.ok()) return output.status();
  CustomersWriter customers(*state, customers_options(arguments), *output);
  if (absl::Status written = customers.write(); !written.ok()) return written;
  if (absl::Status done = output->finish(); !done.ok()) return done;
  print_clock(*state, grouped(customers.count()) + " customers");
  return absl::OkStatus();
}

using WriteTable = absl::Status (*)(const Census&, const std::string& currency, TableOutput&);

absl::Status export_table(const Arguments& arguments, WriteTable write_table) {
  const absl::StatusOr<OpenedState> state = OpenedState::open(arguments.state);
  if (!state.ok()) return state.status();
  const absl::StatusOr<Census> census = census_of(*state, {});
  if (!census.ok()) return census.status();
  absl::StatusOr<TableOutput> output = TableOutput::csv(arguments.output);
  if (!output.ok()) return output.status();
  absl::Status written = write_table(*census, currency_of(*state), *output);
  if (written.ok()) written = output->finish();
  if (!written.ok()) return written;
  print_clock(*state, grouped(static_cast<std::uint64_t>(census->segments().all().customers)) +
                          " customers counted");
  return absl::OkStatus();
}

absl::Status export_sqlite(const Arguments& arguments) {
  const absl::StatusOr<OpenedState> state = OpenedState::open(arguments.state);
  if (!state.ok()) return state.status();
  absl::StatusOr<TableOutput> output = TableOutput::sqlite(arguments.output);
  if (!output.ok()) return output.status();
  CustomersWriter customers(*state, customers_options(arguments), *output);
  if (absl::Status written = customers.write(); !written.ok()) return written;
  const absl::StatusOr<Census> census = census_of(*state, {});
  if (!census.ok()) return census.status();
  for (const WriteTable write_table : {write_segments, write_cohorts}) {
    const absl::Status written = write_table(*census, currency_of(*state), *output);
    if (!written.ok()) return written;
  }
  if (absl::Status done = output->finish(); !done.ok()) return done;
  print_clock(*state, fmt::format("{}: tables customers ({} rows), segments, cohorts",
                                  arguments.output, grouped(customers.count())));
  return absl::OkStatus();
}

absl::Status export_powerbi(const Arguments& arguments) {
  const absl::StatusOr<Settings> settings = arguments.state.settings.load();
  if (!settings.ok()) return settings.status();
  const absl::StatusOr<OpenedState> state = OpenedState::open(arguments.state);
  if (!state.ok()) return state.status();
  return export_for_powerbi(*state, arguments.input, *settings, arguments.output);
}

void add_output_option(CLI::App& command, Arguments& arguments) {
  command
      .add_option("-o,--output", arguments.output,
                  "The file, replaced when all is written; -: standard output")
      ->type_name("FILE|-")
      ->capture_default_str();
}

void add_customers_options(CLI::App& command, Arguments& arguments) {
  command.add_flag("--all", arguments.all,
                   "Also customers of whom no purchase counts (segment `none`)");
  command.add_flag("--outlook", arguments.outlook,
                   "Also the next change of each segment if the customer does nothing more; "
                   "slower");
}

void add_customers(CLI::App& parent, Invocation& invocation) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& command = *parent.add_subcommand(
      "customers", "Every customer's values, scores, segments and risk as CSV");
  add_state_arguments(command, arguments->state);
  add_output_option(command, *arguments);
  add_customers_options(command, *arguments);
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
      "  value_at_risk                 churn_risk x the last 365 days' net spend x 90 / 365\n"
      "  action                        what is advised for the segments the customer is in\n"
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

void add_segments(CLI::App& parent, Invocation& invocation) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& command = *parent.add_subcommand(
      "segments", "The size, value and risk of each segment of each segmentation as CSV");
  add_state_arguments(command, arguments->state);
  add_output_option(command, *arguments);
  command.footer(
      "Columns (RFC 4180, one header line; those who have customers, the highest rank first):\n"
      "  segmentation, segment         `none`: no purchase counts; `Unassigned`: no model yet\n"
      "  rank, description, action     as the rules or the model say\n"
      "  customers, share              how many, and of all customers of the state\n"
      "  monetary, revenue_share       net or gross as rfm.monetary says, and of all\n"
      "  orders, aov                   distinct invoices; monetary / orders\n"
      "  recency_days, frequency, monetary_mean\n"
      "                                means of the customers; recency of those who bought\n"
      "  churn_risk                    mean; empty without a model\n"
      "  value_at_risk                 sum of the customers' (`export customers --help`)\n"
      "  currency, as_of               of the state");
  command.callback([arguments, &invocation] {
    invocation.run = [arguments] { return export_table(*arguments, write_segments); };
  });
}

void add_cohorts(CLI::App& parent, Invocation& invocation) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& command = *parent.add_subcommand(
      "cohorts", "Customers by month of first purchase, and what they bought since, as CSV");
  add_state_arguments(command, arguments->state);
  add_output_option(command, *arguments);
  command.footer(
      "Columns (RFC 4180, one header line; every month from a cohort's first to the state's "
      "clock):\n"
      "  cohort, customers     month of the first purchase (UTC), and how many it was\n"
      "  month, months_since   the month that the rest is about\n"
      "  buyers, share         who bought in it, and of the cohort\n"
      "  revenue               sales less credits, each in its own month\n"
      "  complete              1; 0: the month is not over\n"
      "  currency, as_of       of the state\n"
      "\n"
      "Invoices beyond ledger.entries_max a customer are known as sums only: their money is in "
      "the\n"
      "month of the last of them, and they count as purchases in all months up to it.");
  command.callback([arguments, &invocation] {
    invocation.run = [arguments] { return export_table(*arguments, write_cohorts); };
  });
}

void add_sqlite(CLI::App& parent, Invocation& invocation) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& command = *parent.add_subcommand(
      "sqlite", "All these tables in one SQLite file, for tools that join them");
  add_state_arguments(command, arguments->state);
  command
      .add_option("-o,--output", arguments->output, "The SQLite file, replaced when all is written")
      ->required()
      ->type_name("FILE");
  add_customers_options(command, *arguments);
  command.footer(
      "Tables and columns as of `export customers`, `segments` and `cohorts`; what is empty there "
      "is\nNULL.\n"
      "\n"
      "Example:\n"
      "  rfmstream export sqlite --state s --output shop.sqlite\n"
      "  sqlite3 shop.sqlite 'SELECT rfm, COUNT(*), SUM(monetary) FROM customers GROUP BY rfm'");
  command.callback([arguments, &invocation] {
    invocation.run = [arguments] { return export_sqlite(*arguments); };
  });
}

// Options of `export` itself, without a table.
void add_powerbi(CLI::App& command, Invocation& invocation) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::Option& purpose =
      *command
           .add_option("--for", arguments->purpose,
                       "Instead of a table: the files of a Power BI report, "
                       "customer_segments.csv and df_sales.csv, into the directory --output")
           ->type_name("powerbi")
           ->check(CLI::IsMember({"powerbi"}));
  command.add_option("--state", arguments->state.state, "With --for: the state directory")
      ->type_name("DIR")
      ->needs(&purpose);
  command
      .add_option("--input", arguments->input,
                  "With --for: the CSV that the state was made of, whose rows are df_sales.csv")
      ->type_name("CSV")
      ->needs(&purpose);
  command.add_option("-o,--output", arguments->output, "With --for: the directory")
      ->type_name("DIR")
      ->needs(&purpose);
  add_settings_arguments(command, arguments->state.settings);
  command.callback([arguments, &command, &invocation] {
    if (!command.get_subcommands().empty()) return;
    if (arguments->purpose.empty()) throw CLI::RequiredError("A table, or --for powerbi");
    if (arguments->state.state.empty()) throw CLI::RequiredError("--state");
    if (arguments->input.empty()) throw CLI::RequiredError("--input");
    if (arguments->output == "-") throw CLI::RequiredError("--output");
    invocation.run = [arguments] { return export_powerbi(*arguments); };
  });
}

}  // namespace

void add_export_command(CLI::App& app, Invocation& invocation) {
  CLI::App& parent = *app.add_subcommand("export", "Write what the state holds as tables");
  parent.require_subcommand(0, 1);
  parent.footer(
      "docs/exports.md tells all columns.\n"
      "Examples:\n"
      "  rfmstream export customers --state s --output customers.csv\n"
      "  rfmstream export sqlite --state s --output shop.sqlite\n"
      "  rfmstream export --for powerbi --state s --input online_retail.csv --output powerbi");
  add_customers(parent, invocation);
  add_segments(parent, invocation);
  add_cohorts(parent, invocation);
  add_sqlite(parent, invocation);
  add_powerbi(parent, invocation);
}

}  // namespace rfm
