#include "stream/app/run_command.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "config/options.h"
#include "stream/app/kafka_setup.h"
#include "stream/app/progress.h"
#include "stream/app/stop_signal.h"
#include "stream/run/service.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr std::chrono::seconds kLineInterval{10};

struct Arguments {
  SettingsArguments settings;
  std::optional<std::string> state;
  bool until_caught_up = false;
};

// One line every ten seconds while something happens, and one at the end.
class StatusLog {
 public:
  void say(const ServiceOptions::Status& status) {
    const auto now = std::chrono::steady_clock::now();
    if (now - said_at_ < kLineInterval || status.commits == said_commits_) return;
    say_now(status);
  }

  void say_now(const ServiceOptions::Status& status) {
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - said_at_).count();
    const std::uint64_t records = status.counters.records;
    const double rate = static_cast<double>(records - std::min(records, last_)) / seconds;
    const std::string jumps =
        status.clock_jumps == 0 ? "" : fmt::format(", {} clock jumps", status.clock_jumps);
    spdlog::info(
        "{} records ({:.0f}/s), {} behind, event time {}, {} transitions, {} dead letters, {} "
        "commits{}",
        grouped(records), rate, grouped(static_cast<std::uint64_t>(status.records_behind)),
        status.event_time == kBeforeAll ? "-" : to_rfc3339(status.event_time),
        grouped(status.counters.transitions), grouped(status.counters.dead_lettered_total()),
        grouped(status.commits), jumps);
    said_at_ = now;
    said_commits_ = status.commits;
    last_ = records;
  }

 private:
  std::chrono::steady_clock::time_point said_at_ = std::chrono::steady_clock::now();
  std::uint64_t said_commits_ = 0;
  std::uint64_t last_ = 0;
};

// Of everything that the partitions owned have ever read.
void say_outcomes(const OutcomeCounters& counters) {
  spdlog::info(
      "of {} records in all: {} applied, {} duplicate, {} ignored, {} erased, {} dead-lettered; {} "
      "late, {} invoices settled from lines",
      grouped(counters.records), grouped(counters.applied), grouped(counters.duplicate),
      grouped(counters.ignored_total()), grouped(counters.erased),
      grouped(counters.dead_lettered_total()), grouped(counters.late),
      grouped(counters.invoices_settled));
}

absl::Status run(const Arguments& arguments, CommitObserver* observer) {
  const absl::StatusOr<Settings> settings = arguments.settings.load();
  if (!settings.ok()) return settings.status();
  if (settings->text("input.format") == "csv") {
    return absl::InvalidArgumentError(
        "input.format = csv is for files: a topic holds lines or invoices (`rfmstream import "
        "--kafka` turns a CSV into either)");
  }
  log_to_standard_error(settings->text("log.level"));
  ServiceOptions options;
  options.lanes = static_cast<int>(settings->integer("run.lanes"));
  options.state_directory = arguments.state.value_or(settings->text("state.dir"));
  options.lane = lane_options(*settings);
  options.rules = rules(*settings);
  options.training = training_options(*settings);
  options.decoder = decoder_options(*settings, KeyPolicy::kRequired);
  for (int lane = 0; lane < options.lanes; ++lane)
    options.kafka.push_back(kafka_options(*settings, lane));
  options.semantic = settings->semantic();
  options.check_rules = [&](const auto& logged) { return settings->check_same_rules(logged); };
  options.observer = observer;
  absl::Status status = check_broker(options.kafka.front());
  if (!status.ok()) return status;

  const StopSignal stop;
  StatusLog log;
  ServiceOptions::Status last;
  options.on_status = [&](const ServiceOptions::Status& now) {
    last = now;
    log.say(now);
  };
  options.should_stop = [&] {
    return stop.asked() || (arguments.until_caught_up && last.caught_up);
  };
  const KafkaOptions& kafka = options.kafka.front();
  spdlog::info("{} {}: {} to {} at {}, {} lanes, state in {}", kafka.application, kafka.instance,
               kafka.input_topic, kafka.transitions_topic, kafka.brokers, options.lanes,
               options.state_directory);
  const SystemClock clock;
  status = run_service(options, clock);
  log.say_now(last);
  say_outcomes(last.counters);
  if (status.ok()) spdlog::info("stopped: everything is committed");
  return status;
}

}  // namespace

void add_run_command(CLI::App& app, Invocation& invocation, CommitObserver* observer) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& command = *app.add_subcommand(
      "run", "The service: invoices from Kafka in, segment transitions out, exactly once");
  command
      .add_option("--state", arguments->state,
                  "State directory, one per instance (default: the setting state.dir)")
      ->type_name("DIR");
  command.add_flag("--until-caught-up", arguments->until_caught_up,
                   "End when every record that is in the topic is applied and committed");
  add_settings_arguments(command, arguments->settings);
  command.footer(
      "The topics must exist: `rfmstream topics create`. SIGTERM and SIGINT commit and end it; "
      "started again,\n"
      "also after a crash, it goes on where it was. What it does is logged to standard error.\n"
      "Examples:\n"
      "  rfmstream run --set kafka.brokers=kafka:9092 --state /var/lib/rfmstream\n"
      "  rfmstream run --config rfmstream.toml --set run.lanes=2\n"
      "  rfmstream run --set input.topic=invoices --until-caught-up");
  command.callback([arguments, observer, &invocation] {
    invocation.run = [arguments, observer] { return run(*arguments, observer); };
  });
}

}  // namespace rfm
