#include "stream/app/config_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "config/options.h"
#include "config/settings.h"
#include "stream/kafka/kafka_handles.h"

namespace rfm {

namespace {

enum class Shown { kAll, kChanged };

std::string origin_text(const EffectiveSetting& setting) {
  const bool has_place =
      setting.origin == SettingOrigin::kFile || setting.origin == SettingOrigin::kEnvironment;
  return has_place ? setting.where : std::string(name(setting.origin));
}

absl::Status show(const SettingsArguments& arguments, Shown shown) {
  const absl::StatusOr<Settings> settings = arguments.load();
  if (!settings.ok()) return settings.status();
  std::vector<EffectiveSetting> rows = settings->effective();
  if (shown == Shown::kChanged) {
    std::erase_if(rows, [](const EffectiveSetting& row) { return !row.is_changed; });
  }
  std::size_t key_width = 0;
  std::size_t text_width = 0;
  constexpr std::size_t kTextWidthMax = 40;
  for (const EffectiveSetting& row : rows) {
    key_width = std::max(key_width, row.key.size());
    text_width = std::max(text_width, std::min(row.text.size(), kTextWidthMax));
  }
  for (const EffectiveSetting& row : rows) {
    const std::string text = row.text.empty() ? "\"\"" : shown_text(row);
    fmt::print("{:<{}}  {:<{}}  {}\n", row.key, key_width, text, text_width, origin_text(row));
  }
  return absl::OkStatus();
}

absl::Status check(const SettingsArguments& arguments) {
  const absl::StatusOr<Settings> settings = arguments.load();
  if (!settings.ok()) return settings.status();
  const std::vector<EffectiveSetting> rows = settings->effective();
  const auto changed = std::ranges::count(rows, true, &EffectiveSetting::is_changed);
  const absl::StatusOr<KafkaConf> kafka = make_conf(kafka_options(*settings, 0), {});
  if (!kafka.ok()) return kafka.status();
  const Rules made = rules(*settings);
  std::vector<std::string> segmentations;
  for (const Segmentation& segmentation : made.segmentations.all()) {
    segmentations.push_back(
        fmt::format("{} ({} segments)", segmentation.name(), segmentation.spec().segments.size()));
  }
  fmt::print("settings are valid: {} of {} differ from the defaults; segmentations: {}\n", changed,
             rows.size(), fmt::join(segmentations, ", "));
  return absl::OkStatus();
}

}  // namespace

void add_config_command(CLI::App& app, Invocation& invocation) {
  struct Arguments {
    SettingsArguments settings;
    bool changed_only = false;
  };
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& config = *app.add_subcommand("config", "Show or check the settings");
  config.require_subcommand(1);
  config.footer(
      "Examples:\n"
      "  rfmstream config default > rfmstream.toml\n"
      "  rfmstream config check --config rfmstream.toml\n"
      "  rfmstream config show --changed --config rfmstream.toml --set model.clusters=4");

  CLI::App& show_command =
      *config.add_subcommand("show", "Print every setting with its value and where it comes from");
  add_settings_arguments(show_command, arguments->settings);
  show_command.add_flag("--changed", arguments->changed_only,
                        "Only those that differ from their defaults");
  show_command.callback([arguments, &invocation] {
    invocation.run = [arguments] {
      return show(arguments->settings, arguments->changed_only ? Shown::kChanged : Shown::kAll);
    };
  });

  CLI::App& check_command =
      *config.add_subcommand("check", "Check a settings file; exit status 2 if it is refused");
  add_settings_arguments(check_command, arguments->settings);
  check_command.callback([arguments, &invocation] {
    invocation.run = [arguments] { return check(arguments->settings); };
  });

  CLI::App& default_command = *config.add_subcommand(
      "default", "Print a settings file with every default and what it means");
  default_command.callback([&invocation] {
    invocation.run = [] {
      fmt::print("{}", documented_defaults());
      return absl::OkStatus();
    };
  });
}

}  // namespace rfm
