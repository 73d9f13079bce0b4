#include "stream/kafka/topic_rules.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>
#include <string_view>
#include <utility>

namespace rfm {
namespace {

using Kind = TopicRule::Kind;
constexpr auto kRefuse = TopicReaction::kRefuse;
constexpr auto kWarn = TopicReaction::kWarn;

// Topics limit batches as they are compressed by their producers: what came in small may go out
// many times as large. Below the size of a request that brokers take.
constexpr std::int64_t kDeadLetterBytesMax = 100'000'000;
constexpr std::int64_t kHeaderBytesMax = 64 << 10;  // And what a batch adds to its record.
// A full batch of librdkafka fits; so does the largest row, chunk of a contribution or version.
constexpr std::int64_t kWrittenBytesMin = 1'048'588;
constexpr const char* kWeek = "604800000";

std::optional<std::int64_t> integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_kept(const TopicRule& rule, std::string_view actual) {
  if (rule.kind == Kind::kIs) return actual == rule.value;
  constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();
  const auto number = [](std::string_view text) {
    const std::optional<std::int64_t> value = integer(text);
    return value == -1 ? kUnlimited : value.value_or(0);
  };
  return rule.kind == Kind::kAtLeast ? number(actual) >= number(rule.value)
                                     : number(actual) <= number(rule.value);
}

std::string_view words_of(const TopicRule& rule) {
  if (rule.kind == Kind::kIs || rule.value == "-1") return "";
  return rule.kind == Kind::kAtLeast ? "at least " : "at most ";
}

TopicRule policy(std::string value, TopicReaction reaction, std::string why) {
  return {"cleanup.policy", Kind::kIs, std::move(value), reaction, std::move(why)};
}

TopicRule at_least(std::string setting, std::int64_t value, TopicReaction reaction,
                   std::string why) {
  return {std::move(setting), Kind::kAtLeast, fmt::format("{}", value), reaction, std::move(why)};
}

TopicRule holds_what_is_written() {
  return at_least("max.message.bytes", kWrittenBytesMin, kRefuse,
                  "else the broker refuses large records, and the service stops");
}

TopicRule timed_by_broker(TopicReaction reaction, std::string why) {
  return {"message.timestamp.type", Kind::kIs, "LogAppendTime", reaction, std::move(why)};
}

// What holds a customer's data until it is compacted.
TopicRule compacted_in_time() {
  return {"max.compaction.lag.ms", Kind::kAtMost, kWeek, kWarn,
          "else nothing says by when an erased customer is gone from the broker's disks"};
}

using Setting = std::pair<const char*, const char*>;
constexpr Setting kCompacted{"cleanup.policy", "compact"};
constexpr Setting kCompactedInTime{"max.compaction.lag.ms", kWeek};
constexpr Setting kDeleted{"cleanup.policy", "delete"};
constexpr Setting kForEver{"retention.ms", "-1"};
constexpr Setting kMonth{"retention.ms", "2592000000"};  // 30 days.
constexpr Setting kAnySize{"retention.bytes", "-1"};
constexpr Setting kAppendTime{"message.timestamp.type", "LogAppendTime"};

TopicSpec input_topic(const std::string& name, const TopicPlan& plan) {
  constexpr const char* kRepeats = "a replay repeats only what is kept";
  return {.name = name,
          .partitions = plan.input_partitions,
          .rules = {policy("delete", kRefuse, "compaction removes invoices"),
                    timed_by_broker(kWarn,
                                    "event times from the future are told by the producers' word"),
                    {"max.message.bytes", Kind::kAtMost,
                     fmt::format("{}", plan.record_bytes_max + kHeaderBytesMax), kWarn,
                     "records above input.record_max become dead letters"},
                    at_least("retention.ms", -1, kWarn, kRepeats),
                    at_least("retention.bytes", -1, kWarn, kRepeats)},
          .settings = {kDeleted, kForEver, kAnySize, kAppendTime}};
}

TopicSpec tick_topic(const std::string& name, const TopicPlan& plan) {
  constexpr const char* kAsLong = "`replay --recorded` needs them as long as the input is kept";
  return {.name = name,
          .partitions = plan.input_partitions,
          .rules = {policy("delete", kRefuse, "a compacted topic takes no record without a key"),
                    timed_by_broker(kRefuse, "the broker's time is what bounds ticks"),
                    at_least("retention.ms", plan.input_retention_ms, kWarn, kAsLong),
                    at_least("retention.bytes", plan.input_retention_bytes, kWarn, kAsLong)},
          .settings = {kDeleted, kForEver, kAnySize, kAppendTime}};
}

}  // namespace

std::vector<TopicSpec> application_topics(const KafkaOptions& options, const TopicPlan& plan) {
  const KafkaTopicNames names = topic_names(options);
  const int as_input = plan.input_partitions;
  return {
      input_topic(names.input, plan),
      {.name = names.transitions,
       .partitions = plan.output_partitions,
       .partitions_reaction = std::nullopt,
       .rules = {policy("delete", kWarn, "compaction removes all but a customer's last"),
                 holds_what_is_written()},
       .settings = {kDeleted, kMonth}},
      {.name = names.segments,
       .partitions = plan.output_partitions,
       .partitions_reaction = std::nullopt,
       .rules = {policy("compact", kWarn, "else segments that do not change age out"),
                 compacted_in_time(), holds_what_is_written()},
       .settings = {kCompacted, kCompactedInTime}},
      {.name = names.dead_letters,
       .partitions = plan.output_partitions,
       .partitions_reaction = std::nullopt,
       .rules = {policy("delete", kRefuse, "a compacted topic takes no record without a key"),
                 at_least("max.message.bytes", plan.input_message_bytes_max + kHeaderBytesMax,
                          kRefuse, "a dead letter is as large as its record, with headers")},
       .settings = {kDeleted,
                    kMonth,
                    {"max.message.bytes", fmt::format("{}", kDeadLetterBytesMax)}}},
      {.name = names.receipts,
       .partitions = plan.output_partitions,
       .partitions_reaction = std::nullopt,
       .rules = {policy("delete", kWarn, "compaction removes all but a customer's last"),
                 at_least("retention.ms", -1, kWarn, "a receipt is there to be shown later"),
                 holds_what_is_written()},
       .settings = {kDeleted, kForEver, kAnySize}},
      {.name = names.changelog,
       .partitions = as_input,
       .rules = {policy("compact", kRefuse, "else state is lost"),
                 {"delete.retention.ms", Kind::kAtLeast, kWeek, kRefuse,
                  "an instance that was down for longer restores everything anew"},
                 compacted_in_time(),
                 holds_what_is_written()},
       .settings = {kCompacted, {"delete.retention.ms", kWeek}, kCompactedInTime}},
      {.name = names.contributions,
       .partitions = as_input,
       .rules = {policy("compact", kRefuse, "else what the trainer goes on with is lost"),
                 holds_what_is_written()},
       .settings = {kCompacted}},
      tick_topic(names.ticks, plan),
      {.name = names.model,
       .partitions = 1,
       .rules = {policy("compact", kRefuse, "else rules and versions are lost"),
                 holds_what_is_written()},
       .settings = {kCompacted}},
      {.name = names.requests,
       .partitions = 1,
       .rules = {policy("compact", kWarn, "else a request that waits ages out"),
                 holds_what_is_written()},
       .settings = {kCompacted}},
      {.name = names.idle,
       .partitions = plan.broker_count,
       .partitions_reaction = kWarn,  // Only speed depends on it.
       .settings = {kDeleted}},
      {.name = names.output_owners,
       .partitions = 1,
       .rules = {policy("compact", kRefuse, "else it is forgotten whose the outputs are")},
       .settings = {kCompacted}},
  };
}

std::optional<std::string> TopicDescription::setting(const std::string& setting_name) const {
  if (!settings) return std::nullopt;
  const auto found = settings->find(setting_name);
  return found == settings->end() ? std::nullopt : std::optional(found->second);
}

TopicReport compare(const TopicSpec& spec, const std::optional<TopicDescription>& found,
                    const std::string& brokers) {
  TopicReport report{.name = spec.name, .outcome = TopicOutcome::kMissing, .differences = {}};
  if (!found) return report;
  if (spec.partitions_reaction && found->partitions != spec.partitions) {
    report.differences.push_back(
        {.text = fmt::format("has {} partitions, expected {}", found->partitions, spec.partitions),
         .reaction = *spec.partitions_reaction});
  }
  if (!found->settings && !spec.rules.empty()) {
    report.differences.push_back(
        {.text = "its settings are not checked: the broker does not let them be read",
         .reaction = kWarn});
  }
  for (const TopicRule& rule : spec.rules) {
    if (!found->settings) break;
    const std::string actual = found->setting(rule.setting).value_or("not set");
    if (is_kept(rule, actual)) continue;
    report.differences.push_back(
        {.text = fmt::format("{} is {}, expected {}{}: {}", rule.setting, actual, words_of(rule),
                             rule.value, rule.why),
         .reaction = rule.reaction,
         .mend = fmt::format("kafka-configs.sh --bootstrap-server {} --alter --entity-type topics "
                             "--entity-name {} --add-config {}={}",
                             brokers, spec.name, rule.setting, rule.value)});
  }
  report.outcome = report.differences.empty() ? TopicOutcome::kAsExpected : TopicOutcome::kDiffers;
  return report;
}

}  // namespace rfm
