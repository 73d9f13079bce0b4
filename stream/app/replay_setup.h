// From the command line and the settings to a replay: shared by `replay` and `evaluate`.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "stream/app/command.h"
#include "stream/app/temporary_directory.h"
#include "stream/run/replay.h"

namespace rfm {

struct ReplayArguments {
  SettingsArguments settings;
  std::string input;
  std::optional<std::string> format;  // Absent: the setting's.
  std::optional<std::string> until;
  std::optional<std::string> state;
  std::optional<std::string> output;
  std::optional<std::string> model_log;
  bool recorded = false;
  std::optional<std::string> go_live;
  std::optional<std::string> received_at;
};

// The settings, --format among them.
struct InputSettings {
  Settings settings;
  std::string beginning{};  // Of standard input, read to tell the format.
};
absl::StatusOr<InputSettings> settings_of(const ReplayArguments& arguments);

// --input, --format, --until and the settings.
void add_input_arguments(CLI::App& command, ReplayArguments& arguments);

// An epoch boundary, which is a midnight UTC, given as a date.
absl::StatusOr<EventTime> date_of(const std::string& text, std::string_view option);

// An error if no record counted in time.
absl::Status check_not_empty(const Lane& lane);

// A replay, and the temporary state directory that goes with it when none was named.
class ReplaySetup {
 public:
  static absl::StatusOr<ReplaySetup> open(const ReplayArguments& arguments);
  // With other settings than those of the arguments.
  static absl::StatusOr<ReplaySetup> open(const ReplayArguments& arguments, InputSettings given);
  ReplaySetup(ReplaySetup&& other) noexcept = default;
  ReplaySetup& operator=(ReplaySetup&& other) = delete;

  Replay& replay() { return *replay_; }
  const Settings& settings() const { return settings_; }

  // Runs it with a line of progress on standard error (if that is a terminal or the run is long).
  // SIGINT and SIGTERM commit and end it early: kCancelled.
  absl::Status run();
  double seconds() const { return seconds_; }

 private:
  ReplaySetup() = default;

  Settings settings_;
  std::unique_ptr<SystemClock> clock_;
  std::unique_ptr<RulesReader> rules_reader_;
  std::optional<TemporaryDirectory> temporary_;
  std::unique_ptr<Replay> replay_;
  double seconds_ = 0;
};

}  // namespace rfm
