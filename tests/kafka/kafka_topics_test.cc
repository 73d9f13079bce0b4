#include "stream/kafka/kafka_topics.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/kafka/kafka_application.h"

namespace rfm {
namespace {

TEST(KafkaTopics, CreatesEachTopicOnce) {
  KafkaOptions options = new_application(1);
  options.application = options.application + "-more";
  options.input_topic = options.application + "-in";
  options.transitions_topic = options.application + "-out";
  options.segments_topic = options.application + "-segments";
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(options);
  ASSERT_TRUE(topics.ok()) << topics.status();
  const std::vector<TopicSpec> specs = application_topics(options, {.input_partitions = 3});
  for (const TopicOutcome expected : {TopicOutcome::kCreated, TopicOutcome::kAsExpected}) {
    absl::StatusOr<std::vector<TopicReport>> reports = topics->create(specs, 1);
    ASSERT_TRUE(reports.ok()) << reports.status();
    ASSERT_EQ(reports->size(), specs.size());
    for (const TopicReport& report : *reports) {
      if (report.name == topic_names(options).output_owners) continue;  // Other tests share it.
      EXPECT_EQ(report.outcome, expected) << report.name;
    }
  }
  const KafkaTopicNames names = topic_names(options);
  EXPECT_EQ(*topics->partition_count(names.changelog), 3);
  EXPECT_EQ(*topics->partition_count(names.model), 1);
  EXPECT_EQ(*topics->partition_count(names.idle), *topics->broker_count());
  EXPECT_EQ(*topics->partition_count("unknown"), std::nullopt);
}

TEST(KafkaTopics, ReportsWhatDiffersAndWhatIsMissing) {
  const KafkaOptions options = new_application(2);
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(options);
  ASSERT_TRUE(topics.ok()) << topics.status();
  const std::string changelog = topic_names(options).changelog;
  const std::vector<TopicSpec> specs = {
      {.name = changelog,
       .partitions = 5,
       .rules = {{"cleanup.policy", TopicRule::Kind::kIs, "delete", TopicReaction::kWarn, "so"},
                 {"max.message.bytes", TopicRule::Kind::kAtLeast, "10", TopicReaction::kRefuse,
                  "it is more"}}},
      {.name = "unknown", .partitions = 1}};
  absl::StatusOr<std::vector<TopicReport>> reports = topics->check(specs);
  ASSERT_TRUE(reports.ok()) << reports.status();
  EXPECT_EQ((*reports)[0].outcome, TopicOutcome::kDiffers);
  const std::string mend = "kafka-configs.sh --bootstrap-server " + options.brokers +
                           " --alter --entity-type topics --entity-name " + changelog +
                           " --add-config cleanup.policy=delete";
  EXPECT_EQ((*reports)[0].differences,
            (std::vector<TopicDifference>{
                {"has 2 partitions, expected 5", TopicReaction::kRefuse},
                {"cleanup.policy is compact, expected delete: so", TopicReaction::kWarn, mend}}));
  EXPECT_EQ((*reports)[1].outcome, TopicOutcome::kMissing);
}

TEST(TopicRules, AreKeptByWhatIsAtLeastOrAtMostAndByNoLimit) {
  const auto differs = [](TopicRule::Kind kind, const std::string& value, const char* actual) {
    const TopicSpec spec{.name = "t", .rules = {{"s", kind, value, TopicReaction::kWarn, "so"}}};
    std::map<std::string, std::string> settings;
    if (actual != nullptr) settings["s"] = actual;
    return !compare(spec, TopicDescription{1, settings}, "").differences.empty();
  };
  using Kind = TopicRule::Kind;
  EXPECT_FALSE(differs(Kind::kAtLeast, "10", "10"));
  EXPECT_FALSE(differs(Kind::kAtLeast, "10", "-1"));
  EXPECT_TRUE(differs(Kind::kAtLeast, "10", "9"));
  EXPECT_TRUE(differs(Kind::kAtLeast, "-1", "1000000"));
  EXPECT_FALSE(differs(Kind::kAtLeast, "-1", "-1"));
  EXPECT_FALSE(differs(Kind::kAtMost, "10", "10"));
  EXPECT_TRUE(differs(Kind::kAtMost, "10", "11"));
  EXPECT_TRUE(differs(Kind::kIs, "compact", "compact,delete"));
  EXPECT_TRUE(differs(Kind::kIs, "compact", nullptr));
}

TEST(TopicRules, SettingsThatMayNotBeReadAreWarnedOf) {
  for (const TopicSpec& spec : application_topics({}, {})) {
    const TopicReport report = compare(spec, TopicDescription{spec.partitions, {}}, "");
    ASSERT_EQ(report.differences.size(), spec.rules.empty() ? 0U : 1U) << spec.name;
    for (const TopicDifference& difference : report.differences)
      EXPECT_EQ(difference.reaction, TopicReaction::kWarn);
  }
}

TEST(KafkaTopics, RangesCountMarkers) {
  const KafkaOptions options = new_application(2);
  write_numbers(options, options.input_topic, 1, 0, 10);
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(options);
  ASSERT_TRUE(topics.ok()) << topics.status();
  absl::StatusOr<std::vector<OffsetRange>> ranges = topics->ranges(options.input_topic);
  ASSERT_TRUE(ranges.ok()) << ranges.status();
  ASSERT_EQ(ranges->size(), 2U);
  EXPECT_EQ((*ranges)[0].end, 0);
  EXPECT_EQ((*ranges)[1].begin, 0);
  EXPECT_EQ((*ranges)[1].end, 11);
  EXPECT_EQ(topics->ranges("unknown").status().code(), absl::StatusCode::kNotFound);
}

TEST(KafkaOptions, RefusesPropertiesThatDeliveryDependsOn) {
  KafkaOptions options;
  EXPECT_TRUE(validate(options).ok());
  options.properties = {{"security.protocol", "plaintext"}};
  EXPECT_TRUE(validate(options).ok());
  options.properties = {{"isolation.level", "read_uncommitted"}};
  EXPECT_EQ(validate(options).code(), absl::StatusCode::kInvalidArgument);
  options.properties = {{"no.such.property", "1"}};
  EXPECT_EQ(KafkaTopics::open(options).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(KafkaTopics, SayWhyNoBrokerAnswers) {
  KafkaOptions nowhere;
  nowhere.brokers = "127.0.0.1:1";
  absl::StatusOr<KafkaTopics> topics =
      KafkaTopics::open(nowhere.with_timeout(std::chrono::milliseconds{500}));
  ASSERT_TRUE(topics.ok()) << topics.status();
  EXPECT_FALSE(topics->broker_count().ok());
  EXPECT_EQ(topics->connection_failure(), "Connect to ipv4#127.0.0.1:1 failed: Connection refused");
}

}  // namespace
}  // namespace rfm
