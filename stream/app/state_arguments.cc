#include "stream/app/state_arguments.h"

#include <CLI/CLI.hpp>

#include "config/options.h"
#include "state/epoch.h"
#include "stream/app/settings_rules.h"

namespace rfm {

void add_state_option(CLI::App& command, std::string& directory) {
  command
      .add_option("--state", directory,
                  "State directory of `replay --state` or `run` (state.dir); only read, so the "
                  "service may be running")
      ->required()
      ->type_name("DIR");
}

void add_state_arguments(CLI::App& command, StateArguments& arguments) {
  add_state_option(command, arguments.state);
  add_settings_arguments(command, arguments.settings);
}

absl::StatusOr<OpenedState> OpenedState::open(const StateArguments& arguments) {
  const absl::StatusOr<Settings> given = arguments.settings.load();
  if (!given.ok()) return given.status();
  absl::StatusOr<std::unique_ptr<StateSnapshot>> snapshot = StateSnapshot::open(arguments.state);
  if (!snapshot.ok()) return snapshot.status();
  // What the rows mean is in the model log, not in this command's settings.
  SettingsRules reader(*given, "Leave them out: the state's own hold.",
                       Settings::Compared::kChosen);
  const absl::Status read = (*snapshot)->read_model(kafka_options(*given, 0), reader);
  if (!read.ok()) return read;
  const absl::Status same = reader.check_rules((*snapshot)->rules_records().back().settings);
  if (!same.ok()) return same;
  return OpenedState{.snapshot = *std::move(snapshot)};
}

const Rules& OpenedState::rules() const {
  return snapshot->logs().rules_in(epoch_of(snapshot->clock()));
}

}  // namespace rfm
