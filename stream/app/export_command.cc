#include "stream/app/export_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "stream/app/book_tables.h"
#include "stream/app/census_tables.h"
#include "stream/app/choice_option.h"
#include "stream/app/customers_writer.h"
#include "stream/app/powerbi_export.h"
#include "stream/app/progress.h"
#include "stream/app/rules_log.h"
#include "stream/app/state_arguments.h"
#include "stream/app/state_census.h"
#include "stream/app/table_output.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

enum class SalesBy : std::uint8_t { kDay, kHour, kProduct };

struct Arguments {
  StateArguments state;
  std::string output = "-";
  bool all = false;
  bool outlook = false;
  bool by_day = false;
  SalesBy sales_by = SalesBy::kDay;
  // Of `--for powerbi`.
  std::string purpose;
  std::string table;  // None: each is a subcommand.
  std::string input;
};

CustomersOptions customers_options(const Arguments& arguments) {
  return {.customers = arguments.all ? Customers::kAll : Customers::kWithPurchases,
          .outlook = arguments.outlook ? Outlook::kNextChange : Outlook::kNone};
}

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

using WriteSales = absl::Status (*)(const SalesSummary&, const std::string& currency, TableOutput&);
using WriteMoves = absl::Status (*)(const MovesSummary&, const std::string& currency, TableOutput&);

WriteSales writer_of(SalesBy by) {
  switch (by) {
    case SalesBy::kDay:
      return write_sales_by_day;
    case SalesBy::kHour:
      return write_sales_by_hour;
    case SalesBy::kProduct:
      return write_sales_by_product;
  }
  return nullptr;
}

// A table of what `read` finds in the books.
template <class Read, class Write>
absl::Status export_book(const Arguments& arguments, Read read, Write write) {
  const absl::StatusOr<OpenedState> state = OpenedState::open(arguments.state);
  if (!state.ok()) return state.status();
  const auto book = read(*state);
  if (!book.ok()) return book.status();
  absl::StatusOr<TableOutput> output = TableOutput::csv(arguments.output);
  if (!output.ok()) return output.status();
  absl::Status written = write(*book, currency_of(*state), *output);
  if (written.ok()) written = output->finish();
  if (!written.ok()) return written;
  print_clock(*state, book->since()
                          ? fmt::format("counted since {}, written", to_rfc3339(*book->since()))
                          : "written");
  return absl::OkStatus();
}

absl::Status write_books(const OpenedState& state, TableOutput& output) {
  const std::string currency = currency_of(state);
  const absl::StatusOr<SalesSummary> sales = sales_of(state);
  if (!sales.ok()) return sales.status();
  for (const WriteSales write : {write_sales_by_day, write_sales_by_hour, write_sales_by_product}) {
    if (absl::Status written = write(*sales, currency, output); !written.ok()) return written;
  }
  const absl::StatusOr<MovesSummary> moves = moves_of(state);
  if (!moves.ok()) return moves.status();
  for (const WriteMoves write : {write_transitions, write_segments_by_day}) {
    if (absl::Status written = write(*moves, currency, output); !written.ok()) return written;
  }
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
  if (absl::Status written = write_books(*state, *output); !written.ok()) return written;
  if (absl::Status done = output->finish(); !done.ok()) return done;
  print_clock(*state, fmt::format("{}: {} customers, and all other tables", arguments.output,
                                  grouped(customers.count())));
  return absl::OkStatus();
}

absl::Status export_powerbi(const Arguments& arguments) {
  const absl::StatusOr<Settings> given = arguments.state.settings.load();
  if (!given.ok()) return given.status();
  const absl::StatusOr<OpenedState> state = OpenedState::open(arguments.state);
  if (!state.ok()) return state.status();
  const absl::StatusOr<Settings> settings =
      with_logged_input(*given, state->snapshot->rules_records().back());
  if (!settings.ok()) return settings.status();
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
      "  rfmstream replay --input online_retail.csv --until 2011-12-10 --state s\n"
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
      "  currency, as_of               of the state\n"
      "With --by-day: date, segmentation, segment, customers, monetary, currency; at the end of\n"
      "each day on which anything changed.\n"
      "\n"
      "Examples:\n"
      "  rfmstream export segments --state s\n"
      "  rfmstream export segments --by-day --state s --output segments.csv");
  command.add_flag("--by-day", arguments->by_day,
                   "Sizes and money at the end of each day, as they were then");
  command.callback([arguments, &invocation] {
    invocation.run = [arguments] {
      return arguments->by_day ? export_book(*arguments, moves_of, write_segments_by_day)
                               : export_table(*arguments, write_segments);
    };
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
      "Invoices beyond ledger.entries_max a customer are known as sums only: their money is in\n"
      "the month of the last of them, and they count as purchases in all months up to it.\n"
      "\n"
      "Example:\n"
      "  rfmstream export cohorts --state s --output cohorts.csv");
  command.callback([arguments, &invocation] {
    invocation.run = [arguments] { return export_table(*arguments, write_cohorts); };
  });
}

