#include "stream/app/replay_setup.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <utility>

#include "config/options.h"
#include "stream/app/kafka_setup.h"
#include "stream/app/progress.h"
#include "stream/app/settings_rules.h"
#include "stream/app/stop_signal.h"
#include "stream/app/told_format.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

// A date is its midnight; what has no zone is at `offset`.
absl::StatusOr<std::optional<EventTime>> time_of(const std::optional<std::string>& text,
                                                 std::string_view option,
                                                 std::chrono::minutes offset) {
  if (!text) return std::optional<EventTime>();
  const std::optional<EventTime> time =
      TimeReader(offset).read(text->size() == 10 ? *text + "T00:00:00" : *text);
  if (!time || text->find('/') != std::string::npos) {
    return absl::InvalidArgumentError(fmt::format(
        "{} {} is refused; allowed: a date (2011-12-10) or an RFC 3339 time (2011-12-10T08:00:00Z) "
        "from {} to {}",
        option, *text, to_date(kEarliestEventTime),
        to_date(kLatestEventTime - std::chrono::days{1})));
  }
  return time;
}

}  // namespace

void add_input_arguments(CLI::App& command, ReplayArguments& arguments) {
  command.add_option("--input", arguments.input, "A file, - for standard input, or kafka:TOPIC")
      ->required()
      ->type_name("FILE|-|kafka:TOPIC");
  command
      .add_option(
          "--format", arguments.format,
          "How records are written: csv (UCI Online Retail), lines, invoices (default: the "
          "setting input.format; where that is not set, told from the beginning of a file or "
          "standard input)")
      ->type_name("FORMAT");
  command
      .add_option(
          "--until", arguments.until,
          "Read all records before TIME, wherever they stand up to the end of the input, then "
          "move every clock to it; what has no time of its own goes with the record before "
          "it (default: the last event, and what settles after it)")
      ->type_name("TIME");
  add_settings_arguments(command, arguments.settings);
}

absl::StatusOr<InputSettings> settings_of(const ReplayArguments& arguments) {
  SettingsArguments given = arguments.settings;
  if (arguments.format) {
    const absl::Status known =
        Settings().assign("input.format", *arguments.format, SettingOrigin::kOverride, "--format");
    if (!known.ok()) return known;
    given.overrides.push_back("input.format=" + *arguments.format);
  }
  absl::StatusOr<Settings> settings = given.load();
  if (!settings.ok()) return settings.status();
  if (!settings->is_default("input.format")) return InputSettings{*std::move(settings)};
  ToldFormat told = told_format(arguments.input, *settings);
  if (told.format) {
    fmt::print(stderr, "{}: read as {}, told from its beginning (--format says otherwise)\n",
               arguments.input == "-" ? "standard input" : arguments.input, *told.format);
    const absl::Status assigned =
        settings->assign("input.format", *told.format, SettingOrigin::kOverride, arguments.input);
    if (!assigned.ok()) return assigned;
  }
  return InputSettings{*std::move(settings), std::move(told.beginning)};
}

absl::StatusOr<EventTime> date_of(const std::string& text, std::string_view option) {
  const std::optional<EventTime> time =
      text.size() == 10 ? TimeReader(std::chrono::minutes{0}).read(text + "T00:00:00Z")
                        : std::nullopt;
  if (!time) {
    return absl::InvalidArgumentError(
        fmt::format("{} {}: expected a date such as 2011-09-09", option, text));
  }
  return *time;
}

absl::Status check_not_empty(const Lane& lane) {
  const bool started = std::ranges::any_of(
      lane.partitions(), [](const Partition* partition) { return partition->meta().started; });
  if (started) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("the input has no event that counts in time ({} records read, {} dead-lettered)",
                  lane.counters().records, lane.counters().dead_lettered_total()));
}

absl::StatusOr<ReplaySetup> ReplaySetup::open(const ReplayArguments& arguments) {
  absl::StatusOr<InputSettings> given = settings_of(arguments);
  if (!given.ok()) return given.status();
  return open(arguments, *std::move(given));
}

