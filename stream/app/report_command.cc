#include "stream/app/report_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "config/options.h"
#include "stream/analyse/money_sum.h"
#include "stream/app/csv_sales.h"
#include "stream/app/output_file.h"
#include "stream/app/replay_setup.h"
#include "stream/app/state_census.h"
#include "stream/app/stop_signal.h"
#include "stream/evaluate/churn_evaluation.h"
#include "stream/report/report.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

struct Arguments {
  ReplayArguments input;
  std::string state;
  std::string output;
};

constexpr const char* kChurnNeedsInput =
    "It is judged by running a history anew: make the report from an input file (--input), or see "
    "`rfmstream evaluate churn`.";

// What a report has of its input alone, beside the state.
struct Judged {
  absl::StatusOr<ChurnReport> churn = absl::FailedPreconditionError(kChurnNeedsInput);
  std::map<std::string, std::int64_t> units;  // By customer, in 10^-4.
};

std::vector<CustomerUnits> best_of(const std::map<std::string, std::int64_t>& units) {
  std::vector<CustomerUnits> best;
  for (const auto& [customer, sum] : units) best.push_back({customer, sum});
  std::ranges::stable_sort(best, std::greater<>(), &CustomerUnits::units);
  return best;
}

// Of the rows of a CSV before `until`, where it can be read once more.
absl::StatusOr<std::map<std::string, std::int64_t>> units_of(const std::string& input,
                                                             const Settings& settings,
                                                             EventTime until) {
  std::map<std::string, std::int64_t> units;
  std::error_code unreadable;
  if (settings.text("input.format") != "csv" ||
      !std::filesystem::is_regular_file(input, unreadable))
    return units;
  const auto read = read_csv_sales(input, settings, {.time = until}, [&](const CsvSale& sale) {
    if (!sale.quantity.empty() && !sale.customer_id.empty())
      add_to(units[sale.customer_id], sale.units);
    return absl::OkStatus();
  });
  if (!read.ok()) return read.status();
  return units;
}

absl::Status write_report(const StateArguments& arguments, const std::string& source,
                          const Judged& judged, const std::string& path) {
  const absl::StatusOr<OpenedState> state = OpenedState::open(arguments);
  if (!state.ok()) return state.status();
  const absl::StatusOr<Census> census = census_of(*state, {});
  if (!census.ok()) return census.status();
  const absl::StatusOr<SalesSummary> sales = sales_of(*state);
  if (!sales.ok()) return sales.status();
  absl::StatusOr<OutputFile> file = OutputFile::open(path, OutputFile::Place::kBeside);
  if (!file.ok()) return file.status();
  ReportInput input{.census = *census,
                    .version = version_of(*state),
                    .sales = *sales,
                    .currency = currency_of(*state),
                    .source = source,
                    .best_by_units = best_of(judged.units),
                    .churn = nullptr,
                    .churn_missing = ""};
  if (judged.churn.ok()) {
    input.churn = &*judged.churn;
  } else {
    input.churn_missing = std::string(judged.churn.status().message());
  }
  const std::string html = report_html(input);
  if (StopSignal().asked()) return interrupted("there is no report");
  absl::Status written = file->write(html);
  if (written.ok()) written = file->finish();
  if (!written.ok()) return written;
  fmt::print(stderr, "{}: report as of {}\n", path == "-" ? "standard output" : path,
             to_rfc3339(census->as_of()));
  return absl::OkStatus();
}

// Runs the input into a state of its own, looking on.
absl::StatusOr<Judged> run_input(const ReplayArguments& arguments) {
  absl::StatusOr<ReplaySetup> setup = ReplaySetup::open(arguments);
  if (!setup.ok()) return setup.status();
  ChurnEvaluation evaluation({.schedule = training_options(setup->settings()).schedule,
                              .from = kEarliestEventTime,
                              .split = std::nullopt});
  setup->replay().observe(evaluation);
  absl::Status run = setup->run();
  if (run.ok()) run = check_not_empty(setup->replay().lane());
  if (!run.ok()) return run;
  EventTime clock = kBeforeAll;
  for (const Partition* partition : setup->replay().lane().partitions())
    clock = std::max(clock, partition->meta().watermark);
  absl::StatusOr<std::map<std::string, std::int64_t>> units =
      units_of(arguments.input, setup->settings(), clock);
  if (!units.ok()) return units.status();
  return Judged{.churn = evaluation.finish(setup->replay().lane()), .units = *std::move(units)};
}

absl::Status report(const Arguments& arguments) {
  const StopSignal stop;  // So that no temporary directory is left.
  if (!arguments.state.empty()) {
    return write_report({.settings = arguments.input.settings, .state = arguments.state},
                        "the state " + arguments.state, {}, arguments.output);
  }
  const absl::StatusOr<TemporaryDirectory> state = TemporaryDirectory::make();
  if (!state.ok()) return state.status();
  ReplayArguments input = arguments.input;
  input.state = state->path();
  const absl::StatusOr<Judged> judged = run_input(input);
  if (!judged.ok()) return judged.status();
  return write_report({.settings = arguments.input.settings, .state = state->path()},
                      input.input == "-" ? "standard input" : input.input, *judged,
                      arguments.output);
}

}  // namespace

void add_report_command(CLI::App& app, Invocation& invocation) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& command = *app.add_subcommand(
      "report", "One HTML page with the tables and charts that retailers make of their customers");
  add_input_arguments(command, arguments->input);
  CLI::Option& input = *command.get_option("--input")->required(false);
  CLI::Option& state =
      *command
           .add_option("--state", arguments->state,
                       "Instead of an input: a state directory of `replay --state` or `run`; only "
                       "read")
           ->type_name("DIR")
           ->excludes(&input)
           ->excludes(command.get_option("--format"))
           ->excludes(command.get_option("--until"));
  command
      .add_option("-o,--output", arguments->output,
                  "The HTML file, replaced when all is written; -: standard output")
      ->required()
      ->type_name("FILE|-");
  command.footer(
      "The page needs nothing else: no network, no scripts. It follows light and dark, and "
      "prints.\n"
      "In it: best customers, revenue concentration, segments with sizes, means and shares, the\n"
      "grid of scores, 1-D K-Means with the overall score, elbow and silhouette of 2 to 8\n"
      "clusters, countries, retention by month of first purchase, customers lost by month, who\n"
      "buys often and spends less, sales by month, country, weekday, hour and product, churn risk\n"
      "and value at risk. From an input also how good the churn risk was (AUC, Brier score, lift,\n"
      "calibration), and of a CSV the best customers by quantity.\n"
      "\n"
      "Examples:\n"
      "  rfmstream report --input online_retail.csv --until 2011-12-10 --output report.html\n"
      "  rfmstream report --state s --output report.html");
  command.callback([arguments, &input, &state, &invocation] {
    if (input.count() + state.count() == 0) throw CLI::RequiredError("--input or --state");
    invocation.run = [arguments] { return report(*arguments); };
  });
}

}  // namespace rfm