void add_sales(CLI::App& parent, Invocation& invocation) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& command = *parent.add_subcommand(
      "sales", "Sales and credits by day and country, hour or product as CSV, of everybody");
  add_state_arguments(command, arguments->state);
  add_output_option(command, *arguments);
  const std::map<std::string, SalesBy> choices = {
      {"day", SalesBy::kDay}, {"hour", SalesBy::kHour}, {"product", SalesBy::kProduct}};
  add_choice(command, "--by", arguments->sales_by, choices,
             "day (default): and country; hour: month, weekday and hour; product: and month")
      .type_name("WHAT");
  command.footer(
      "Columns (RFC 4180, one header line; UTC; sales as known now, credits on their own day):\n"
      "  date, country, customer_known    --by day; 0: sales without a customer\n"
      "  month, weekday, hour             --by hour; 1 is Monday\n"
      "  month, stock_code, description   --by product; of no product: an empty code\n"
      "  gross, credits, net, units       units are less what came back\n"
      "  invoices, credit_notes           --by day: of customers\n"
      "  unnamed_records                  --by day: sales and returns without a customer; each\n"
      "                                   line, where they come as lines\n"
      "  invoices_and_unnamed_sales       --by hour: invoices of customers and, by record, sales\n"
      "                                   without a customer: the book has both in one\n"
      "  customers                        --by day: who bought on that day in that country\n"
      "  lines                            --by product\n"
      "  currency                         of the state\n"
      "\n"
      "Examples:\n"
      "  rfmstream export sales --state s --output sales.csv\n"
      "  rfmstream export sales --by product --state s --output products.csv");
  command.callback([arguments, &invocation] {
    invocation.run = [arguments] {
      return export_book(*arguments, sales_of, writer_of(arguments->sales_by));
    };
  });
}

void add_transitions(CLI::App& parent, Invocation& invocation) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& command = *parent.add_subcommand(
      "transitions", "How many moved from which segment to which and why, by day, as CSV");
  add_state_arguments(command, arguments->state);
  add_output_option(command, *arguments);
  command.footer(
      "Columns (RFC 4180, one header line):\n"
      "  date, segmentation, from, to  UTC; `none`: no purchase counted\n"
      "  reason, actionable            as in the transitions themselves; 1: may be acted on\n"
      "  moves, monetary               how many, and the money of the customers afterwards\n"
      "  currency                      of the state\n"
      "\n"
      "Example:\n"
      "  rfmstream export transitions --state s --output moves.csv");
  command.callback([arguments, &invocation] {
    invocation.run = [arguments] { return export_book(*arguments, moves_of, write_transitions); };
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
      "Tables: customers, segments, segments_by_day, cohorts, sales_by_day, sales_by_hour,\n"
      "sales_by_product, transitions; columns as in the CSV of each, what is empty there is NULL.\n"
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
  // Before what is needed is missed: what is called a table and is none.
  command.add_option("TABLE", arguments->table)
      ->group("")
      ->check([&command](const std::string& table) {
        std::string names;
        for (const CLI::App* one : command.get_subcommands([](const CLI::App*) { return true; }))
          names += (names.empty() ? "" : ", ") + one->get_name();
        return fmt::format("{} is no table; allowed: {}", table, names);
      });
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
    if (!command.get_subcommands().empty()) {
      const std::string table = command.get_subcommands().front()->get_name();
      for (const CLI::Option* option : command.get_options()) {
        if (option->count() > 0)
          throw CLI::ValidationError(option->get_name(), "goes behind the table: export " + table +
                                                             " " + option->get_name() + " ...");
      }
      return;
    }
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
  add_sales(parent, invocation);
  add_transitions(parent, invocation);
  add_sqlite(parent, invocation);
  add_powerbi(parent, invocation);
}

}  // namespace rfm
