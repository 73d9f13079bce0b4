#include "stream/app/command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "config/options.h"

namespace rfm {

absl::StatusOr<Settings> SettingsArguments::load() const {
  absl::StatusOr<Settings> settings = Settings::load(file, overrides);
  if (!settings.ok()) return settings.status();
  if (absl::Status status = check_options(*settings); !status.ok()) return status;
  return settings;
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

int exit_code(const absl::Status& status) {
  if (status.ok()) return 0;
  fmt::print(stderr, "rfmstream: {}\n", std::string(status.message()));
  return status.code() == absl::StatusCode::kInvalidArgument ? 2 : 1;
}

}  // namespace rfm
