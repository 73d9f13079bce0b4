// Goal: whatever a lane loses, each input record leaves exactly one output record, in order.
// Method: a lane that copies its input; at seeded moments everything it holds is dropped without a
// word, or its transaction is given up, or a successor starts while it still lives; then it starts
// again from the last commit.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "stream/kafka/kafka_sink.h"
#include "stream/kafka/kafka_source.h"
#include "tests/kafka/kafka_application.h"

namespace rfm {
namespace {

constexpr PartitionId kPartitionCount = 2;
constexpr int kRecordsPerPartition = 2'000;
constexpr std::size_t kBatchMax = 40;

// Source and sink of one life of the lane.
class CopyingLane final : public RebalanceListener {
 public:
  explicit CopyingLane(const KafkaOptions& options) : options_(options) {
    source_ = std::move(*KafkaSource::join(options, *this));
    sink_ = std::move(*KafkaSink::open(options, &source_->membership(), nullptr, nullptr));
  }

  absl::StatusOr<std::vector<std::pair<PartitionId, Offset>>> on_assigned(
      const std::vector<PartitionId>& partitions) override {
    absl::StatusOr<std::vector<std::pair<PartitionId, Offset>>> starts =
        resumed(options_, partitions);
    next_.clear();
    if (starts.ok()) next_.insert(starts->begin(), starts->end());
    return starts;
  }
  void on_revoked(const std::vector<PartitionId>& /*all*/, Revocation how) override {
    if (how == Revocation::kOrderly) {
      EXPECT_TRUE(commit().ok());
    } else {
      sink_->abandon();
    }
  }

  KafkaSource& source() { return *source_; }
  KafkaSink& sink() { return *sink_; }

  // Copies one batch of each partition. Returns the records copied.
  absl::StatusOr<std::size_t> copy() {
    std::size_t count = 0;
    for (const PartitionId partition : source_->partitions()) {
      absl::StatusOr<std::span<const RecordView>> records = source_->read(partition, kBatchMax);
      if (!records.ok()) return records.status();
      for (const RecordView& record : *records) {
        absl::Status status =
            sink_->append(OutputTopic::kTransitions, 0, record.key, record.value, {});
        if (!status.ok()) return status;
        next_[partition] = record.offset + 1;
        ++count;
      }
    }
    return count;
  }

  absl::Status commit() {
    CommitRequest request;
    for (const auto& [partition, next] : next_) {
      request.positions.push_back(
          {.partition = partition, .next_offset = next, .commit_number = ++commit_number_});
    }
    return sink_->commit(request).status();
  }

  bool at_end() const {
    std::size_t count = 0;
    for (const PartitionId partition : source_->partitions())
      count += source_->at_end(partition) ? 1U : 0U;
    return count == static_cast<std::size_t>(kPartitionCount);
  }

 private:
  const KafkaOptions options_;
  std::map<PartitionId, Offset> next_;
  std::uint64_t commit_number_ = 0;
  std::unique_ptr<KafkaSource> source_;
  std::unique_ptr<KafkaSink> sink_;
};

TEST(ExactlyOnce, HoldsOverAnyNumberOfLives) {
  const KafkaOptions options = new_application(kPartitionCount);
  std::map<PartitionId, std::vector<std::string>> expected;
  for (PartitionId partition = 0; partition < kPartitionCount; ++partition) {
    const int first = partition * kRecordsPerPartition;
    write_numbers(options, options.input_topic, partition, first, kRecordsPerPartition);
    expected[partition] = numbers(first, kRecordsPerPartition);
  }
  std::mt19937_64 rng(7);
  int lives = 1;
  auto lane = std::make_unique<CopyingLane>(options);
  std::unique_ptr<CopyingLane> predecessor;
  const Deadline deadline(std::chrono::seconds(90));
  while (!lane->at_end()) {
    ASSERT_FALSE(deadline.passed());
    ASSERT_TRUE(lane->source().service().ok());
    absl::StatusOr<std::size_t> copied = lane->copy();
    ASSERT_TRUE(copied.ok()) << copied.status();
    if (*copied == 0) {
      lane->source().wait(std::chrono::milliseconds(10));
      continue;
    }
    const std::uint64_t choice = rng() % 12;
    if (choice < 9) {
      ASSERT_TRUE(lane->commit().ok());
    } else if (choice == 9) {
      lane.reset();
      lane = std::make_unique<CopyingLane>(options);
      ++lives;
    } else if (choice == 10) {
      lane->sink().abandon();
      lane.reset();
      lane = std::make_unique<CopyingLane>(options);
      ++lives;
    } else {
      predecessor = std::move(lane);
      lane = std::make_unique<CopyingLane>(options);
      EXPECT_FALSE(predecessor->commit().ok());
      predecessor.reset();
      ++lives;
    }
  }
  ASSERT_TRUE(lane->commit().ok());
  EXPECT_GT(lives, 5);
  std::map<PartitionId, std::vector<std::string>> actual;
  for (const std::string& value : values(read_committed(options, options.transitions_topic))) {
    actual[std::stoi(value) / kRecordsPerPartition].push_back(value);
  }
  EXPECT_EQ(actual, expected);
}

}  // namespace
}  // namespace rfm
