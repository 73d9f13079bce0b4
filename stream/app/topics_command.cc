#include "stream/app/topics_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/options.h"
#include "stream/app/kafka_setup.h"
#include "stream/app/log_output.h"
#include "stream/kafka/kafka_topics.h"
#include "stream/kafka/output_owners.h"
#include "stream/run/topic_check.h"

namespace rfm {
namespace {

struct Arguments {
  SettingsArguments settings;
  std::optional<int> partitions;
  std::optional<int> output_partitions;
  std::optional<int> replication;
};

enum class Deed : std::uint8_t { kCreate, kCheck };

std::string_view name(TopicOutcome outcome) {
  switch (outcome) {
    case TopicOutcome::kCreated:
      return "created";
    case TopicOutcome::kAsExpected:
      return "as expected";
    case TopicOutcome::kDiffers:
      return "differs";
    case TopicOutcome::kMissing:
    default:
      return "missing";
  }
}

// An existing input topic decides on its own partitions; those of the application follow it.
absl::StatusOr<TopicPlan> make_plan(const Arguments& arguments, const Settings& settings,
                                    const KafkaOptions& kafka, KafkaTopics& topics) {
  const absl::StatusOr<std::optional<int>> input = topics.partition_count(kafka.input_topic);
  if (!input.ok()) return input.status();
  absl::StatusOr<TopicPlan> plan =
      topics.plan(static_cast<std::int64_t>(settings.bytes("input.record_max")));
  if (!plan.ok()) return plan.status();
  if (!*input && arguments.partitions) plan->input_partitions = *arguments.partitions;
  if (*input && arguments.partitions && *arguments.partitions != plan->input_partitions) {
    return absl::FailedPreconditionError(
        fmt::format("topic {} exists with {} partitions, not {}: leave out --partitions",
                    kafka.input_topic, plan->input_partitions, *arguments.partitions));
  }
  plan->output_partitions = arguments.output_partitions.value_or(plan->input_partitions);
  return plan;
}

// An output topic that was created just now is the application's; one that belongs to another
// application is a difference.
absl::Status add_owners(const KafkaOptions& kafka, std::vector<TopicReport>& reports) {
  const KafkaTopicNames names = topic_names(kafka);
  const auto is_output = [&](const TopicReport& report) {
    return report.name == names.transitions || report.name == names.segments;
  };
  std::vector<std::string> created;
  for (const TopicReport& report : reports) {
    if (report.outcome == TopicOutcome::kMissing && report.name == names.output_owners)
      return absl::OkStatus();
    if (report.outcome == TopicOutcome::kCreated && is_output(report))
      created.push_back(report.name);
  }
  const absl::Status claimed = claim_outputs(kafka, created, OutputClaim::kTakeOver);
  if (!claimed.ok()) return claimed;
  const absl::StatusOr<std::map<std::string, std::string>> owners = read_output_owners(kafka);
  if (!owners.ok()) return owners.status();
  for (TopicReport& report : reports) {
    const auto owner = owners->find(report.name);
    if (!is_output(report) || report.outcome == TopicOutcome::kMissing || owner == owners->end() ||
        owner->second == kafka.application)
      continue;
    report.outcome = TopicOutcome::kDiffers;
    report.differences.push_back(
        {.text = fmt::format("belongs to application {}: give this one its own", owner->second),
         .mend = "rfmstream run --take-outputs"});
  }
  return absl::OkStatus();
}

absl::Status judge(const std::vector<TopicReport>& reports) {
  bool missing = false;
  int refused = 0;
  for (const TopicReport& report : reports) {
    fmt::print("{:<12} {}\n", name(report.outcome), report.name);
    missing |= report.outcome == TopicOutcome::kMissing;
    for (const TopicDifference& difference : report.differences) {
      const bool warns = difference.reaction == TopicReaction::kWarn;
      fmt::print("{:<12}   {}{}\n", "", warns ? "warning: " : "", difference.text);
      if (!difference.mend.empty()) fmt::print("{:<12}     {}\n", "", difference.mend);
      if (!warns) ++refused;
    }
  }
  if (missing) {
    return absl::NotFoundError(
        "topics are missing: `rfmstream topics create` creates them, with the same settings");
  }
  if (refused == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "topics differ from what rfmstream relies on, and `rfmstream run` does not start: change "
      "them as said, or delete those that hold nothing yet and run `rfmstream topics create`");
}

// How long what was created is kept is a choice that its owner should know of.
void say_retention(const std::vector<TopicSpec>& specs, const std::vector<TopicReport>& reports) {
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const auto retention = specs[i].settings.find("retention.ms");
    if (reports[i].outcome != TopicOutcome::kCreated || retention == specs[i].settings.end())
      continue;
    fmt::print(stderr, "{} keeps its records {}\n", specs[i].name,
               retention->second == "-1" ? "for ever (retention.ms=-1)"
                                         : fmt::format("for retention.ms={}", retention->second));
  }
}

absl::Status treat(const Arguments& arguments, Deed deed) {
  const absl::StatusOr<Settings> settings = arguments.settings.load();
  if (!settings.ok()) return settings.status();
  log_to_standard_error("error");
  const KafkaOptions kafka = kafka_options(*settings, 0);
  if (absl::Status status = check_broker(kafka); !status.ok()) return status;
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(kafka);
  if (!topics.ok()) return topics.status();
  if (const absl::Status same = same_partitions(kafka, *topics); !same.ok()) return same;
  const absl::StatusOr<TopicPlan> plan = make_plan(arguments, *settings, kafka, *topics);
  if (!plan.ok()) return plan.status();
  const std::vector<TopicSpec> specs = application_topics(kafka, *plan);
  absl::StatusOr<std::vector<TopicReport>> reports =
      deed == Deed::kCreate ? topics->create(specs, arguments.replication) : topics->check(specs);
  if (!reports.ok()) return reports.status();
  if (const absl::Status owned = add_owners(kafka, *reports); !owned.ok()) return owned;
  say_retention(specs, *reports);
  return judge(*reports);
}

}  // namespace

