#include "stream/app/evaluate_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "config/options.h"
#include "state/epoch.h"
#include "stream/app/clusters_command.h"
#include "stream/app/noise_command.h"
#include "stream/app/replay_setup.h"
#include "stream/evaluate/churn_evaluation.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr std::string_view kWeekdayKey = "model.refit_weekday";
constexpr std::array<std::string_view, 7> kWeekdays = {
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};

struct Arguments {
  ReplayArguments replay;
  std::string split = "2011-09-09";
  std::string from = "2011-04-01";
};

std::string_view weekday_of(EventTime boundary) {
  const std::int64_t days_since_monday = (epoch_of(boundary) + 3) % 7;  // Day 0 is a Thursday.
  return kWeekdays[static_cast<std::size_t>(days_since_monday)];
}

bool is_chosen(const Settings& settings, std::string_view key) {
  const std::vector<EffectiveSetting> all = settings.effective();
  return std::ranges::any_of(all, [&](const EffectiveSetting& setting) {
    return setting.key == key && setting.origin != SettingOrigin::kDefault;
  });
}

// Samples are taken at refits: without a word of the user, refits are on the split's weekday.
absl::Status put_refits_on(EventTime split, SettingsArguments& arguments) {
  const absl::StatusOr<Settings> settings = arguments.load();
  if (!settings.ok()) return settings.status();
  const std::string_view weekday = weekday_of(split);
  if (!is_chosen(*settings, kWeekdayKey)) {
    arguments.overrides.push_back(fmt::format("{}={}", kWeekdayKey, weekday));
  } else if (settings->text(kWeekdayKey) != weekday) {
    return absl::InvalidArgumentError(fmt::format(
        "--split {}: a {}, but samples are taken at refits and {} is {}; choose a {} or leave the "
        "setting out",
        to_date(split), weekday, kWeekdayKey, settings->text(kWeekdayKey),
        settings->text(kWeekdayKey)));
  }
  return absl::OkStatus();
}

std::string auc_text(const std::optional<double>& auc) {
  return auc ? fmt::format("{:.4f}", *auc) : "-";
}

void print_predictor(std::string_view name, const PredictionFigures& figures) {
  fmt::print("  {:<28}{:>8}{:>8.4f}{:>8.4f}\n", name, auc_text(figures.auc), figures.brier,
             figures.ece);
}

void print_predictors(const ChurnAssessment& a) {
  fmt::print("  {:<28}{:>8}{:>8}{:>8}\n", "", "AUC", "Brier", "ECE");
  print_predictor("model", a.model);
  print_predictor("NBD alone (weights zero)", a.nbd);
  fmt::print("  {:<28}{:>8}{:>8}{:>8}\n", "recency alone", auc_text(a.recency_auc), "-", "-");
}

void print_split(const ChurnAssessment& split) {
  fmt::print(
      "Forward split at {}: {} customers, {:.2f} % of them bought nothing in the next {:.0f} "
      "days; model version {}\n",
      to_date(split.at), split.customers, split.churned_share * 100, kChurnHorizonDays,
      split.version);
  if (split.erased > 0) fmt::print("({} more were erased since)\n", split.erased);
  print_predictors(split);
  fmt::print("\nCalibration of the model at the split\n  {:>9}{:>8}{:>10}{:>11}{:>9}\n", "risk",
             "to", "customers", "predicted", "churned");
  for (const CalibrationBin& bin : split.calibration) {
    fmt::print("  {:>9.3f}{:>8.3f}{:>10}{:>11.3f}{:>9.3f}\n", bin.score_min, bin.score_max,
               bin.count, bin.score_mean, bin.happened_share);
  }
}

void print_week(std::string_view name, const ChurnAssessment& week) {
  const auto columns = [](const PredictionFigures& figures) {
    return fmt::format("{:>10}{:>8.4f}{:>8.4f}", auc_text(figures.auc), figures.brier, figures.ece);
  };
  fmt::print("  {:<12}{:>9}{:>9}{:>9.3f}{}{}{:>10}\n", name,
             week.version == 0 ? "" : fmt::format("{}", week.version), week.customers,
             week.churned_share, columns(week.model), columns(week.nbd),
             auc_text(week.recency_auc));
}

