// Goal: reading a topic to its end ends, also where the last offsets hold markers or aborted
// records.
#include "stream/kafka/kafka_reader.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "stream/kafka/kafka_producer.h"
#include "tests/kafka/kafka_application.h"

namespace rfm {
namespace {

constexpr PartitionId kPartition = 0;

struct Reading {
  absl::StatusOr<Offset> next;
  std::vector<std::string> values;
};

Reading read_from(KafkaReader& reader, const std::string& topic, Offset from) {
  Reading reading;
  reading.next = reader.read_to_end(topic, kPartition, from, [&reading](const RecordView& record) {
    reading.values.emplace_back(record.value.value_or("null"));
    return absl::OkStatus();
  });
  return reading;
}

std::unique_ptr<KafkaReader> open_reader(const KafkaOptions& options) {
  absl::StatusOr<std::unique_ptr<KafkaReader>> reader = KafkaReader::open(options);
  EXPECT_TRUE(reader.ok()) << reader.status();
  return std::move(*reader);
}

TEST(KafkaReader, ReadsPastAnAbortedTailAndGoesOnFromThere) {
  const KafkaOptions options = new_application(1);
  const std::string topic = topic_names(options).changelog;
  write_numbers(options, topic, kPartition, 0, 2'500);
  write_aborted(options, topic, kPartition, 1'500);
  const std::unique_ptr<KafkaReader> reader = open_reader(options);

  const Reading all = read_from(*reader, topic, kFromBeginning);
  ASSERT_TRUE(all.next.ok()) << all.next.status();
  EXPECT_EQ(all.values, numbers(0, 2'500));
  EXPECT_EQ(*all.next, 2'500 + 1 + 1'500 + 1);  // Two markers.

  const Reading none = read_from(*reader, topic, *all.next);
  ASSERT_TRUE(none.next.ok()) << none.next.status();
  EXPECT_TRUE(none.values.empty());
  EXPECT_EQ(*none.next, *all.next);

  write_numbers(options, topic, kPartition, 2'500, 10);
  const Reading more = read_from(*reader, topic, *all.next);
  ASSERT_TRUE(more.next.ok()) << more.next.status();
  EXPECT_EQ(more.values, numbers(2'500, 10));
}

TEST(KafkaReader, AnOpenTransactionIsReadOnceItIsCommitted) {
  const KafkaOptions options = new_application(1);
  const std::string topic = topic_names(options).contributions;
  write_numbers(options, topic, kPartition, 0, 10);
  const std::array<std::string, 1> topics = {topic};
  absl::StatusOr<std::unique_ptr<KafkaProducer>> open =
      KafkaProducer::open(options, "open", topics, nullptr, nullptr);
  ASSERT_TRUE(open.ok()) << open.status();
  ASSERT_TRUE((*open)->produce(ProducerTopic{0}, kPartition, "k", "pending", {}).ok());
  (*open)->flush();

  EXPECT_EQ(values(read_partition(options, topic, kPartition)), numbers(0, 10));
  ASSERT_TRUE((*open)->commit("", {}, nullptr).ok());
  std::vector<std::string> with_pending = numbers(0, 10);
  with_pending.emplace_back("pending");
  EXPECT_EQ(values(read_committed(options, topic)), with_pending);
}

TEST(KafkaReader, ReadsAnEmptyPartition) {
  const KafkaOptions options = new_application(1);
  const std::unique_ptr<KafkaReader> reader = open_reader(options);
  const Reading reading = read_from(*reader, topic_names(options).model, kFromBeginning);
  ASSERT_TRUE(reading.next.ok()) << reading.next.status();
  EXPECT_EQ(*reading.next, 0);
  EXPECT_TRUE(reading.values.empty());
}

TEST(KafkaReader, RefusesAnOffsetOutsideOfTheLog) {
  const KafkaOptions options = new_application(1);
  const std::unique_ptr<KafkaReader> reader = open_reader(options);
  EXPECT_EQ(read_from(*reader, topic_names(options).model, 1).next.status().code(),
            absl::StatusCode::kOutOfRange);
}

TEST(KafkaReader, ReturnsTheCallersError) {
  const KafkaOptions options = new_application(1);
  const std::string topic = topic_names(options).changelog;
  write_numbers(options, topic, kPartition, 0, 10);
  const std::unique_ptr<KafkaReader> reader = open_reader(options);
  int count = 0;
  const auto stop = [&count](const RecordView&) {
    return ++count == 3 ? absl::DataLossError("a torn row") : absl::OkStatus();
  };
  EXPECT_EQ(reader->read_to_end(topic, kPartition, kFromBeginning, stop).status().code(),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(count, 3);
  EXPECT_EQ(read_from(*reader, topic, kFromBeginning).values, numbers(0, 10));
}

TEST(KafkaReader, AnUnreachableBrokerIsAnErrorInTime) {
  KafkaOptions options;
  options.brokers = "127.0.0.1:1";
  options.request_timeout = std::chrono::milliseconds(300);
  EXPECT_FALSE(KafkaReader::open(options).ok());
}

}  // namespace
}  // namespace rfm
