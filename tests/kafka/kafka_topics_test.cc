#include "stream/kafka/kafka_topics.h"

#include <gtest/gtest.h>

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
  const std::vector<TopicSpec> specs = {{.name = topic_names(options).changelog,
                                         .partitions = 5,
                                         .settings = {{"cleanup.policy", "delete"}}},
                                        {.name = "unknown", .partitions = 1, .settings = {}}};
  absl::StatusOr<std::vector<TopicReport>> reports = topics->check(specs);
  ASSERT_TRUE(reports.ok()) << reports.status();
  EXPECT_EQ((*reports)[0].outcome, TopicOutcome::kDiffers);
  EXPECT_EQ((*reports)[0].differences,
            (std::vector<std::string>{"has 2 partitions, expected 5",
                                      "cleanup.policy is compact, expected delete"}));
  EXPECT_EQ((*reports)[1].outcome, TopicOutcome::kMissing);
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

}  // namespace
}  // namespace rfm
