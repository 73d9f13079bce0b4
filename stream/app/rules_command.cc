#include "stream/app/rules_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/checked_settings.h"
#include "config/rules_change.h"
#include "stream/app/replay_setup.h"
#include "stream/app/rules_dry_run.h"
#include "stream/app/rules_log.h"
#include "stream/app/text_table.h"

namespace rfm {
namespace {

struct Arguments {
  SettingsArguments settings;
  RulesPlace place;
  std::optional<std::int64_t> version;
  std::optional<std::int64_t> from;
  std::int64_t to = 0;
  DryRunArguments dry_run;
};

absl::StatusOr<RulesRecord> version_of(const std::vector<RulesRecord>& log, std::int64_t version) {
  if (version >= 1 && version <= log.back().version)
    return log[static_cast<std::size_t>(version) - 1];
  return absl::InvalidArgumentError(
      fmt::format("there is no rules version {}; allowed: 1 to {}", version, log.back().version));
}

// Settings that say how the input is read are the model log's, unless they were given.
struct OpenedLog {
  Settings settings;
  std::vector<RulesRecord> log;

  static absl::StatusOr<OpenedLog> open(const Arguments& arguments) {
    const absl::StatusOr<Settings> given = arguments.settings.load();
    if (!given.ok()) return given.status();
    auto log = read_rules_log(arguments.place, *given);
    if (!log.ok()) return log.status();
    absl::StatusOr<Settings> settings = with_logged_input(*given, log->back());
    if (!settings.ok()) return settings.status();
    return OpenedLog{.settings = *std::move(settings), .log = *std::move(log)};
  }
};

absl::Status check(const Arguments& arguments) {
  const absl::StatusOr<Settings> settings = arguments.settings.load();
  if (!settings.ok()) return settings.status();
  fmt::print("the rules are valid: {} settings, of which {} are segmentations\n",
             settings->semantic().size(), settings->segmentations()->size());
  return absl::OkStatus();
}

absl::Status show(const Arguments& arguments) {
  const absl::StatusOr<OpenedLog> opened = OpenedLog::open(arguments);
  if (!opened.ok()) return opened.status();
  const std::vector<RulesRecord>& log = opened->log;
  const auto shown = version_of(log, arguments.version.value_or(log.back().version));
  if (!shown.ok()) return shown.status();
  const absl::StatusOr<Settings> logged = logged_settings(shown->settings);
  if (!logged.ok()) return logged.status();
  std::vector<std::vector<std::string>> versions = {{"version", "holds"}};
  for (const RulesRecord& rules : log)
    versions.push_back({fmt::format("{}", rules.version), boundary_text(rules)});
  print_table(versions);
  fmt::print("\nVersion {}\n", shown->version);
  std::vector<std::vector<std::string>> lines;
  for (const EffectiveSetting& setting : logged->effective()) {
    if (setting.spec != nullptr && setting.spec->scope == SettingScope::kSemantic)
      lines.push_back({setting.key, setting.text.empty() ? "\"\"" : setting.text});
  }
  print_table(lines);
  return absl::OkStatus();
}

absl::Status diff(const Arguments& arguments) {
  const absl::StatusOr<OpenedLog> opened = OpenedLog::open(arguments);
  if (!opened.ok()) return opened.status();
  const auto& [settings, log] = *opened;
  const auto before = version_of(log, arguments.from.value_or(log.back().version));
  if (!before.ok()) return before.status();
  RulesRecord after{.settings = settings.semantic(), .go_live = {}, .go_live_time = {}};
  std::string name = "here";
  if (arguments.version) {
    const auto other = version_of(log, *arguments.version);
    if (!other.ok()) return other.status();
    after = *other;
    name = fmt::format("version {}", after.version);
  }
  std::vector<std::vector<std::string>> lines = {
      {"key", fmt::format("version {}", before->version), name}};
  for (const auto& [key, old_value, new_value] :
       rules_differences(before->settings, after.settings))
    lines.push_back({key, old_value, new_value});
  if (lines.size() == 1) {
    fmt::print("nothing differs from version {}\n", before->version);
    return absl::OkStatus();
  }
  print_table(lines);
  if (arguments.version) return absl::OkStatus();
  const absl::Status changes = check_rules_change(before->settings, after.settings);
  if (!changes.ok()) fmt::print("\n`rules apply` refuses: {}\n", std::string(changes.message()));
  return absl::OkStatus();
}

absl::Status say(const absl::StatusOr<std::string>& done) {
  if (done.ok()) fmt::print("{}\n", *done);
  return done.status();
}

absl::Status apply(const Arguments& arguments) {
  const absl::StatusOr<OpenedLog> opened = OpenedLog::open(arguments);
  if (!opened.ok()) return opened.status();
  const auto& [settings, log] = *opened;
  return say(change_rules(arguments.place, settings, log, settings.semantic()));
}

absl::Status rollback(const Arguments& arguments) {
  const absl::StatusOr<OpenedLog> opened = OpenedLog::open(arguments);
  if (!opened.ok()) return opened.status();
  const auto& [settings, log] = *opened;
  const auto old = version_of(log, arguments.to);
  if (!old.ok()) return old.status();
  return say(change_rules(arguments.place, settings, log, old->settings));
}

void add_place(CLI::App& command, Arguments& arguments) {
  command
      .add_option("--state", arguments.place.state,
                  "State directory of `replay --state` instead of the model log of app.name")
      ->type_name("DIR");
}

void add_wait(CLI::App& command, Arguments& arguments) {
  command
      .add_option("--wait", arguments.place.wait_s,
                  "How long to wait for a service to take the request up (default: 30)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0, 86'400).description("0 to 86,400"));
}

using Command = absl::Status (*)(const Arguments&);

CLI::App& add_command(CLI::App& rules, const std::string& name, const std::string& what,
                      const std::shared_ptr<Arguments>& arguments, Command command,
                      Invocation& invocation) {
  CLI::App& added = *rules.add_subcommand(name, what);
  add_settings_arguments(added, arguments->settings);
  added.callback([arguments, command, &invocation] {
    invocation.run = [arguments, command] { return command(*arguments); };
  });
  return added;
}

absl::Status dry_run(const Arguments& arguments) {
  ReplayArguments history;
  history.settings = arguments.settings;
  history.format = arguments.dry_run.format;
  const absl::StatusOr<InputSettings> given = settings_of(history);
  return given.ok() ? dry_run_rules(arguments.dry_run, given->settings) : given.status();
}

}  // namespace

void add_rules_command(CLI::App& app, Invocation& invocation) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& rules = *app.add_subcommand(
      "rules", "What changes state and transitions: look at it, try it out, change it");
  rules.require_subcommand(1);
  rules.footer(
      "Rules are the settings that change state or transitions. The model log holds them in\n"
      "versions, each with the boundary from which on it holds; a service starts only with the\n"
      "newest ones. `apply` changes them while it runs: segmentations, actions, what of the\n"
      "output is marked and published, and most of [model]. The others need a new application,\n"
      "and are refused with the reason.\n"
      "Examples:\n"
      "  rfmstream rules check --config new.toml\n"
      "  rfmstream rules show\n"
      "  rfmstream rules diff --config new.toml\n"
      "  rfmstream rules dry-run --config new.toml --state /var/lib/rfmstream\n"
      "  rfmstream rules apply --config new.toml\n"
      "  rfmstream rules rollback --to 1");
  const auto add = [&](const std::string& name, const std::string& what,
                       Command command) -> CLI::App& {
    return add_command(rules, name, what, arguments, command, invocation);
  };
  add("check", "Say whether the settings are valid rules; exit status 2 if not", check);

