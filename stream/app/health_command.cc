#include "stream/app/health_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "config/options.h"
#include "stream/app/kafka_setup.h"
#include "stream/app/log_output.h"
#include "stream/kafka/kafka_group.h"

namespace rfm {
namespace {

constexpr std::chrono::milliseconds kAnswerMax{5'000};

absl::Status check_lanes(const SettingsArguments& arguments) {
  const absl::StatusOr<Settings> settings = arguments.load();
  if (!settings.ok()) return settings.status();
  log_to_standard_error("critical");  // What there is to say is said once, below.
  const KafkaOptions kafka = kafka_options(*settings, 0);
  const auto members = group_members(kafka, kAnswerMax);
  if (!members.ok()) return members.status();
  std::vector<std::string> missing;
  const auto lanes = static_cast<int>(settings->integer("run.lanes"));
  for (int lane = 0; lane < lanes; ++lane) {
    const std::string name = lane_name(kafka_options(*settings, lane));
    const bool is_there = std::ranges::any_of(
        *members, [&](const GroupMember& member) { return member.name == name; });
    if (!is_there) missing.push_back(name);
  }
  if (!missing.empty()) {
    return absl::UnavailableError(fmt::format("not in the consumer group {}: {}", kafka.application,
                                              fmt::join(missing, ", ")));
  }
  fmt::print("alive: all {} lanes are in the consumer group {}\n", lanes, kafka.application);
  return absl::OkStatus();
}

}  // namespace

void add_health_command(CLI::App& app, Invocation& invocation) {
  const auto arguments = std::make_shared<SettingsArguments>();
  CLI::App& command = *app.add_subcommand(
      "health", "Whether the service of these settings is alive, for a container's health check");
  add_settings_arguments(command, *arguments);
  command.footer(
      "Exit status 0 while each lane of app.instance is in the consumer group, which it leaves "
      "when\n"
      "it has not been heard of for kafka.session_timeout; 1 else, also while no broker answers.\n"
      "Example:\n"
      "  rfmstream health --config rfmstream.toml");
  command.callback([arguments, &invocation] {
    invocation.run = [arguments] { return check_lanes(*arguments); };
  });
}

}  // namespace rfm
