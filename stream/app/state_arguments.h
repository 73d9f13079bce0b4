// --state and what is needed to read what is there: shared by `export` and `inspect`.
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
void add_state_arguments(CLI::App& command, StateArguments& arguments);

// A state directory with the rules it was made under.
struct OpenedState {
  std::unique_ptr<StateSnapshot> snapshot;
  Rules rules;

  static absl::StatusOr<OpenedState> open(const StateArguments& arguments);
};

}  // namespace rfm
