// Goal: a commit makes records and positions visible together, and nothing else ever becomes
// visible.
#include "stream/kafka/kafka_sink.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include <array>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "stream/kafka/kafka_source.h"
#include "stream/kafka/trainer_producer.h"
#include "tests/kafka/kafka_application.h"

namespace rfm {
namespace {

std::unique_ptr<KafkaSink> open_sink(const KafkaOptions& options, const GroupMembership* membership,
                                     CommitObserver* observer) {
  absl::StatusOr<std::unique_ptr<KafkaSink>> sink =
      KafkaSink::open(options, membership, observer, nullptr);
  EXPECT_TRUE(sink.ok()) << sink.status();
  return std::move(*sink);
}

// Goes on where the group does.
class Resuming final : public RebalanceListener {
 public:
  explicit Resuming(const KafkaOptions& options) : options_(options) {}

  absl::StatusOr<std::vector<std::pair<PartitionId, Offset>>> on_assigned(
      const std::vector<PartitionId>& partitions) override {
    return resumed(options_, partitions);
  }
  void on_revoked(const std::vector<PartitionId>& /*all*/, Revocation /*how*/) override {}

 private:
  const KafkaOptions options_;
};

std::unique_ptr<KafkaSource> join(const KafkaOptions& options, Resuming& listener) {
  absl::StatusOr<std::unique_ptr<KafkaSource>> source = KafkaSource::join(options, listener);
  EXPECT_TRUE(source.ok()) << source.status();
  serve_until({source->get()}, [&] { return !(*source)->partitions().empty(); });
  return std::move(*source);
}

absl::Status append(KafkaSink& sink, OutputTopic topic, const std::string& key,
                    const std::string& value) {
  return sink.append(
      topic, topic == OutputTopic::kChangelog ? std::optional<PartitionId>(0) : std::nullopt, key,
      value, {});
}

std::vector<CommittedPosition> committed(const KafkaOptions& options,
                                         std::vector<PartitionId> partitions) {
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(options);
  EXPECT_TRUE(topics.ok()) << topics.status();
  absl::StatusOr<std::vector<CommittedPosition>> positions = topics->committed(partitions);
  EXPECT_TRUE(positions.ok()) << positions.status();
  return *positions;
}

// What the group has stored beside its offset in a partition of the input.
std::string committed_metadata(const KafkaOptions& options, PartitionId partition) {
  const std::array<KafkaProperty, 1> group = {{{"group.id", options.application}}};
  absl::StatusOr<KafkaConf> conf = make_conf(options, group);
  EXPECT_TRUE(conf.ok()) << conf.status();
  absl::StatusOr<KafkaHandle> handle = make_handle(KafkaRole::kConsumer, std::move(*conf));
  EXPECT_TRUE(handle.ok()) << handle.status();
  const KafkaPartitionList list(rd_kafka_topic_partition_list_new(1));
  const rd_kafka_topic_partition_t* const entry =
      rd_kafka_topic_partition_list_add(list.get(), options.input_topic.c_str(), partition);
  EXPECT_EQ(rd_kafka_committed(handle->get(), list.get(),
                               static_cast<int>(options.request_timeout.count())),
            RD_KAFKA_RESP_ERR_NO_ERROR);
  if (entry->metadata == nullptr) return "";
  return {static_cast<const char*>(entry->metadata), entry->metadata_size};
}

CommitRequest at(Offset next_offset, std::uint64_t commit_number) {
  return {
      .positions = {{.partition = 0, .next_offset = next_offset, .commit_number = commit_number}}};
}

TEST(KafkaSink, CommitsRecordsAndPositionsTogether) {
  const KafkaOptions options = new_application(1);
  Resuming resuming(options);
  const std::unique_ptr<KafkaSource> source = join(options, resuming);
  const std::unique_ptr<KafkaSink> sink = open_sink(options, &source->membership(), nullptr);

  ASSERT_TRUE(append(*sink, OutputTopic::kTransitions, "c1", "{}").ok());
  EXPECT_TRUE(read_partition(options, options.transitions_topic, 0).empty());
  EXPECT_FALSE(committed(options, {0})[0].next_offset.has_value());

  ASSERT_TRUE(sink->commit(at(7, 42)).ok());
  EXPECT_EQ(read_committed(options, options.transitions_topic),
            (std::vector<KeyValue>{{"c1", "{}"}}));
  EXPECT_EQ(committed(options, {0})[0].next_offset, 7);
  EXPECT_EQ(committed_metadata(options, 0), "commit=42");
}

TEST(KafkaSink, CommitsPositionsWithoutRecords) {
  const KafkaOptions options = new_application(1);
  Resuming resuming(options);
  const std::unique_ptr<KafkaSource> source = join(options, resuming);
  const std::unique_ptr<KafkaSink> sink = open_sink(options, &source->membership(), nullptr);
  ASSERT_TRUE(sink->commit(at(3, 1)).ok());
  EXPECT_EQ(committed(options, {0})[0].next_offset, 3);
}

TEST(KafkaSink, KeepsKeysValuesHeadersAndTombstones) {
  const KafkaOptions options = new_application(1);
  const std::unique_ptr<KafkaSink> sink = open_sink(options, nullptr, nullptr);
  const std::array<Header, 2> headers = {
      {{.name = "reason", .value = "malformed"}, {.name = "", .value = ""}}};
  const std::string bytes("\0\xff", 2);
  ASSERT_TRUE(
      sink->append(OutputTopic::kDeadLetters, std::nullopt, std::nullopt, bytes, headers).ok());
  ASSERT_TRUE(sink->append(OutputTopic::kDeadLetters, std::nullopt, "c1", std::nullopt, {}).ok());
  ASSERT_TRUE(sink->append(OutputTopic::kDeadLetters, std::nullopt, "c1", "", {}).ok());
  ASSERT_TRUE(sink->commit({}).ok());

  absl::StatusOr<std::unique_ptr<KafkaReader>> reader = KafkaReader::open(options);
  ASSERT_TRUE(reader.ok()) << reader.status();
  int count = 0;
  const auto check = [&](const RecordView& record) {
    switch (count++) {
      case 0: {
        EXPECT_FALSE(record.key.has_value());
        EXPECT_EQ(record.value, bytes);
        const std::vector<RecordHeader> read = record.headers.read();
        EXPECT_EQ(read.size(), 2U);
        EXPECT_EQ(read.at(0).name, "reason");
        EXPECT_EQ(read.at(0).value, "malformed");
        EXPECT_EQ(read.at(1).value, "");
        break;
      }
      case 1:
        EXPECT_EQ(record.key, "c1");
        EXPECT_FALSE(record.value.has_value());
        EXPECT_TRUE(record.headers.read().empty());
        break;
      default:
        EXPECT_EQ(record.value, "");
    }
    return absl::OkStatus();
  };
  ASSERT_TRUE(
      (*reader)->read_to_end(topic_names(options).dead_letters, 0, kFromBeginning, check).ok());
  EXPECT_EQ(count, 3);
}

// A dead letter is as large as its record, which librdkafka would refuse by default.
TEST(KafkaSink, TakesARecordAsLargeAsTheInputTopicAllows) {
  const KafkaOptions options = new_application(1);
  const std::unique_ptr<KafkaSink> sink = open_sink(options, nullptr, nullptr);
  const std::string large(TopicPlan{}.input_message_bytes_max, 'x');
  ASSERT_TRUE(append(*sink, OutputTopic::kDeadLetters, "c1", large).ok());
  ASSERT_TRUE(sink->commit({}).ok());
  EXPECT_EQ(read_committed(options, topic_names(options).dead_letters),
            (std::vector<KeyValue>{{"c1", large}}));
}

TEST(KafkaSink, ARecordThatIsTooLargeNamesTopicSizesAndTheWayOn) {
  const KafkaOptions options = new_application(1);
  const std::unique_ptr<KafkaSink> sink = open_sink(options, nullptr, nullptr);
  std::string value(1'200'000, ' ');
  std::minstd_rand random(1);  // So that it does not compress.
  for (char& c : value) c = static_cast<char>(random());
  ASSERT_TRUE(append(*sink, OutputTopic::kTransitions, "customer", value).ok());
  const absl::Status status = sink->commit({}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  for (const std::string& part :
       {std::string("1200008 bytes"), options.transitions_topic, std::string("(key customer)"),
        std::string("max.message.bytes is 1048588"), std::string("--alter")}) {
    EXPECT_NE(status.message().find(part), std::string::npos) << part << "\n" << status;
  }
}

TEST(KafkaSink, AnAbandonedTransactionStaysInvisibleAndTheSinkUsable) {
  const KafkaOptions options = new_application(1);
  const std::unique_ptr<KafkaSink> sink = open_sink(options, nullptr, nullptr);
  ASSERT_TRUE(append(*sink, OutputTopic::kTransitions, "c1", "lost").ok());
  sink->abandon();
  ASSERT_TRUE(append(*sink, OutputTopic::kTransitions, "c1", "kept").ok());
  ASSERT_TRUE(sink->commit({}).ok());
  EXPECT_EQ(values(read_committed(options, options.transitions_topic)),
            std::vector<std::string>{"kept"});
}

TEST(KafkaSink, AReceiptNamesTheChangelogOffsets) {
  const KafkaOptions options = new_application(3);
  const std::unique_ptr<KafkaSink> sink = open_sink(options, nullptr, nullptr);
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(sink->append(OutputTopic::kChangelog, 2, "k", "v", {}).ok());
  ASSERT_TRUE(sink->append(OutputTopic::kChangelog, 0, "k", "v", {}).ok());
  absl::StatusOr<CommitReceipt> receipt = sink->commit({});
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(receipt->changelog_next, (std::vector<std::pair<PartitionId, Offset>>{{0, 1}, {2, 5}}));

  ASSERT_TRUE(sink->append(OutputTopic::kChangelog, 2, "k", "v", {}).ok());
  receipt = sink->commit({});
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  // Offset 5 holds the first transaction's marker.
  EXPECT_EQ(receipt->changelog_next, (std::vector<std::pair<PartitionId, Offset>>{{2, 7}}));
}

TEST(KafkaSink, ASuccessorOfTheSameNameSettlesTheLeftoverAndFencesItsPredecessor) {
  const KafkaOptions options = new_application(1);
  Resuming resuming(options);
  const std::unique_ptr<KafkaSource> source = join(options, resuming);
  const std::unique_ptr<KafkaSink> before = open_sink(options, &source->membership(), nullptr);
  ASSERT_TRUE(append(*before, OutputTopic::kTransitions, "c1", "leftover").ok());

  const std::unique_ptr<KafkaSink> after = open_sink(options, &source->membership(), nullptr);
  ASSERT_TRUE(append(*after, OutputTopic::kTransitions, "c1", "first").ok());
  ASSERT_TRUE(after->commit(at(1, 1)).ok());

  const absl::Status refused = before->commit(at(9, 9)).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied) << refused;
  EXPECT_FALSE(append(*before, OutputTopic::kTransitions, "c1", "again").ok());
  EXPECT_EQ(values(read_committed(options, options.transitions_topic)),
            std::vector<std::string>{"first"});
  EXPECT_EQ(committed(options, {0})[0].next_offset, 1);
}

TEST(KafkaSink, RefusesPositionsOfAMemberThatWasReplaced) {
  const KafkaOptions options = new_application(1);
  Resuming stale_lane(options);
  const std::unique_ptr<KafkaSource> stale = join(options, stale_lane);
  KafkaOptions other = options;
  other.lane = 1;  // Another transactional id: only the group can refuse.
  const std::unique_ptr<KafkaSink> sink = open_sink(other, &stale->membership(), nullptr);
  Resuming current_lane(options);
  const std::unique_ptr<KafkaSource> current = join(options, current_lane);

  ASSERT_TRUE(append(*sink, OutputTopic::kTransitions, "c1", "stale").ok());
  const absl::Status refused = sink->commit(at(5, 5)).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kAborted) << refused;
  EXPECT_TRUE(read_committed(options, options.transitions_topic).empty());
  EXPECT_FALSE(committed(options, {0})[0].next_offset.has_value());
}

TEST(KafkaSink, RefusesPositionsWithoutMembership) {
  const KafkaOptions options = new_application(1);
  const GroupMembership nobody;
  const std::unique_ptr<KafkaSink> sink = open_sink(options, &nobody, nullptr);
  ASSERT_TRUE(append(*sink, OutputTopic::kTransitions, "c1", "homeless").ok());
  EXPECT_EQ(sink->commit(at(5, 5)).status().code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(read_committed(options, options.transitions_topic).empty());
}

TEST(KafkaSink, TheChangelogIsCompleteUpToTheCommittedPositions) {
  const KafkaOptions options = new_application(1);
  Resuming resuming(options);
  const std::unique_ptr<KafkaSource> source = join(options, resuming);
  const std::unique_ptr<KafkaSink> sink = open_sink(options, &source->membership(), nullptr);
  absl::StatusOr<std::unique_ptr<KafkaReader>> reader = KafkaReader::open(options);
  ASSERT_TRUE(reader.ok()) << reader.status();
  Offset read_to = kFromBeginning;
  int seen = 0;
  for (int i = 1; i <= 15; ++i) {
    ASSERT_TRUE(append(*sink, OutputTopic::kChangelog, "k", "v").ok());
    ASSERT_TRUE(sink->commit(at(i, 1)).ok());
    EXPECT_EQ(committed(options, {0})[0].next_offset, i);
    const absl::StatusOr<Offset> next = (*reader)->read_to_end(topic_names(options).changelog, 0,
                                                               read_to, [&seen](const RecordView&) {
                                                                 ++seen;
                                                                 return absl::OkStatus();
                                                               });
    ASSERT_TRUE(next.ok()) << next.status();
    read_to = *next;
    EXPECT_EQ(seen, i);
  }
}

class RecordingObserver final : public CommitObserver {
 public:
  void on_step(CommitStep step) override { steps.push_back(step); }
  std::vector<CommitStep> steps;
};

TEST(KafkaSink, TellsTheStepsOfACommitInOrder) {
  const KafkaOptions options = new_application(1);
  Resuming resuming(options);
  const std::unique_ptr<KafkaSource> source = join(options, resuming);
  RecordingObserver observer;
  const std::unique_ptr<KafkaSink> sink = open_sink(options, &source->membership(), &observer);
  ASSERT_TRUE(append(*sink, OutputTopic::kTransitions, "c1", "{}").ok());
  ASSERT_TRUE(sink->commit(at(1, 1)).ok());
  EXPECT_EQ(observer.steps,
            (std::vector<CommitStep>{CommitStep::kProduced, CommitStep::kOffsetsSent,
                                     CommitStep::kCommitSent, CommitStep::kCommitAcknowledged}));
}

TEST(TrainerProducer, ASecondTrainerFencesTheFirst) {
  const KafkaOptions options = new_application(1);
  absl::StatusOr<std::unique_ptr<TrainerProducer>> first = TrainerProducer::open(options);
  ASSERT_TRUE(first.ok()) << first.status();
  const std::array<ModelLogRecord, 2> records = {
      {{.key = "rules/1", .value = "{\"a\":1}"}, {.key = "version/7", .value = "{}"}}};
  ASSERT_TRUE((*first)->publish(records).ok());
  absl::StatusOr<std::unique_ptr<TrainerProducer>> second = TrainerProducer::open(options);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ((*first)->publish(records).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(read_committed(options, topic_names(options).model),
            (std::vector<KeyValue>{{"rules/1", "{\"a\":1}"}, {"version/7", "{}"}}));
}

}  // namespace
}  // namespace rfm
