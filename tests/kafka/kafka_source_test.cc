// Goal: each record of a partition is read once, in order, from where the listener says, and the
// end is known.
#include "stream/kafka/kafka_source.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stream/kafka/kafka_producer.h"
#include "tests/kafka/kafka_application.h"

namespace rfm {
namespace {

constexpr std::size_t kRecordsMax = 100;

// Starts every partition at one offset, or refuses them.
class StartingAt final : public RebalanceListener {
 public:
  explicit StartingAt(absl::StatusOr<Offset> start) : start_(std::move(start)) {}

  absl::StatusOr<std::vector<std::pair<PartitionId, Offset>>> on_assigned(
      const std::vector<PartitionId>& partitions) override {
    if (!start_.ok()) return start_.status();
    std::vector<std::pair<PartitionId, Offset>> starts;
    for (const PartitionId partition : partitions) starts.emplace_back(partition, *start_);
    return starts;
  }
  void on_revoked(const std::vector<PartitionId>& partitions, Revocation how) override {
    revoked.emplace_back(partitions, how);
  }

  std::vector<std::pair<std::vector<PartitionId>, Revocation>> revoked;

 private:
  absl::StatusOr<Offset> start_;
};

std::unique_ptr<KafkaSource> join(const KafkaOptions& options, RebalanceListener& listener) {
  absl::StatusOr<std::unique_ptr<KafkaSource>> source = KafkaSource::join(options, listener);
  EXPECT_TRUE(source.ok()) << source.status();
  return std::move(*source);
}

// Reads all partitions of the sources until each is at its end, `partition_count` in all.
std::map<PartitionId, std::vector<std::string>> read_all(std::vector<KafkaSource*> sources,
                                                         std::size_t partition_count) {
  std::map<PartitionId, std::vector<std::string>> result;
  serve_until(sources, [&] {
    std::size_t at_end = 0;
    for (KafkaSource* const source : sources) {
      for (const PartitionId partition : source->partitions()) {
        absl::StatusOr<std::span<const RecordView>> records = source->read(partition, kRecordsMax);
        EXPECT_TRUE(records.ok()) << records.status();
        if (!records.ok()) return true;
        for (const RecordView& record : *records)
          result[partition].emplace_back(record.value.value_or("null"));
        if (source->at_end(partition)) ++at_end;
      }
    }
    return at_end == partition_count;
  });
  return result;
}

TEST(KafkaSource, ReadsToTheEndPastMarkersAndAbortedRecords) {
  const KafkaOptions options = new_application(1);
  write_numbers(options, options.input_topic, 0, 0, 250);
  write_aborted(options, options.input_topic, 0, 30);
  write_numbers(options, options.input_topic, 0, 250, 250);
  write_aborted(options, options.input_topic, 0, 30);

  StartingAt begin(0);
  const std::unique_ptr<KafkaSource> source = join(options, begin);
  EXPECT_EQ(read_all({source.get()}, 1)[0], numbers(0, 500));
  EXPECT_EQ(source->records_behind(0), 0);

  write_numbers(options, options.input_topic, 0, 500, 10);
  serve_until({source.get()}, [&] {
    absl::StatusOr<std::span<const RecordView>> records = source->read(0, kRecordsMax);
    return records.ok() && !records->empty();
  });
}

// What it holds up is there to be applied, though nothing more can be read for now.
TEST(KafkaSource, AnOpenTransactionIsBehindUntilItEnds) {
  KafkaOptions options = new_application(1);
  options.transaction_timeout = std::chrono::minutes(1);  // The broker's limit for it.
  write_numbers(options, options.input_topic, 0, 0, 10);
  const std::array<std::string, 1> topics = {options.input_topic};
  absl::StatusOr<std::unique_ptr<KafkaProducer>> open =
      KafkaProducer::open(options, options.application + "-open", topics, nullptr, nullptr);
  ASSERT_TRUE(open.ok()) << open.status();
  for (const std::string& number : numbers(10, 5))
    ASSERT_TRUE((*open)->produce(ProducerTopic{0}, 0, number, number, {}).ok());
  (*open)->flush();

  StartingAt begin(0);
  const std::unique_ptr<KafkaSource> source = join(options, begin);
  EXPECT_EQ(read_all({source.get()}, 1)[0], numbers(0, 10));
  EXPECT_EQ(source->records_behind(0), 5);
  EXPECT_TRUE(source->at_end(0));

  ASSERT_TRUE((*open)->abort().ok());
  serve_until({source.get()}, [&] {
    const auto records = source->read(0, kRecordsMax);
    EXPECT_TRUE(records.ok() && records->empty());
    return source->records_behind(0) == 0;
  });
  EXPECT_EQ(source->next_offset(0), 10 + 1 + 5 + 1) << "with the marker of each transaction";
}

TEST(KafkaSource, StartsWhereTheListenerSays) {
  const KafkaOptions options = new_application(1);
  write_numbers(options, options.input_topic, 0, 0, 100);
  StartingAt sixty(60);
  const std::unique_ptr<KafkaSource> source = join(options, sixty);
  EXPECT_EQ(read_all({source.get()}, 1)[0], numbers(60, 40));
}

TEST(KafkaSource, AListenersErrorIsReported) {
  const KafkaOptions options = new_application(1);
  StartingAt refused(absl::DataLossError("no state"));
  const std::unique_ptr<KafkaSource> source = join(options, refused);
  absl::Status status;
  const Deadline deadline(std::chrono::seconds(30));
  while (status.ok() && !deadline.passed()) {
    status = source->service();
    source->wait(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(source->membership().metadata, nullptr);
}

TEST(KafkaSource, AWaitEndsWhenItIsWoken) {
  const KafkaOptions options = new_application(1);
  StartingAt start(0);
  const std::unique_ptr<KafkaSource> source = join(options, start);
  const Deadline deadline(std::chrono::seconds(30));
  while (source->partitions().empty() || !source->at_end(0)) {
    ASSERT_FALSE(deadline.passed());
    ASSERT_TRUE(source->service().ok());
    if (!source->partitions().empty()) {
      ASSERT_TRUE(source->read(0, 10).ok());
    }
    source->wait(std::chrono::milliseconds(10));
  }
  source->wake();
  source->wait(std::chrono::hours(24));  // Nothing else is to come.
}

TEST(KafkaSource, AStartBeyondTheLogIsAnErrorAndNeverARereading) {
  const KafkaOptions options = new_application(1);
  write_numbers(options, options.input_topic, 0, 0, 10);
  StartingAt beyond(1'000);
  const std::unique_ptr<KafkaSource> source = join(options, beyond);
  absl::Status status;
  serve_until({source.get()}, [&] {
    if (!source->partitions().empty()) status = source->read(0, kRecordsMax).status();
    return !status.ok();
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange) << status;
}

TEST(KafkaSource, TwoLanesShareEightPartitions) {
  const KafkaOptions options = new_application(8);
  std::map<PartitionId, std::vector<std::string>> expected;
  for (PartitionId partition = 0; partition < 8; ++partition) {
    write_numbers(options, options.input_topic, partition, partition * 1'000, 300);
    expected[partition] = numbers(partition * 1'000, 300);
  }
  KafkaOptions second_options = options;
  second_options.lane = 1;
  StartingAt first_lane(0);
  StartingAt second_lane(0);
  const std::vector<std::pair<std::vector<PartitionId>, Revocation>>& revoked = first_lane.revoked;
  const std::unique_ptr<KafkaSource> first = join(options, first_lane);
  serve_until({first.get()}, [&] { return first->partitions().size() == 8; });
  const std::unique_ptr<KafkaSource> second = join(second_options, second_lane);
  serve_until({first.get(), second.get()},
              [&] { return first->partitions().size() == 4 && second->partitions().size() == 4; });
  ASSERT_EQ(revoked.size(), 1U);
  EXPECT_EQ(revoked[0].first.size(), 8U);
  EXPECT_EQ(revoked[0].second, Revocation::kOrderly);
  EXPECT_NE(first->membership().metadata, nullptr);
  EXPECT_EQ(read_all({first.get(), second.get()}, 8), expected);

  ASSERT_TRUE(first->close().ok());
  EXPECT_EQ(revoked.size(), 2U);
  EXPECT_TRUE(first->partitions().empty());
  EXPECT_EQ(first->membership().metadata, nullptr);
}

TEST(KafkaSource, ARestartedLaneGetsItsPartitionsBackBeforeItsSessionEnds) {
  KafkaOptions options = new_application(2);
  options.session_timeout = std::chrono::seconds(30);
  write_numbers(options, options.input_topic, 0, 0, 10);
  write_numbers(options, options.input_topic, 1, 10, 10);
  StartingAt begin(0);
  std::unique_ptr<KafkaSource> source = join(options, begin);
  serve_until({source.get()}, [&] { return source->partitions().size() == 2; });
  source.reset();
  options.request_timeout = std::chrono::seconds(5);
  source = join(options, begin);
  const Deadline deadline(std::chrono::seconds(10));
  serve_until({source.get()}, [&] { return source->partitions().size() == 2; });
  EXPECT_FALSE(deadline.passed());
}

TEST(KafkaSource, OverReadsExactlyItsRanges) {
  const KafkaOptions options = new_application(2);
  write_numbers(options, options.input_topic, 0, 0, 100);
  write_numbers(options, options.input_topic, 1, 100, 100);
  const std::array<PartitionRange, 2> ranges = {
      {{.partition = 0, .range = {.begin = 10, .end = 20}},
       {.partition = 1, .range = {.begin = 0, .end = 101}}}};
  absl::StatusOr<std::unique_ptr<KafkaSource>> source = KafkaSource::over(options, ranges);
  ASSERT_TRUE(source.ok()) << source.status();
  const std::map<PartitionId, std::vector<std::string>> expected = {{0, numbers(10, 10)},
                                                                    {1, numbers(100, 100)}};
  EXPECT_EQ(read_all({source->get()}, 2), expected);
  EXPECT_EQ((*source)->next_offset(0), 20) << "what is behind the range is another reader's";
  EXPECT_EQ((*source)->next_offset(1), 101);
}

TEST(KafkaSource, RefusesToRunWithoutTheTopicsItNeeds) {
  KafkaOptions options = new_application(1);
  options.application = "unknown";  // Its idle topic does not exist; the input does.
  StartingAt begin(0);
  EXPECT_EQ(KafkaSource::join(options, begin).status().code(), absl::StatusCode::kNotFound);
  options.input_topic = "unknown";
  EXPECT_EQ(KafkaSource::join(options, begin).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace rfm
