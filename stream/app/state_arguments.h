// --state and what is needed to read what is there: shared by the commands
// that look into a state.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "state/rules.h"
#include "stream/app/command.h"
#include "stream/run/state_snapshot.h"

namespace rfm {

struct StateArguments {
  SettingsArguments settings;
  std::string state;
};
// The option alone.
void add_state_option(CLI::App& command, std::string& directory);
void add_state_arguments(CLI::App& command, StateArguments& arguments);

// A state directory with the logs that it is judged by.
struct OpenedState {
  std::unique_ptr<StateSnapshot> snapshot;

  // Those in force where its clock is.
  const Rules& rules() const;
  // Those that a row is under, which may have an open invoice from before.
  const Rules& rules_of(const CustomerRow& row) const { return snapshot->logs().rules_of(row); }

  static absl::StatusOr<OpenedState> open(const StateArguments& arguments);
};

}  // namespace rfm
