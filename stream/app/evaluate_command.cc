#include "stream/app/evaluate_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "config/options.h"
#include "state/epoch.h"
#include "stream/app/noise_command.h"
#include "stream/app/replay_setup.h"
#include "stream/evaluate/churn_evaluation.h"
#include "stream/evaluate/cluster_evaluation.h"
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
  std::string clusters_from = "2011-02-01";
};

std::string day(EventTime time) { return to_rfc3339(time).substr(0, 10); }

// Epochs begin at midnight UTC, so a boundary is given as a date.
absl::StatusOr<EventTime> date_of(const std::string& text, std::string_view option) {
  const std::optional<EventTime> time =
      text.size() == 10 ? TimeReader(std::chrono::minutes{0}).read(text + "T00:00:00Z")
                        : std::nullopt;
  if (!time) {
    return absl::InvalidArgumentError(
        fmt::format("{} {}: expected a date such as 2011-09-09", option, text));
  }
  return *time;
}

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
        day(split), weekday, kWeekdayKey, settings->text(kWeekdayKey),
        settings->text(kWeekdayKey)));
  }
  return absl::OkStatus();
}

EventTime history_end(const Lane& lane) {
  EventTime end = kBeforeAll;
  for (const Partition* partition : lane.partitions())
    end = std::max(end, partition->meta().watermark);
  return end;
}

absl::Status check_not_empty(const Lane& lane) {
  const bool started = std::ranges::any_of(
      lane.partitions(), [](const Partition* partition) { return partition->meta().started; });
  if (started) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("the input has no event that counts in time ({} records read, {} dead-lettered)",
                  lane.counters().records, lane.counters().dead_lettered_total()));
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
      day(split.at), split.customers, split.churned_share * 100, kChurnHorizonDays, split.version);
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
      "\nPrequential: {} weekly samples from {} to {}, each scored by the version in effect "
      "at that moment\n",
      report.weeks.size(), day(report.weeks.front().at), day(report.weeks.back().at));
  if (report.weeks_without_model > 0)
    fmt::print("({} earlier ones had no model yet)\n", report.weeks_without_model);
  fmt::print("  {:<39}{:>26}{:>26}{:>10}\n", "", "model", "NBD alone", "recency");
  fmt::print("  {:<12}{:>9}{:>9}{:>9}{:>10}{:>8}{:>8}{:>10}{:>8}{:>8}{:>10}\n", "sample", "version",
             "n", "churned", "AUC", "Brier", "ECE", "AUC", "Brier", "ECE", "AUC");
  for (const ChurnAssessment& week : report.weeks) print_week(day(week.at), week);
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
  SaleTimes sales;
  for (const Partition* partition : replay.lane().partitions()) {
    partition->rows().for_each([&](const CustomerRow& row) { sales.add(row); });
  }
  const absl::StatusOr<ChurnReport> report =
      evaluation.finish(replay.lane().models(), sales, history_end(replay.lane()));
  if (!report.ok()) return report.status();
  print_split(report->split);
  print_weeks(*report);
  return absl::OkStatus();
}

// What `evaluate clusters` gathers at the refit boundaries while the stream passes them.
struct RefitMoment {
  std::vector<SampleRow> sample;  // Of all partitions.
  LabelCount labels;
};

class RefitMoments final : public LaneObserver {
 public:
  RefitMoments(const Replay& replay, const RefitSchedule& schedule, EventTime from)
      : replay_(replay), schedule_(schedule), from_(from) {}

  void on_contribution(const Contribution& contribution) override {
    const std::int64_t epoch = contribution.epoch;
    const bool wanted =
        contribution.has_sample && boundary_of(epoch) >= from_ && is_refit_epoch(schedule_, epoch);
    if (!wanted) return;
    RefitMoment& moment = by_epoch_[epoch];
    moment.sample.insert(moment.sample.end(), contribution.sample.begin(),
                         contribution.sample.end());
    for (const Partition* partition : replay_.lane().partitions()) {
      // The one that contributes is on its way over the boundary, with all its rows there.
      std::int64_t& counted = counted_[partition->id()];
      const PartitionMeta& meta = partition->meta();
      if (meta.contributed != epoch || meta.crossed + 1 != epoch || counted == epoch) continue;
      counted = epoch;
      moment.labels.add(count_labels(partition->rows(), replay_.rules(),
                                     *replay_.lane().models().effective_in(epoch),
                                     boundary_of(epoch)));
    }
  }

  const std::map<std::int64_t, RefitMoment>& by_epoch() const { return by_epoch_; }

 private:
  const Replay& replay_;
  RefitSchedule schedule_;
  EventTime from_;
  std::map<std::int64_t, RefitMoment> by_epoch_;
  std::map<PartitionId, std::int64_t> counted_;
};

void print_ratios(std::string_view name, std::vector<double> ratios) {
  std::sort(ratios.begin(), ratios.end());
  double sum = 0;
  for (const double ratio : ratios) sum += ratio;
  const std::size_t p95 = std::min(ratios.size() - 1, ratios.size() * 95 / 100);
  fmt::print("  {:<34}mean {:.4f}  p95 {:.4f}  max {:.4f}\n", name,
             sum / static_cast<double>(ratios.size()), ratios[p95], ratios.back());
}

