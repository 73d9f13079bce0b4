#include "stream/app/command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "config/checked_settings.h"

namespace rfm {

absl::StatusOr<Settings> SettingsArguments::load() const {
  std::vector<std::string> environment;
  for (char** variable = environ; *variable != nullptr; ++variable)
    environment.emplace_back(*variable);
  return load_settings(file, environment, overrides);
}

void add_settings_arguments(CLI::App& command, SettingsArguments& arguments) {
  command
      .add_option("--config", arguments.file,
                  "Settings file (TOML); \"rfmstream config default\" prints one")
      ->type_name("FILE")
      ->group("Settings");
  command
      .add_option("--set", arguments.overrides,
                  "One setting, over the file's; may be repeated, as in --set rfm.monetary=gross "
                  "--set model.clusters=4")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->allow_extra_args(false)
      ->group("Settings");
}

absl::Status run_to_end(const Invocation& invocation) {
  const auto unwritten = [](std::string_view reason) {
    return absl::ResourceExhaustedError(
        fmt::format("standard output cannot be written: {}", reason));
  };
  try {
    const absl::Status status = invocation.run();
    if (!status.ok()) return status;
  } catch (const std::system_error& error) {  // fmt::print says so.
    return unwritten(error.what());
  }
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return absl::OkStatus();
  return unwritten(errno == 0 ? "not all of it was" : std::generic_category().message(errno));
}

absl::Status interrupted(std::string_view result) {
  return absl::CancelledError(fmt::format("interrupted: {}", result));
}

int exit_code(const absl::Status& status, LogFormat format) {
  if (status.ok()) return 0;
  const std::string message(status.message());
  if (format == LogFormat::kJson) {
    log_failure(message);
  } else {
    fmt::print(stderr, "rfmstream: {}\n", message);
  }
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return 2;
    case absl::StatusCode::kCancelled:
      return 130;
    default:
      return 1;
  }
}

}  // namespace rfm
