#include "stream/app/noise_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "config/options.h"
#include "state/damping.h"
#include "stream/app/replay_setup.h"
#include "stream/evaluate/noise_evaluation.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

struct Run {
  Rules rules;
  std::unique_ptr<NoiseEvaluation> evaluation;
  EventTime end = kBeforeAll;
  std::size_t renames = 0;
};

std::size_t renames_of(const std::vector<ModelVersion>& versions) {
  std::size_t renames = 0;
  const ModelVersion* before = nullptr;
  for (const ModelVersion& version : versions) {
    if (version.unchanged || !version.clusters) continue;
    if (before != nullptr && before->clusters->names != version.clusters->names) ++renames;
    before = &version;
  }
  return renames;
}

absl::StatusOr<Run> run(const ReplayArguments& arguments) {
  absl::StatusOr<ReplaySetup> setup = ReplaySetup::open(arguments);
  if (!setup.ok()) return setup.status();
  Replay& replay = setup->replay();
  Run run{.rules = replay.rules(), .evaluation = nullptr};
  run.evaluation = std::make_unique<NoiseEvaluation>(replay.rules());
  replay.observe(*run.evaluation);
  if (const absl::Status status = setup->run(); !status.ok()) return status;
  for (const Partition* partition : replay.lane().partitions()) {
    if (partition->meta().started) run.end = std::max(run.end, partition->meta().watermark);
  }
  if (run.end == kBeforeAll) {
    return absl::FailedPreconditionError(
        fmt::format("the input has no event that counts in time ({} records read)",
                    replay.lane().counters().records));
  }
  run.renames = renames_of(replay.versions());
  return run;
}

double per_year(std::uint64_t count, const NoiseReport& report) {
  return report.customer_years > 0 ? static_cast<double>(count) / report.customer_years : 0;
}

double percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

void print_figures(std::string_view segmentation, std::string_view reason,
                   const MoveFigures& figures, const NoiseReport& report) {
  fmt::print("  {:<14}{:<18}{:>9}{:>8.2f}{:>12}{:>8.2f}", segmentation, reason, figures.all,
             per_year(figures.all, report), figures.actionable,
             per_year(figures.actionable, report));
  for (std::size_t d = 0; d < kUndoneDays.size(); ++d) {
    fmt::print("{:>6.1f}/{:<4.1f}", percent(figures.undone[d], figures.actionable),
               percent(figures.by_noise[d], figures.actionable));
  }
  fmt::print("\n");
}

void print_moves(const NoiseReport& report, const Segmentations& segmentations) {
  fmt::print(
      "\nMoves, and of the actionable ones the share undone within so many days / of it by\n"
      "time, cuts or model, %\n  {:<14}{:<18}{:>9}{:>8}{:>12}{:>8}",
      "segmentation", "reason", "moves", "a year", "actionable", "a year");
  for (const int days : kUndoneDays) fmt::print("{:>9} d", days);
  fmt::print("\n");
  MoveFigures total;
  for (const auto& [key, figures] : report.moves) {
    print_figures(segmentations[key.first].name(), name(key.second), figures, report);
    total.add(figures);
  }
  print_figures("all", "", total, report);
}

void print_first(const NoiseReport& report, const Segmentations& segmentations) {
  fmt::print("\nFirst purchases lead to\n");
  std::map<std::size_t, std::uint64_t> totals;
  for (const auto& [key, count] : report.first_purchases) totals[key.first] += count;
  for (const auto& [key, count] : report.first_purchases) {
    const Segmentation& segmentation = segmentations[key.first];
    fmt::print("  {:<14}{:<26}{:>9}{:>7.1f} %\n", segmentation.name(),
               segment_info(segmentation, key.second).name, count,
               percent(count, totals[key.first]));
  }
}

void print_line(std::string_view what, std::string_view figure) {
  fmt::print("  {:<66}{:>14}\n", what, figure);
}