absl::Status print_clusters(const Replay& replay, const RefitMoments& moments,
                            const TrainingOptions& training) {
  std::vector<double> adopted;
  std::vector<double> trained;
  LabelCount labels;
  for (const auto& [epoch, moment] : moments.by_epoch()) {
    const ModelVersion& effective = *replay.lane().models().effective_in(epoch);
    const ModelVersion& next = *replay.lane().models().effective_in(epoch + 1);
    const bool is_comparable =
        effective.clusters && next.clusters &&
        moment.sample.size() >= static_cast<std::size_t>(effective.clusters->cluster_count);
    if (!is_comparable) continue;
    if (adopted.empty()) {
      fmt::print(
          "Clusters at each refit: inertia of the centroids in effect, and of those that the "
          "refit made, against a fresh K-Means of ten starts on the same sample\n");
      fmt::print("  {:<12}{:>9}{:>9}{:>4}{:>12}{:>12}{:>12}{:>9}{:>9}{:>13}\n", "refit", "version",
                 "n", "k", "in effect", "refit", "fresh", "ratio", "refit's", "not nearest");
    }
    const EventTime at = boundary_of(epoch);
    const ClusterAssessment a =
        assess_clusters(moment.sample, at, *effective.clusters, *next.clusters);
    const std::string not_nearest =
        moment.labels.labelled == 0
            ? "no labels"
            : fmt::format("{:.2f} %", moment.labels.not_nearest_share() * 100);
    fmt::print("  {:<12}{:>9}{:>9}{:>4}{:>12.3f}{:>12.3f}{:>12.3f}{:>9.4f}{:>9.4f}{:>13}\n",
               day(at), effective.number, a.customers, a.cluster_count, a.adopted_inertia,
               a.trained_inertia, a.fresh_inertia, a.adopted_ratio(), a.trained_ratio(),
               not_nearest);
    adopted.push_back(a.adopted_ratio());
    trained.push_back(a.trained_ratio());
    labels.add(moment.labels);
  }
  if (adopted.empty()) {
    const auto days_of_history = std::chrono::floor<std::chrono::days>(
        std::chrono::milliseconds(training.cluster_history_ms));
    return absl::FailedPreconditionError(
        fmt::format("no refit in this history had clusters in effect: the first ones need {} "
                    "customers and {} days of history, and the next refit after that falls within "
                    "a week",
                    training.population_on, days_of_history.count()));
  }
  fmt::print("\n{} refits\n", adopted.size());
  print_ratios("in effect / fresh", std::move(adopted));
  print_ratios("refit / fresh", std::move(trained));
  if (labels.labelled == 0) {
    fmt::print("  No customer had a stored cluster at these refits\n");
  } else {
    fmt::print("  {:<34}{:.2f} % of {} stored labels\n", "another centroid is nearer",
               labels.not_nearest_share() * 100, labels.labelled);
  }
  return absl::OkStatus();
}

absl::Status evaluate_clusters(const Arguments& arguments) {
  const absl::StatusOr<EventTime> from = date_of(arguments.clusters_from, "--from");
  if (!from.ok()) return from.status();
  absl::StatusOr<ReplaySetup> setup = ReplaySetup::open(arguments.replay);
  if (!setup.ok()) return setup.status();
  Replay& replay = setup->replay();
  const TrainingOptions training = training_options(setup->settings());
  RefitMoments moments(replay, training.schedule, *from);
  replay.observe(moments);
  absl::Status status = setup->run();
  if (status.ok()) status = check_not_empty(replay.lane());
  if (!status.ok()) return status;
  return print_clusters(replay, moments, training);
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
                  "The first weekly sample of the prequential figures, which go up to the split")
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
      "  rfmstream evaluate churn --input online_retail.csv --format csv --set rfm.monetary=gross\n"
      "  rfmstream evaluate churn --input history.jsonl --format invoices --split 2024-06-03 "
      "--from "
      "2024-01-01\n"
      "  xz -dc online_retail.csv.xz | rfmstream evaluate churn --input - --format csv --set "
      "model.churn_weeks=13");
  command.callback([arguments, &invocation] {
    invocation.run = [arguments] { return evaluate_churn(*arguments); };
  });
}

void add_clusters_command(CLI::App& evaluate, Invocation& invocation) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& command = *evaluate.add_subcommand(
      "clusters", "How near the online clusters stay to a batch fit on the same customers");
  add_input_arguments(command, arguments->replay);
  command.add_option("--from", arguments->clusters_from, "The first refit that is judged")
      ->type_name("DATE")
      ->capture_default_str();
  command.footer(
      "At each weekly refit, on its sample: the inertia (sum of squared distances to the nearest\n"
      "centroid, z-scores of log1p of R, F, M) of the centroids in effect, which are the refit of "
      "a\n"
      "week ago moved daily with their members, and of those that the refit makes, against a "
      "fresh\n"
      "K-Means of ten starts. And the share of customers whose cluster in training is not the\n"
      "nearest: hysteresis keeps them there.\n\n"
      "Examples:\n"
      "  rfmstream evaluate clusters --input online_retail.csv --format csv --set "
      "model.clusters=4\n"
      "  rfmstream evaluate clusters --input history.jsonl --format invoices --from 2024-03-01 "
      "--set "
      "rfm.monetary=gross");
  command.callback([arguments, &invocation] {
    invocation.run = [arguments] { return evaluate_clusters(*arguments); };
  });
}

}  // namespace

void add_evaluate_command(CLI::App& app, Invocation& invocation) {
  CLI::App& evaluate = *app.add_subcommand(
      "evaluate", "Judge churn risk, clusters and noise of a history, from the stream itself");
  evaluate.require_subcommand(1);
  evaluate.footer(
      "Examples:\n"
      "  rfmstream evaluate churn --input online_retail.csv --format csv\n"
      "  rfmstream evaluate clusters --input online_retail.csv --format csv\n"
      "  rfmstream evaluate noise --input online_retail.csv --format csv");
  add_churn_command(evaluate, invocation);
  add_clusters_command(evaluate, invocation);
  add_noise_command(evaluate, invocation);
}

}  // namespace rfm
