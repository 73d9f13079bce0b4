#include "stream/app/rules_dry_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "config/options.h"
#include "state/epoch.h"
#include "stream/app/progress.h"
#include "stream/app/replay_setup.h"
#include "stream/app/rules_log.h"
#include "stream/app/settings_rules.h"
#include "stream/app/state_arguments.h"
#include "stream/app/text_table.h"
#include "stream/run/rules_trial.h"
#include "stream/run/state_snapshot.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

absl::StatusOr<std::unique_ptr<StateSnapshot>> open_state(const std::string& directory,
                                                          const Settings& given) {
  absl::StatusOr<std::unique_ptr<StateSnapshot>> snapshot = StateSnapshot::open(directory);
  if (!snapshot.ok()) return snapshot;
  SettingsRules reader(given, "", Settings::Compared::kAll);
  const absl::Status read = (*snapshot)->read_model(kafka_options(given, 0), reader);
  if (!read.ok()) return read;
  return snapshot;
}

absl::Status print_moves(const StateSnapshot& snapshot, const Settings& settings) {
  const RulesRecord& newest = snapshot.rules_records().back();
  SettingsRules reader(settings, "", Settings::Compared::kAll);
  const absl::StatusOr<LaterRules> next = next_rules(
      snapshot.rules(), newest, {.base = newest.version, .settings = settings.semantic()}, reader);
  if (!next.ok()) return next.status();
  const absl::StatusOr<RulesTrial> trial = try_rules(snapshot, next->rules);
  if (!trial.ok()) return trial.status();
  fmt::print("Rules version {} for {} customers, as of {}\n", next->record.version,
             grouped(trial->customers()), to_rfc3339(snapshot.clock()));
  for (const auto& [segmentation, moves] : trial->segmentations()) {
    fmt::print("\n{}: {} of {} customers would move\n", segmentation, grouped(moves.customers),
               grouped(trial->customers()));
    if (moves.customers == 0) continue;
    std::vector<std::pair<std::pair<std::string, std::string>, RulesTrial::Move>> order(
        moves.by_segments.begin(), moves.by_segments.end());
    std::ranges::stable_sort(order, [](const auto& a, const auto& b) {
      return a.second.customers > b.second.customers;
    });
    std::vector<std::vector<std::string>> lines = {{"from", "to", "customers", "such as"}};
    for (const auto& [places, move] : order) {
      lines.push_back({places.first, places.second, grouped(move.customers),
                       fmt::format("{}", fmt::join(move.examples, ", "))});
    }
    print_table(lines);
  }
  return absl::OkStatus();
}

// By day and segmentation.
class DailyTransitions final : public LaneObserver {
 public:
  struct Count {
    std::uint64_t all = 0;
    std::uint64_t actionable = 0;
  };

  void on_transition(const Transition& t) override {
    Count& count = days_[epoch_of(t.effective_at())][t.rules->segmentations[t.segmentation].name()];
    ++count.all;
    if (t.restraint == Restraint::kNone && t.action != nullptr) ++count.actionable;
  }

  // Of the epochs before `end`.
  std::map<std::string, Count> last(std::int64_t end, int days) const {
    std::map<std::string, Count> sum;
    for (auto day = days_.lower_bound(end - days); day != days_.end() && day->first < end; ++day) {
      for (const auto& [segmentation, count] : day->second) {
        sum[segmentation].all += count.all;
        sum[segmentation].actionable += count.actionable;
      }
    }
    return sum;
  }

 private:
  std::map<std::int64_t, std::map<std::string, Count>> days_;
};