absl::StatusOr<ReplaySetup> ReplaySetup::open(const ReplayArguments& arguments,
                                              InputSettings given) {
  ReplaySetup setup;
  Settings& settings = given.settings;
  const std::chrono::minutes offset = settings.utc_offset("input.utc_offset");
  const auto until = time_of(arguments.until, "--until", offset);
  if (!until.ok()) return until.status();
  const auto go_live = time_of(arguments.go_live, "--go-live", offset);
  if (!go_live.ok()) return go_live.status();
  const auto received = time_of(arguments.received_at, "--received-at", offset);
  if (!received.ok()) return received.status();

  ReplayOptions options;
  options.input = arguments.input;
  options.input_beginning = std::move(given.beginning);
  options.output_directory = arguments.output.value_or("");
  options.model_log = arguments.model_log.value_or("");
  options.recorded = arguments.recorded;
  options.until = *until;
  options.go_live = *go_live;
  if (*received) options.received_ms = to_ms(**received);
  options.schedule = training_options(settings).schedule;
  options.decoder = decoder_options(settings, KeyPolicy::kIfPresent);
  options.format = options.decoder.format;
  options.kafka = kafka_options(settings, 0);
  if (arguments.input.starts_with(kKafkaScheme)) {
    if (absl::Status answered = check_broker(options.kafka); !answered.ok()) return answered;
  }
  options.lane = lane_options(settings);
  options.lane.tick_idle = std::nullopt;
  options.lane.dead_letters.share_max = 1;  // A history may be as it is, once it can be read.
  options.lane.output = LaneOutput::Threading::kOwnThread;  // There is one lane.
  options.semantic = settings.semantic();
  setup.settings_ = std::move(settings);
  setup.rules_reader_ = std::make_unique<SettingsRules>(
      setup.settings_,
      "Go on with the logged values (`rfmstream rules show`), change them for what follows "
      "(`rfmstream rules diff`, `rules apply --state`), or begin anew with another --state and "
      "--output.",
      Settings::Compared::kAll);
  options.rules_reader = setup.rules_reader_.get();
  if (arguments.state) {
    options.state_directory = *arguments.state;
  } else {
    absl::StatusOr<TemporaryDirectory> temporary = TemporaryDirectory::make();
    if (!temporary.ok()) return temporary.status();
    options.keeps_state = false;
    options.state_directory = temporary->path();
    setup.temporary_.emplace(*std::move(temporary));
  }
  setup.clock_ = std::make_unique<SystemClock>();
  absl::StatusOr<std::unique_ptr<Replay>> replay = Replay::open(options, *setup.clock_);
  if (!replay.ok()) return replay.status();
  setup.replay_ = *std::move(replay);
  if (const std::string found = setup.replay_->input_found(); !found.empty())
    fmt::print(stderr, "{}\n", found);
  return setup;
}

absl::Status ReplaySetup::run() {
  const StopSignal stop;
  Progress line("replayed", "records");
  const auto start = clock_->steady();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(clock_->steady() - start).count();
  };
  bool ended = true;
  const absl::Status done = replay_->run([&](const ReplayProgress& progress) {
    const std::string day = to_date(progress.event_time);
    line.update(progress.records, progress.fraction, "event time " + day);
    ended = !stop.asked();
    return ended;
  });
  line.finish(replay_->lane().counters().records, "");
  seconds_ = elapsed();
  for (const std::string& refusal : replay_->review().refusals())
    fmt::print(stderr, "dead letters: {}\n", refusal);
  for (const std::string& finding : replay_->review().findings())
    fmt::print(stderr, "note: {}\n", finding);
  if (done.ok() && ended && !check_not_empty(replay_->lane()).ok() &&
      replay_->lane().counters().records == 0)
    fmt::print(stderr, "note: the input has no records\n");
  if (const SplitCustomers split = replay_->split_customers(); split.count > 0) {
    fmt::print(stderr,
               "note: {} customers are in several partitions; {}: their records were not "
               "partitioned alike\n",
               grouped(split.count), split.example);
  }
  if (!done.ok() || ended) return done;
  return interrupted(!temporary_
                         ? "what is done is committed, and the same command goes on from there"
                         : "a part of the input was read");
}

}  // namespace rfm