  CLI::App& shown = add("show", "Print the versions of the rules, and one of them", show);
  add_place(shown, *arguments);
  shown.add_option("--version", arguments->version, "Which one (default: the newest)")
      ->type_name("N");

  CLI::App& compared =
      add("diff", "Print what differs between the model log and the settings given", diff);
  add_place(compared, *arguments);
  compared
      .add_option("--from", arguments->from, "The version to compare with (default: the newest)")
      ->type_name("N");
  compared.add_option("--version", arguments->version, "Another version instead of the settings")
      ->type_name("N");

  CLI::App& tried = add("dry-run", "Say who would move, and how many would from then on", dry_run);
  add_dry_run_arguments(tried, arguments->dry_run);

  CLI::App& applied = add("apply", "Make the settings given the next version", apply);
  add_place(applied, *arguments);
  add_wait(applied, *arguments);
  applied.footer(
      "The running service logs the version, within seconds, with the boundary at which it\n"
      "holds: the start of the day after the next one to be trained. Whose segment is another\n"
      "one under the new rules changes there, for the reason rules_change, which is never\n"
      "actionable. Give the settings to the service's own file too: it refuses to start with\n"
      "other rules than the newest. With --state the version is written at once, and the next\n"
      "replay follows it; what only the end of the input had led to (STATE/branch) is undone\n"
      "until then.\n"
      "\n"
      "Examples:\n"
      "  rfmstream rules apply --config new.toml\n"
      "  rfmstream rules apply --state s --set segmentation.rfm.stay=14d");

  CLI::App& back = add("rollback", "Make an old version's content the next version", rollback);
  add_place(back, *arguments);
  add_wait(back, *arguments);
  back.add_option("--to", arguments->to, "The old version")->type_name("N")->required();
}

}  // namespace rfm
