#include "stream/app/serve_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "stream/app/log_output.h"
#include "stream/app/progress.h"
#include "stream/app/rules_log.h"
#include "stream/app/run_admin.h"
#include "stream/app/settings_rules.h"
#include "stream/app/state_arguments.h"
#include "stream/app/stop_signal.h"
#include "stream/run/served_state.h"

namespace rfm {
namespace {

constexpr std::chrono::milliseconds kSignalPoll{100};
constexpr std::chrono::seconds kStatusInterval{1};

struct Arguments {
  StateArguments state;
  std::optional<std::string> listen;
};

absl::Status serve(const Arguments& arguments, LogFormat& log_format) {
  const StopSignal stop;
  const absl::StatusOr<Settings> given = arguments.state.settings.load();
  if (!given.ok()) return given.status();
  if (given->text("log.format") == "json") log_format = LogFormat::kJson;
  log_to_standard_error(given->text("log.level"), log_format);
  const absl::StatusOr<OpenedState> state = OpenedState::open(arguments.state);
  if (!state.ok()) return state.status();
  const StateSnapshot& snapshot = *state->snapshot;
  const RulesRecord& newest = snapshot.rules_records().back();
  const absl::StatusOr<Settings> logged = with_logged_input(*given, newest);
  if (!logged.ok()) return logged.status();
  absl::StatusOr<Settings> settings = settings_of_rules(newest.settings, *logged);
  if (!settings.ok()) return settings.status();
  const std::string& application = snapshot.partitions().front().meta.application;
  absl::Status assigned =
      settings->assign("app.name", application, SettingOrigin::kModelLog, "the state");
  if (assigned.ok() && arguments.listen) {
    assigned =
        settings->assign("admin.listen", *arguments.listen, SettingOrigin::kOverride, "--listen");
  }
  if (assigned.ok())
    assigned = settings->assign("run.lanes", "1", SettingOrigin::kOverride, "serve");
  if (!assigned.ok()) return assigned;
  if (settings->text("admin.listen").empty())
    return absl::InvalidArgumentError("admin.listen is empty: --listen HOST:PORT says where");
  const SystemClock clock;
  const auto admin = RunAdmin::start(*settings, snapshot.rules_records(), clock);
  if (!admin.ok()) return admin.status();
  const auto served = ServedState::open(snapshot, *(*admin)->desks().front(), clock);
  if (!served.ok()) return served.status();
  fmt::print(stderr, "{} customers of {} as of the state's clock; Ctrl-C ends it\n",
             grouped((*served)->customers()), arguments.state.state);
  std::optional<std::chrono::steady_clock::time_point> said;
  while (!stop.asked()) {
    (*served)->work(kSignalPoll);
    if (said && clock.steady() - *said < kStatusInterval) continue;
    said = clock.steady();
    (*admin)->board().post((*served)->status());
  }
  (*admin)->board().note_stop();
  return absl::OkStatus();
}

}  // namespace

void add_serve_command(CLI::App& app, Invocation& invocation) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& command = *app.add_subcommand(
      "serve", "Show a stored state over HTTP, as `run` shows its own; no broker is needed");
  add_state_arguments(command, arguments->state);
  command
      .add_option("--listen", arguments->listen,
                  "Where to listen (default: the setting admin.listen); port 0: any free one")
      ->type_name("HOST:PORT");
  command.footer(
      "The state is read once and kept in memory; nothing is written to it. What is shown is as\n"
      "of the state's clock. The rules come from the state's own model log; for the state of a\n"
      "service on Kafka that log is a topic: name the brokers with --config or\n"
      "--set kafka.brokers=host:9092.\n"
      "\n"
      "Examples:\n"
      "  rfmstream replay --input online_retail.csv --state s\n"
      "  rfmstream serve --state s\n"
      "  rfmstream serve --state s --listen 127.0.0.1:0");
  command.callback([arguments, &invocation] {
    invocation.run = [arguments, &invocation] { return serve(*arguments, invocation.log_format); };
  });
}

}  // namespace rfm