void add_topics_command(CLI::App& app, Invocation& invocation) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& topics = *app.add_subcommand("topics", "Create or check the topics in Kafka");
  topics.require_subcommand(1);
  topics.footer(
      "`create` keeps input and ticks for ever, because a replay needs all of them, transitions "
      "and\n"
      "dead letters for 30 days, and says so; retention.ms of each is its owner's to change. What\n"
      "`check` refuses, and `run` too, and what both warn of, is in docs/formats.md, \"Topics\".\n"
      "Examples:\n"
      "  rfmstream topics create --set kafka.brokers=kafka:9092 --partitions 8\n"
      "  rfmstream topics check --config rfmstream.toml");

  CLI::App& create = *topics.add_subcommand(
      "create", "Create the topics that are missing; nothing that exists is changed");
  create
      .add_option("--partitions", arguments->partitions,
                  "Partitions of the input topic, if it does not exist yet (default: 8)")
      ->type_name("N")
      ->check(CLI::Range(1, 10'000).description("1 to 10,000"));
  create
      .add_option("--output-partitions", arguments->output_partitions,
                  "Partitions of transitions, segments and dead letters (default: as the input)")
      ->type_name("N")
      ->check(CLI::Range(1, 10'000).description("1 to 10,000"));
  create
      .add_option("--replication", arguments->replication,
                  "Copies of each topic (default: the brokers decide)")
      ->type_name("N")
      ->check(CLI::Range(1, 100).description("1 to 100"));
  add_settings_arguments(create, arguments->settings);
  create.callback([arguments, &invocation] {
    invocation.run = [arguments] { return treat(*arguments, Deed::kCreate); };
  });

  CLI::App& check = *topics.add_subcommand("check",
                                           "Say which topics are missing or set up in another way; "
                                           "exit status 1 if `run` would not start");
  add_settings_arguments(check, arguments->settings);
  check.callback([arguments, &invocation] {
    invocation.run = [arguments] { return treat(*arguments, Deed::kCheck); };
  });
}

}  // namespace rfm