void print_weeks(const ChurnReport& report) {
  fmt::print(
      "\nWeek by week: {} samples from {} to {}, each scored by the version in effect "
      "at that moment\n",
      report.weeks.size(), to_date(report.weeks.front().at), to_date(report.weeks.back().at));
  if (report.weeks_without_model > 0)
    fmt::print("({} earlier ones had no model yet)\n", report.weeks_without_model);
  fmt::print("  {:<39}{:>26}{:>26}{:>10}\n", "", "model", "NBD alone", "recency");
  fmt::print("  {:<12}{:>9}{:>9}{:>9}{:>10}{:>8}{:>8}{:>10}{:>8}{:>8}{:>10}\n", "sample", "version",
             "n", "churned", "AUC", "Brier", "ECE", "AUC", "Brier", "ECE", "AUC");
  for (const ChurnAssessment& week : report.weeks) print_week(to_date(week.at), week);
  print_week("mean", mean_of(report.weeks));
  const PredictionFigures worst = worst_of(report.weeks);
  fmt::print("  {:<39}{:>10}{:>8.4f}{:>8.4f}\n", "worst", auc_text(worst.auc), worst.brier,
             worst.ece);
}

absl::Status evaluate_churn(Arguments arguments) {
  const absl::StatusOr<EventTime> split = date_of(arguments.split, "--split");
  if (!split.ok()) return split.status();
  const absl::StatusOr<EventTime> from = date_of(arguments.from, "--from");
  if (!from.ok()) return from.status();
  if (*from > *split) {
    return absl::InvalidArgumentError(
        fmt::format("--from {} is after the split, {}", arguments.from, arguments.split));
  }
  const absl::Status weekday = put_refits_on(*split, arguments.replay.settings);
  if (!weekday.ok()) return weekday;
  absl::StatusOr<ReplaySetup> setup = ReplaySetup::open(arguments.replay);
  if (!setup.ok()) return setup.status();
  Replay& replay = setup->replay();
  ChurnEvaluation evaluation(
      {.schedule = training_options(setup->settings()).schedule, .from = *from, .split = *split});
  replay.observe(evaluation);
  absl::Status status = setup->run();
  if (status.ok()) status = check_not_empty(replay.lane());
  if (!status.ok()) return status;
  const absl::StatusOr<ChurnReport> report = evaluation.finish(replay.lane());
  if (!report.ok()) return report.status();
  print_split(report->split);
  print_weeks(*report);
  return absl::OkStatus();
}

void add_churn_command(CLI::App& evaluate, Invocation& invocation) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& command = *evaluate.add_subcommand(
      "churn", "How well the churn risk ranks customers, and how true it is");
  add_input_arguments(command, arguments->replay);
  command
      .add_option("--split", arguments->split,
                  "The boundary (UTC midnight) at which every customer is scored; the history must "
                  "reach 90 days past it")
      ->type_name("DATE")
      ->capture_default_str();
  command
      .add_option("--from", arguments->from,
                  "The first sample of the figures week by week, which go up to the split")
      ->type_name("DATE")
      ->capture_default_str();
  command.footer(
      "Runs the input through the pipeline, training as it goes, and judges each prediction by "
      "what\n"
      "came later: a customer has churned who bought nothing in the 90 days after it (credits are "
      "no\n"
      "purchases). Nothing is scored by a model that had seen what it predicts.\n"
      "  AUC    probability that one who churned was given the higher risk (.5 is chance)\n"
      "  Brier  mean squared error of the risk\n"
      "  ECE    mean gap between risk and share churned, over ten equal groups by risk\n"
      "Beside the model: the NBD hazard it starts from (its weights zero), and recency alone.\n"
      "Refits are put on the split's weekday unless model.refit_weekday is set.\n\n"
      "Examples:\n"
      "  rfmstream evaluate churn --input online_retail.csv --set rfm.monetary=gross\n"
      "  rfmstream evaluate churn --input history.jsonl --format invoices --split 2024-06-03 "
      "--from "
      "2024-01-01\n"
      "  rfmstream evaluate churn --input online_retail.csv.xz --set "
      "model.churn_weeks=13");
  command.callback([arguments, &invocation] {
    invocation.run = [arguments] { return evaluate_churn(*arguments); };
  });
}

}  // namespace

void add_evaluate_command(CLI::App& app, Invocation& invocation) {
  CLI::App& evaluate = *app.add_subcommand(
      "evaluate", "Judge churn risk, clusters and noise of a history, from the stream itself");
  evaluate.require_subcommand(1);
  evaluate.footer(
      "Examples:\n"
      "  rfmstream evaluate churn --input online_retail.csv\n"
      "  rfmstream evaluate clusters --input online_retail.csv --k 2..10\n"
      "  rfmstream evaluate noise --input online_retail.csv");
  add_churn_command(evaluate, invocation);
  add_clusters_command(evaluate, invocation);
  add_noise_command(evaluate, invocation);
}

}  // namespace rfm
