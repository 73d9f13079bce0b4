// What all commands share: settings on the command line, how a command runs and how it ends.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/settings.h"
#include "stream/app/log_output.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's name.
class App;
}

namespace rfm {

// Each command's file has a function `add_<name>_command(CLI::App& app, Invocation& invocation)`
// that adds the subcommand; when it is chosen, it fills the invocation. The arguments' own storage
// is shared with the callbacks of CLI11, which outlive the function.
struct Invocation {
  std::function<absl::Status()> run;
  // In which its failure is said; `run` may change it when it has read its settings.
  LogFormat log_format = LogFormat::kText;
};

// --config and --set.
struct SettingsArguments {
  std::optional<std::string> file;
  std::vector<std::string> overrides;

  // Defaults, file, environment, overrides; checked.
  absl::StatusOr<Settings> load() const;
};
void add_settings_arguments(CLI::App& command, SettingsArguments& arguments);

// Runs it. Also an error: what it has printed could not be written to standard output.
absl::Status run_to_end(const Invocation& invocation);

// kCancelled: SIGINT or SIGTERM ended the command before it was done; `result` says what there is.
absl::Status interrupted(std::string_view result);

// Exit codes: 0 done, 1 failed, 2 wrong use or settings (InvalidArgument), 130 interrupted
// (Cancelled). Says what went wrong on standard error, as JSON through the log.
int exit_code(const absl::Status& status, LogFormat format);

}  // namespace rfm
