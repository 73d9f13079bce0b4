#include "stream/run/topic_check.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <optional>
#include <string>
#include <vector>

namespace rfm {
namespace {

absl::Status missing(const std::string& topic) {
  return absl::NotFoundError(fmt::format(
      "there is no topic {}: `rfmstream topics create` creates what is missing", topic));
}

}  // namespace

absl::Status partitions_changed(const KafkaOptions& options, int before, int now) {
  return absl::FailedPreconditionError(fmt::format(
      "the input {0} has {2} partitions, and the application {1} was started with {3}: which "
      "customer is where has changed, so its state does not fit any more. Leave the topics of {1} "
      "as they are and do not give them more partitions. Begin anew under another app.name, with "
      "output.transitions and output.segments of its own and an empty state directory: `rfmstream "
      "topics create`, then `rfmstream run`; it reads the input from its beginning",
      options.input_topic, options.application, now, before));
}

absl::Status same_partitions(const KafkaOptions& options, KafkaTopics& topics) {
  const KafkaTopicNames names = topic_names(options);
  const absl::StatusOr<std::optional<int>> input = topics.partition_count(names.input);
  if (!input.ok()) return input.status();
  if (!*input) return absl::OkStatus();
  for (const std::string& name : {names.changelog, names.ticks, names.contributions}) {
    const absl::StatusOr<std::optional<int>> count = topics.partition_count(name);
    if (!count.ok()) return count.status();
    if (*count && **count != **input) return partitions_changed(options, **count, **input);
  }
  return absl::OkStatus();
}

absl::StatusOr<int> find_topics(const KafkaOptions& options) {
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(options);
  if (!topics.ok()) return topics.status();
  int input_partitions = 0;
  for (const TopicSpec& spec : application_topics(options, TopicPlan())) {
    const absl::StatusOr<std::optional<int>> count = topics->partition_count(spec.name);
    if (!count.ok()) return count.status();
    if (!*count) return missing(spec.name);
    if (spec.name == options.input_topic) input_partitions = **count;
  }
  if (const absl::Status same = same_partitions(options, *topics); !same.ok()) return same;
  return input_partitions;
}

absl::StatusOr<int> check_topics(const KafkaOptions& options, std::int64_t record_bytes_max) {
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(options);
  if (!topics.ok()) return topics.status();
  if (const absl::Status same = same_partitions(options, *topics); !same.ok()) return same;
  const absl::StatusOr<TopicPlan> plan = topics->plan(record_bytes_max);
  if (!plan.ok()) return plan.status();
  const absl::StatusOr<std::vector<TopicReport>> reports =
      topics->check(application_topics(options, *plan));
  if (!reports.ok()) return reports.status();
  std::string refused;
  for (const TopicReport& report : *reports) {
    if (report.outcome == TopicOutcome::kMissing) return missing(report.name);
    for (const TopicDifference& difference : report.differences) {
      const std::string text = fmt::format("topic {}: {}", report.name, difference.text);
      if (difference.reaction == TopicReaction::kWarn) {
        spdlog::warn("{}{}", text, difference.mend.empty() ? "" : "\n  " + difference.mend);
        continue;
      }
      refused += text + "\n";
      if (!difference.mend.empty()) refused += "  " + difference.mend + "\n";
    }
  }
  if (refused.empty()) return plan->input_partitions;
  return absl::FailedPreconditionError(
      refused + "The service does not start with topics that would lose or spoil something.");
}

}  // namespace rfm