void print_truth(const NoiseReport& report, const Run& damped) {
  const auto count = [](std::uint64_t value) { return fmt::format("{}", value); };
  fmt::print("\nWhat should not be\n");
  print_line("silence moved a customer up", count(report.silence_up));
  print_line("a purchase moved a customer down", count(report.purchase_down));
  print_line("a customer's own act showed late", count(report.late_acts));
  print_line("more than one action at an instant", count(report.several_at_an_instant));
  print_line("another action within 7 days, without an act between", count(report.contradicting));
  print_line("actionable, but nothing to do", count(report.without_action));
  fmt::print("\nFurther\n");
  for (const auto& [s, days] : report.lost_silence_min) {
    print_line(fmt::format("least silence at a fall by silence to a lost segment of {}, days",
                           damped.rules.segmentations[s].name()),
               fmt::format("{:.1f}", days));
  }
  print_line("actionable moves of customers with one purchase, median / most",
             fmt::format("{} / {}", report.single_median, report.single_max));
  print_line("times that names of clusters changed", count(damped.renames));
  print_line("bytes of a transition: key, value, headers; mean",
             fmt::format("{:.0f}", report.bytes_mean));
  std::string busiest;
  for (const auto& [id, moves] : report.busiest)
    busiest += fmt::format("{}{} ({})", busiest.empty() ? "" : ", ", id, moves);
  fmt::print("  most moves: {}\n", busiest);
}

void print_kept(const KeptFalls& kept) {
  print_line("falls by silence to lost segments without damping", fmt::format("{}", kept.undamped));
  print_line("of these kept with it, before the customer's next purchase",
             fmt::format("{:.1f} %", percent(kept.kept, kept.undamped)));
  print_line("delay of these, 90th percentile, days", fmt::format("{:.2f}", kept.delay_p90));
}

absl::Status evaluate_noise(ReplayArguments arguments) {
  const absl::StatusOr<Run> damped = run(arguments);
  if (!damped.ok()) return damped.status();
  const NoiseReport report = damped->evaluation->report(damped->end);
  fmt::print("{} customers, {:.0f} customer-years up to {}; {} transitions\n", report.customers,
             report.customer_years, to_date(damped->end), report.transitions);
  const Segmentations& segmentations = damped->rules.segmentations;
  print_moves(report, segmentations);
  print_first(report, segmentations);
  print_truth(report, *damped);
  if (arguments.input == "-") {
    fmt::print("  (the cost of damping is not measured: standard input is read once)\n");
    return absl::OkStatus();
  }
  for (const Segmentation& segmentation : segmentations.all()) {
    for (const std::string_view off : {"stay=0s", "guard=false"}) {
      arguments.settings.overrides.push_back(
          fmt::format("segmentation.{}.{}", segmentation.name(), off));
    }
  }
  const absl::StatusOr<Run> undamped = run(arguments);
  if (!undamped.ok()) return undamped.status();
  print_kept(kept_falls(*undamped->evaluation, *damped->evaluation));
  return absl::OkStatus();
}

}  // namespace

void add_noise_command(CLI::App& evaluate, Invocation& invocation) {
  const auto arguments = std::make_shared<ReplayArguments>();
  CLI::App& command = *evaluate.add_subcommand(
      "noise", "How many transitions there are, how many are undone, and what damping costs");
  add_input_arguments(command, *arguments);
  command.footer(
      "Runs the input through the pipeline, and once more without least stay and direction guard.\n"
      "A move is a transition between two segments (not from or to none and Unassigned); it is\n"
      "undone within some days if the customer is back in the segment that was left by then, by\n"
      "any path, and by noise if time, cuts or the model brought him there. Years are those of "
      "the\n"
      "customers, from their first purchase to the end of the history.\n\n"
      "Examples:\n"
      "  rfmstream evaluate noise --input online_retail.csv --until 2011-12-10\n"
      "  rfmstream evaluate noise --input history.jsonl --format invoices --set "
      "segmentation.rfm.stay=14d");
  command.callback([arguments, &invocation] {
    invocation.run = [arguments] { return evaluate_noise(*arguments); };
  });
}

}  // namespace rfm
