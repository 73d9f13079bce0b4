#include "stream/app/state_arguments.h"

#include <CLI/CLI.hpp>

#include "config/checked_settings.h"
#include "config/options.h"

namespace rfm {

void add_state_arguments(CLI::App& command, StateArguments& arguments) {
  command
      .add_option("--state", arguments.state,
                  "State directory of `replay --state` or `run` (state.dir); only read, so the "
                  "service may be running")
      ->required()
      ->type_name("DIR");
  add_settings_arguments(command, arguments.settings);
}

absl::StatusOr<OpenedState> OpenedState::open(const StateArguments& arguments) {
  const absl::StatusOr<Settings> given = arguments.settings.load();
  if (!given.ok()) return given.status();
  absl::StatusOr<std::unique_ptr<StateSnapshot>> snapshot = StateSnapshot::open(arguments.state);
  if (!snapshot.ok()) return snapshot.status();
  const absl::Status read = (*snapshot)->read_model(kafka_options(*given, 0));
  if (!read.ok()) return read;
  // What the rows mean is in the model log, not in this command's settings.
  const RulesRecord& record = (*snapshot)->rules_record();
  const absl::Status same = given->check_same_rules(
      record.settings, "Leave them out: the state's own hold.", Settings::Compared::kChosen);
  if (!same.ok()) return same;
  const absl::StatusOr<Settings> logged = logged_settings(record.settings);
  if (!logged.ok()) return logged.status();
  OpenedState opened{.snapshot = *std::move(snapshot), .rules = rfm::rules(*logged)};
  opened.rules.version = record.version;
  return opened;
}

}  // namespace rfm