// Returns the epoch in which it ends.
absl::StatusOr<std::int64_t> replay(const DryRunArguments& arguments, const Settings& settings,
                                    DailyTransitions& daily) {
  ReplayArguments replay;
  replay.input = arguments.input;
  absl::StatusOr<ReplaySetup> setup = ReplaySetup::open(replay, {settings});
  if (!setup.ok()) return setup.status();
  setup->replay().observe(daily);
  if (const absl::Status done = setup->run(); !done.ok()) return done;
  EventTime highest = kBeforeAll;
  for (const Partition* partition : setup->replay().lane().partitions())
    highest = std::max(highest, partition->meta().max_event_time);
  return epoch_of(highest);
}

absl::Status print_days(const DryRunArguments& arguments, const RulesRecord& now,
                        const Settings& given) {
  const absl::StatusOr<Settings> logged = settings_of_rules(now.settings, given);
  if (!logged.ok()) return logged.status();
  DailyTransitions before;
  DailyTransitions after;
  const absl::StatusOr<std::int64_t> end = replay(arguments, *logged, before);
  if (!end.ok()) return end.status();
  const absl::StatusOr<std::int64_t> same_end = replay(arguments, given, after);
  if (!same_end.ok()) return same_end.status();
  const auto old_counts = before.last(*end, arguments.days);
  const auto new_counts = after.last(*end, arguments.days);
  std::map<std::string, DailyTransitions::Count> names = old_counts;
  names.insert(new_counts.begin(), new_counts.end());
  fmt::print(
      "\nTransitions a day in the {} days to {} (of them actionable), the whole history replayed "
      "under each\n",
      arguments.days, to_date(boundary_of(*end)));
  std::vector<std::vector<std::string>> lines = {
      {"segmentation", fmt::format("version {}", now.version), "these settings"}};
  const auto text = [&](const std::map<std::string, DailyTransitions::Count>& counts,
                        const std::string& name) -> std::string {
    const auto found = counts.find(name);
    if (found == counts.end()) return "-";
    return fmt::format("{:.1f} ({:.1f})", static_cast<double>(found->second.all) / arguments.days,
                       static_cast<double>(found->second.actionable) / arguments.days);
  };
  for (const auto& [name, unused] : names)
    lines.push_back({name, text(old_counts, name), text(new_counts, name)});
  print_table(lines);
  return absl::OkStatus();
}

}  // namespace

void add_dry_run_arguments(CLI::App& command, DryRunArguments& arguments) {
  add_state_option(command, arguments.state);
  command
      .add_option("--input", arguments.input,
                  "A history as of `replay`, to count the transitions a day")
      ->type_name("FILE|kafka:TOPIC");
  command
      .add_option("--format", arguments.format,
                  "How its records are written (default: as the state's were)")
      ->type_name("FORMAT");
  command.add_option("--days", arguments.days, "Its last days that are counted (default: 30)")
      ->type_name("N")
      ->check(CLI::Range(1, 3650).description("1 to 3,650"));
  command.footer(
      "Who would move: each customer of the state as of its clock is evaluated under the newest\n"
      "rules and under the settings given, with the model in force there, as the boundary will\n"
      "do it. Cuts that a new segmentation needs are trained at the refit after; until then its\n"
      "start cuts hold. With --input, which is read twice, the whole history is replayed under\n"
      "either rules into temporary states, each training its own model.\n"
      "\n"
      "Examples:\n"
      "  rfmstream rules dry-run --state s --set segmentation.rfm.stay=14d\n"
      "  rfmstream rules dry-run --config new.toml --state s --input history.jsonl --days 90");
}

absl::Status dry_run_rules(const DryRunArguments& arguments, const Settings& given) {
  const auto snapshot = open_state(arguments.state, given);
  if (!snapshot.ok()) return snapshot.status();
  const RulesRecord& newest = (*snapshot)->rules_records().back();
  const absl::StatusOr<Settings> settings = with_logged_input(given, newest);
  if (!settings.ok()) return settings.status();
  const absl::Status printed = print_moves(**snapshot, *settings);
  if (!printed.ok() || arguments.input.empty()) return printed;
  return print_days(arguments, newest, *settings);
}

}  // namespace rfm
