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
#include "stream/kafka/kafka_topics.h"
#include "stream/kafka/output_owners.h"
#include "stream/run/input_watch.h"

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
absl::StatusOr<TopicPlan> make_plan(const Arguments& arguments, const KafkaOptions& kafka,
                                    KafkaTopics& topics) {
  TopicPlan plan;
  const absl::StatusOr<int> brokers = topics.broker_count();
  if (!brokers.ok()) return brokers.status();
  plan.broker_count = *brokers;
  const absl::StatusOr<std::optional<TopicDescription>> input = topics.describe(kafka.input_topic);
  if (!input.ok()) return input.status();
  if (*input) {
    plan.input_partitions = (*input)->partitions;
    const auto bytes_max = (*input)->settings.find("max.message.bytes");
    if (bytes_max != (*input)->settings.end())
      plan.input_message_bytes_max = std::stoll(bytes_max->second);
  } else if (arguments.partitions) {
    plan.input_partitions = *arguments.partitions;
  }
  if (*input && arguments.partitions && *arguments.partitions != plan.input_partitions) {
    return absl::FailedPreconditionError(
        fmt::format("topic {} exists with {} partitions, not {}: leave out --partitions",
                    kafka.input_topic, plan.input_partitions, *arguments.partitions));
  }
  plan.output_partitions = arguments.output_partitions.value_or(plan.input_partitions);
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
    report.differences.push_back(fmt::format(
        "belongs to application {}: give this one its own, or `rfmstream run --take-outputs`",
        owner->second));
  }
  return absl::OkStatus();
}

absl::Status judge(const std::vector<TopicReport>& reports, const KafkaOptions& kafka) {
  bool missing = false;
  int differing = 0;
  for (const TopicReport& report : reports) {
    fmt::print("{:<12} {}\n", name(report.outcome), report.name);
    missing |= report.outcome == TopicOutcome::kMissing;
    if (report.outcome != TopicOutcome::kDiffers) continue;
    for (const std::string& difference : report.differences)
      fmt::print("{:<12}   {}\n", "", difference);
    // The input belongs to those who write it.
    if (report.name != kafka.input_topic) ++differing;
  }
  if (missing) {
    return absl::NotFoundError(
        "topics are missing: `rfmstream topics create` creates them, with the same settings");
  }
  if (differing > 0) {
    return absl::FailedPreconditionError(
        fmt::format("{} topics differ from what rfmstream relies on: change their settings, or "
                    "delete those that hold nothing yet and run `rfmstream topics create`",
                    differing));
  }
  return absl::OkStatus();
}

absl::Status treat(const Arguments& arguments, Deed deed) {
  const absl::StatusOr<Settings> settings = arguments.settings.load();
  if (!settings.ok()) return settings.status();
  log_to_standard_error("error");
  const KafkaOptions kafka = kafka_options(*settings, 0);
  if (absl::Status status = check_broker(kafka); !status.ok()) return status;
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(kafka);
  if (!topics.ok()) return topics.status();
  const absl::StatusOr<TopicPlan> plan = make_plan(arguments, kafka, *topics);
  if (!plan.ok()) return plan.status();
  const absl::StatusOr<std::optional<int>> began_with =
      topics->partition_count(topic_names(kafka).changelog);
  if (!began_with.ok()) return began_with.status();
  if (*began_with && **began_with != plan->input_partitions)
    return partitions_changed(kafka, **began_with, plan->input_partitions);
  std::vector<TopicSpec> specs = application_topics(kafka, *plan);
  if (!arguments.output_partitions && deed == Deed::kCheck) {
    // How many partitions the outputs have is for their readers to choose.
    for (TopicSpec& spec : specs) {
      const bool chosen = spec.name == kafka.transitions_topic ||
                          spec.name == kafka.segments_topic ||
                          spec.name == topic_names(kafka).dead_letters;
      if (!chosen) continue;
      const absl::StatusOr<std::optional<int>> count = topics->partition_count(spec.name);
      if (!count.ok()) return count.status();
      spec.partitions = count->value_or(spec.partitions);
    }
  }
  absl::StatusOr<std::vector<TopicReport>> reports =
      deed == Deed::kCreate ? topics->create(specs, arguments.replication) : topics->check(specs);
  if (!reports.ok()) return reports.status();
  if (const absl::Status owned = add_owners(kafka, *reports); !owned.ok()) return owned;
  return judge(*reports, kafka);
}

}  // namespace

void add_topics_command(CLI::App& app, Invocation& invocation) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& topics = *app.add_subcommand("topics", "Create or check the topics in Kafka");
  topics.require_subcommand(1);
  topics.footer(
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

  CLI::App& check = *topics.add_subcommand(
      "check", "Say which topics are missing or set up in another way; exit status 1 if any is");
  add_settings_arguments(check, arguments->settings);
  check.callback([arguments, &invocation] {
    invocation.run = [arguments] { return treat(*arguments, Deed::kCheck); };
  });
}

}  // namespace rfm
