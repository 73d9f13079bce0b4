#include "stream/app/replay_setup.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>

#include "config/options.h"
#include "stream/app/progress.h"
#include "stream/app/stop_signal.h"
#include "stream/time_text.h"

namespace rfm {
namespace {

absl::StatusOr<std::optional<EventTime>> time_of(const std::optional<std::string>& text,
                                                 std::string_view option) {
  if (!text) return std::optional<EventTime>();
  const std::string full = text->size() == 10 ? *text + "T00:00:00Z" : *text;
  const std::optional<EventTime> time = TimeReader(std::chrono::minutes{0}).read(full);
  if (!time) {
    return absl::InvalidArgumentError(fmt::format(
        "{} {}: expected a date (2011-12-10) or an RFC 3339 time (2011-12-10T08:00:00Z)", option,
        *text));
  }
  return time;
}

absl::StatusOr<InputFormat> format_of(const std::string& name) {
  if (name == "csv") return InputFormat::kCsv;
  if (name == "lines") return InputFormat::kLines;
  if (name == "invoices") return InputFormat::kInvoices;
  return absl::InvalidArgumentError(
      fmt::format("--format {}: expected csv, lines or invoices", name));
}

}  // namespace

void add_input_arguments(CLI::App& command, ReplayArguments& arguments) {
  command.add_option("--input", arguments.input, "A file, - for standard input, or kafka:TOPIC")
      ->required()
      ->type_name("FILE|-|kafka:TOPIC");
  command
      .add_option("--format", arguments.format,
                  "How records are written: csv (UCI Online Retail), lines, invoices")
      ->type_name("FORMAT")
      ->capture_default_str();
  command
      .add_option("--until", arguments.until,
                  "Read records before TIME, then move every clock to it (default: the last event, "
                  "and what settles after it)")
      ->type_name("TIME");
  add_settings_arguments(command, arguments.settings);
}

absl::StatusOr<ReplaySetup> ReplaySetup::open(const ReplayArguments& arguments) {
  ReplaySetup setup;
  absl::StatusOr<Settings> settings = arguments.settings.load();
  if (!settings.ok()) return settings.status();
  const absl::StatusOr<InputFormat> format = format_of(arguments.format);
  if (!format.ok()) return format.status();
  const auto until = time_of(arguments.until, "--until");
  if (!until.ok()) return until.status();
  const auto go_live = time_of(arguments.go_live, "--go-live");
  if (!go_live.ok()) return go_live.status();
  const auto received = time_of(arguments.received_at, "--received-at");
  if (!received.ok()) return received.status();

  // The format is given here, not by the settings file: it is part of the rules all the same.
  const absl::Status set = settings->set("input.format=" + arguments.format);
  if (!set.ok()) return set;
  ReplayOptions options;
  options.input = arguments.input;
  options.format = *format;
  options.output_directory = arguments.output.value_or("");
  options.model_log = arguments.model_log.value_or("");
  options.recorded = arguments.recorded;
  options.until = *until;
  options.go_live = *go_live;
  if (*received) options.received_ms = to_ms(**received);
  options.rules = rfm::rules(*settings);
  options.training = training_options(*settings);
  options.decoder = decoder_options(*settings, KeyPolicy::kIfPresent);
  options.kafka = kafka_options(*settings, 0);
  options.lane = lane_options(*settings);
  options.lane.tick_idle = std::nullopt;
  options.lane.until = *until;
  options.lane.output = LaneOutput::Threading::kOwnThread;  // There is one lane.
  options.semantic = settings->semantic();
  options.check_rules = [rules = *settings](const auto& logged) {
    return rules.check_same_rules(logged);
  };
  setup.settings_ = *std::move(settings);
  if (arguments.state) {
    options.state_directory = *arguments.state;
  } else {
    std::string name = (std::filesystem::temp_directory_path() / "rfmstream.XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr)
      return absl::InternalError("no temporary directory can be made for the state");
    setup.temporary_ = name;
    options.state_directory = name;
  }
  setup.clock_ = std::make_unique<SystemClock>();
  absl::StatusOr<std::unique_ptr<Replay>> replay = Replay::open(options, *setup.clock_);
  if (!replay.ok()) return replay.status();
  setup.replay_ = *std::move(replay);
  return setup;
}

ReplaySetup::~ReplaySetup() {
  replay_.reset();
  std::error_code ignored;
  if (!temporary_.empty()) std::filesystem::remove_all(temporary_, ignored);
}

absl::Status ReplaySetup::run() {
  const StopSignal stop;
  Progress line("replayed", "records");
  const auto start = clock_->steady();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(clock_->steady() - start).count();
  };
  const absl::Status done = replay_->run([&](const ReplayProgress& progress) {
    const std::string day = to_rfc3339(progress.event_time).substr(0, 10);
    line.update(progress.records, progress.fraction, "event time " + day);
    return !stop.asked();
  });
  line.finish(replay_->lane().counters().records, "");
  seconds_ = elapsed();
  return done;
}

}  // namespace rfm
