#include "stream/app/run_command.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "admin/systemd_notifier.h"
#include "config/options.h"
#include "stream/app/kafka_setup.h"
#include "stream/app/log_output.h"
#include "stream/app/progress.h"
#include "stream/app/run_admin.h"
#include "stream/app/settings_rules.h"
#include "stream/app/status_log.h"
#include "stream/app/stop_signal.h"
#include "stream/run/service.h"
#include "stream/run/stop_poll.h"

namespace rfm {
namespace {

constexpr std::chrono::milliseconds kSignalPoll{100};
constexpr std::chrono::seconds kStopMax{9};  // Orchestrators kill after 10 s.

struct Arguments {
  SettingsArguments settings;
  std::optional<std::string> state;
  bool until_caught_up = false;
  std::vector<std::string> accepted_losses;
  bool rewrite_changelog = false;
  bool take_outputs = false;
};

void say_commits(const CommitFigures& figures) {
  spdlog::info("longest time between commits {} ms, largest transaction {} records, {} KiB",
               grouped(static_cast<std::uint64_t>(figures.gap_max.count())),
               grouped(figures.records_max), grouped(figures.bytes_max / 1024));
}

// Of everything that the partitions owned have ever read.
void say_outcomes(const OutcomeCounters& counters) {
  if (counters.changelogs_rewritten > 0)
    spdlog::info("changelogs written anew: {}", grouped(counters.changelogs_rewritten));
  spdlog::info(
      "of {} records in all: {} applied, {} duplicate, {} ignored, {} erased, {} dead-lettered; {} "
      "late, {} invoices settled from lines; {} offsets given up",
      grouped(counters.records), grouped(counters.applied), grouped(counters.duplicate),
      grouped(counters.ignored_total()), grouped(counters.erased),
      grouped(counters.dead_lettered_total()), grouped(counters.late),
      grouped(counters.invoices_settled), grouped(counters.given_up));
}

// "3:1200"
absl::StatusOr<std::pair<PartitionId, Offset>> accepted_loss(std::string_view text) {
  const std::size_t colon = text.find(':');
  std::pair<PartitionId, Offset> result;
  const auto read = [](std::string_view digits, auto& number) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return error == std::errc() && end == digits.data() + digits.size() && number >= 0;
  };
  if (colon == std::string_view::npos || !read(text.substr(0, colon), result.first) ||
      !read(text.substr(colon + 1), result.second)) {
    return absl::InvalidArgumentError(fmt::format(
        "--accept-loss {}: allowed: PARTITION:OFFSET, such as --accept-loss 0:1200", text));
  }
  return result;
}

// Ends the process where stopping in good order takes too long, because a client library or a disk
// does not come back: what was committed is safe after any crash, and whoever sent the signal ends
// the process a moment later anyway.
class StopGuard {
 public:
  explicit StopGuard(const StopSignal& stop) : thread_([this, &stop] { watch(stop); }) {}
  StopGuard(const StopGuard&) = delete;
  StopGuard& operator=(const StopGuard&) = delete;
  ~StopGuard() {
    {
      const std::scoped_lock lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

 private:
  void watch(const StopSignal& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.asked()) {
      if (changed_.wait_for(lock, kSignalPoll, [this] { return ended_; })) return;
    }
    if (changed_.wait_for(lock, kStopMax, [this] { return ended_; })) return;
    spdlog::critical(
        "not stopped {} s after the signal: ending at once. All that was committed is safe; the "
        "next start goes on from there",
        kStopMax.count());
    std::_Exit(EXIT_FAILURE);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  std::thread thread_;
};

class Host final : public ServiceHost {
 public:
  Host(const Settings& settings, const StopSignal& stop, bool until_caught_up, const Clock& clock,
       RunAdmin& admin)
      : rules_(settings,
               "Start with the logged values (`rfmstream rules show`), or change them: `rfmstream "
               "rules diff` and `rules dry-run` show what that means, `rules apply` asks for it. "
               "Or start another application: with an app.name and a state directory of its own, "
               "and with output.transitions and output.segments of its own or, when the old one is "
               "stopped for good, taken over from it (`rfmstream run --take-outputs`).",
               Settings::Compared::kAll),
        stop_(stop),
        until_caught_up_(until_caught_up),
        log_(clock),
        admin_(admin) {}

  absl::Status check_rules(const std::map<std::string, std::string>& logged) override {
    return rules_.check_rules(logged);
  }
  absl::Status check_change(const std::map<std::string, std::string>& before,
                            const std::map<std::string, std::string>& after) override {
    return rules_.check_change(before, after);
  }
  absl::StatusOr<ReadRules> read_rules(const std::map<std::string, std::string>& logged) override {
    return rules_.read_rules(logged);
  }
  bool should_stop() override {
    const bool is_over = stop_.asked() || (until_caught_up_ && at_rest_);
    if (is_over) admin_.board().note_stop();
    return is_over;
  }
  void on_status(const ServiceStatus& status) override {
    last_ = status;
    admin_.board().post(status);
    owned_ |= status.partitions_owned > 0;
    at_rest_ = status.caught_up || status.held_back;
    if (const auto line = log_.due(status)) spdlog::info(*line);
  }
  void on_rules(const std::map<std::string, std::string>& newest) override {
    admin_.show_rules(newest);
  }

  // kFailedPrecondition: it ended with records that it does not apply.
  absl::Status complete() const {
    return last_.held_back ? absl::FailedPreconditionError(*last_.held_back) : absl::OkStatus();
  }

  // Whether it ever owned a partition: before that it reads and commits nothing.
  bool owned() const { return owned_; }

  // The last lines, if there is anything to say: a refused start has done nothing.
  void say_end() {
    if (last_.counters.records == 0 && last_.commits.commits == 0) return;
    spdlog::info(log_.line(last_));
    say_commits(last_.commits);
    say_outcomes(last_.counters);
  }

 private:
  SettingsRules rules_;
  const StopSignal& stop_;
  const bool until_caught_up_;
  std::atomic<bool> at_rest_ = false;  // It will not go on by itself.
  StatusLog log_;
  RunAdmin& admin_;
  ServiceStatus last_;
  bool owned_ = false;
};

absl::Status find_broker(const KafkaOptions& options, ServiceHost& host) {
  StopLimit limit;
  const StopPoll poll(host, limit);
  KafkaOptions stoppable = options;
  stoppable.stop = &limit;
  return check_broker(stoppable);
}

absl::Status run(const Arguments& arguments, CommitObserver* observer, LogFormat& log_format) {
  const absl::StatusOr<Settings> settings = arguments.settings.load();
  if (!settings.ok()) return settings.status();
  if (settings->text("input.format") == "csv") {
    return absl::InvalidArgumentError(
        "input.format = csv is for files: a topic holds lines or invoices (`rfmstream import "
        "--kafka` turns a CSV into either)");
  }
  if (settings->text("log.format") == "json") log_format = LogFormat::kJson;
  log_to_standard_error(settings->text("log.level"), log_format);
  ServiceOptions options;
  options.lanes = static_cast<int>(settings->integer("run.lanes"));
  options.state_directory = arguments.state.value_or(settings->text("state.dir"));
  options.lane = lane_options(*settings);
  options.schedule = training_options(*settings).schedule;
  options.decoder = decoder_options(*settings, KeyPolicy::kRequired);
  for (int lane = 0; lane < options.lanes; ++lane)
    options.kafka.push_back(kafka_options(*settings, lane));
  options.semantic = settings->semantic();
  options.observer = observer;
  options.rewrite_changelog = arguments.rewrite_changelog;
  if (arguments.take_outputs) options.outputs = OutputClaim::kTakeOver;
  for (const std::string& text : arguments.accepted_losses) {
    const absl::StatusOr<std::pair<PartitionId, Offset>> loss = accepted_loss(text);
    if (!loss.ok()) return loss.status();
    options.accepted_losses.insert(*loss);
  }
  const StopSignal stop;
  const StopGuard guard(stop);
  const SystemClock clock;
  const absl::StatusOr<std::unique_ptr<RunAdmin>> admin = RunAdmin::start(*settings, {}, clock);
  if (!admin.ok()) return admin.status();
  options.queries = (*admin)->desks();
  const SystemdNotifier notifier((*admin)->board(), settings->duration("admin.stuck_after"), clock);
  Host host(*settings, stop, arguments.until_caught_up, clock, **admin);
  const KafkaOptions& kafka = options.kafka.front();
  if (const absl::Status answered = find_broker(kafka, host); !answered.ok())
    return stop.asked() ? absl::OkStatus() : answered;
  spdlog::info("{} {}: {} to {} at {}, {} lanes, state in {}", kafka.application, kafka.instance,
               kafka.input_topic, kafka.transitions_topic, kafka.brokers, options.lanes,
               options.state_directory);
  absl::Status status = run_service(options, host, clock);
  host.say_end();
  if (status.ok() && arguments.until_caught_up && !stop.asked()) status = host.complete();
  if (status.ok()) {
    spdlog::info(host.owned()
                     ? "stopped: everything is committed"
                     : "stopped before it owned a partition: nothing was read, nothing committed");
  }
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
  command
      .add_option("--accept-loss", arguments->accepted_losses,
                  "Where a refused start said that records of the input are gone or the topic is "
                  "another one: go on with that partition at OFFSET; may be repeated. It is logged "
                  "in the model log")
      ->type_name("PARTITION:OFFSET")
      ->take_all()
      ->allow_extra_args(false);
  command.add_flag("--rewrite-changelog", arguments->rewrite_changelog,
                   "Where a refused start said that the changelog is lost and the state is whole: "
                   "write it anew from the state. It is logged in the model log");
  command.add_flag("--take-outputs", arguments->take_outputs,
                   "Write to output topics that belonged to another application, which must be "
                   "stopped for good; once, they are this one's afterwards");
  add_settings_arguments(command, arguments->settings);
  command.footer(
      "The topics must exist: `rfmstream topics create`. SIGTERM and SIGINT commit and end it "
      "within\n"
      "10 s, a second one at once; started again, also after a crash, it goes on where it was. "
      "What\n"
      "it does is logged to standard error.\n"
      "Examples:\n"
      "  rfmstream run --set kafka.brokers=kafka:9092 --state /var/lib/rfmstream\n"
      "  rfmstream run --config rfmstream.toml --set run.lanes=2\n"
      "  rfmstream run --set input.topic=invoices --until-caught-up");
  command.callback([arguments, observer, &invocation] {
    invocation.run = [arguments, observer, &invocation] {
      return run(*arguments, observer, invocation.log_format);
    };
  });
}

}  // namespace rfm
