// What other rules would do, without doing it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "config/settings.h"
#include "stream/app/command.h"

namespace rfm {

struct DryRunArguments {
  std::string state;
  std::string input;  // A history; empty: none.
  std::optional<std::string> format;
  int days = 30;
};
void add_dry_run_arguments(CLI::App& command, DryRunArguments& arguments);

// Prints, from a state directory, who would move from where to where if `settings` took over at its
// clock, and, from a history, how many transitions a day its last days have under the rules of now
// and under `settings`.
absl::Status dry_run_rules(const DryRunArguments& arguments, const Settings& settings);

}  // namespace rfm
