// Goal: each error of a commit is answered as its kind asks for.
// Method: librdkafka's mock cluster gives the errors. It keeps no transactions, so nothing is said
// here about what becomes visible: the other tests of this folder ask a real broker.
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <array>
#include <memory>
#include <string>

#include "stream/kafka/kafka_producer.h"

namespace rfm {
namespace {

constexpr ProducerTopic kTopic{0};
constexpr std::array<InputPosition, 1> kPositions = {
    {{.partition = 0, .next_offset = 5, .commit_number = 1}}};

// Numbers of the Kafka protocol.
constexpr std::int16_t kProduce = 0;
constexpr std::int16_t kAddPartitionsToTxn = 24;
constexpr std::int16_t kEndTxn = 26;
constexpr std::int16_t kTxnOffsetCommit = 28;

struct ClusterDeleter {
  void operator()(rd_kafka_mock_cluster_t* cluster) const noexcept {
    rd_kafka_mock_cluster_destroy(cluster);
  }
};

class KafkaErrors : public testing::Test {
 protected:
  void SetUp() override {
    std::array<char, 256> text{};
    host_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, nullptr, text.data(), text.size()));
    ASSERT_NE(host_, nullptr) << text.data();
    cluster_.reset(rd_kafka_mock_cluster_new(host_.get(), 1));
    rd_kafka_mock_topic_create(cluster_.get(), "in", 1, 1);
    rd_kafka_mock_topic_create(cluster_.get(), "out", 1, 1);
    options_.brokers = rd_kafka_mock_cluster_bootstraps(cluster_.get());
    options_.request_timeout = std::chrono::seconds(2);
    membership_.metadata.reset(rd_kafka_consumer_group_metadata_new("group"));
    const std::array<std::string, 1> topics = {"out"};
    absl::StatusOr<std::unique_ptr<KafkaProducer>> producer =
        KafkaProducer::open(options_, "id", topics, nullptr, nullptr);
    ASSERT_TRUE(producer.ok()) << producer.status();
    producer_ = std::move(*producer);
  }

  void fail_next(std::int16_t api, rd_kafka_resp_err_t code) {
    rd_kafka_mock_push_request_errors(cluster_.get(), api, 1, code);
  }

  absl::Status commit_one_record() {
    if (absl::Status status = producer_->produce(kTopic, 0, "k", "v", {}); !status.ok())
      return status;
    return producer_->commit("in", kPositions, &membership_);
  }

  KafkaOptions options_;
  KafkaHandle host_;
  std::unique_ptr<rd_kafka_mock_cluster_t, ClusterDeleter> cluster_;
  GroupMembership membership_;
  std::unique_ptr<KafkaProducer> producer_;
};

TEST_F(KafkaErrors, WhatPassesByItselfIsRepeated) {
  fail_next(kEndTxn, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS);
  fail_next(kTxnOffsetCommit, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS);
  fail_next(kAddPartitionsToTxn, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS);
  const absl::Status status = commit_one_record();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(producer_->counters().commits, 1U);
}

TEST_F(KafkaErrors, AStaleMemberIsRolledBackAndTheProducerStaysUsable) {
  fail_next(kTxnOffsetCommit, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION);
  const absl::Status status = commit_one_record();
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
  EXPECT_EQ(producer_->counters().aborts, 1U);
  EXPECT_TRUE(commit_one_record().ok());
}

TEST_F(KafkaErrors, ARefusedRecordRollsBackAndSaysThatTryingAgainIsOfNoUse) {
  fail_next(kProduce, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  const absl::Status status = commit_one_record();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_TRUE(producer_->take_next_offsets(kTopic).empty());
  EXPECT_EQ(producer_->counters().aborts, 1U);
}

TEST_F(KafkaErrors, AFencedProducerSaysSoForGood) {
  fail_next(kEndTxn, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH);
  const absl::Status status = commit_one_record();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
  EXPECT_EQ(commit_one_record(), status);
  EXPECT_EQ(producer_->abort(), status);
  EXPECT_EQ(producer_->counters().commits, 0U);
}

// The broker's error is the same for both.
TEST_F(KafkaErrors, ATransactionOpenForLongerThanItsTimeoutIsNoRival) {
  producer_.reset();
  options_.transaction_timeout = std::chrono::seconds(1);
  const std::array<std::string, 1> topics = {"out"};
  absl::StatusOr<std::unique_ptr<KafkaProducer>> producer =
      KafkaProducer::open(options_, "id", topics, nullptr, nullptr);
  ASSERT_TRUE(producer.ok()) << producer.status();
  ASSERT_TRUE((*producer)->produce(kTopic, 0, "k", "v", {}).ok());
  const Deadline timeout(options_.transaction_timeout);
  while (!timeout.passed()) (*producer)->flush();
  fail_next(kEndTxn, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH);
  const absl::Status status = (*producer)->commit("in", kPositions, &membership_);
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_NE(status.message().find("kafka.transaction_timeout is 1.0 s"), std::string::npos)
      << status;
}

TEST_F(KafkaErrors, AStopCutsWhatWaitsForABrokerShort) {
  producer_.reset();
  options_.request_timeout = std::chrono::minutes(5);
  StopLimit stop;
  options_.stop = &stop;
  const std::array<std::string, 1> topics = {"out"};
  absl::StatusOr<std::unique_ptr<KafkaProducer>> producer =
      KafkaProducer::open(options_, "id", topics, nullptr, nullptr);
  ASSERT_TRUE(producer.ok()) << producer.status();
  ASSERT_TRUE((*producer)->produce(kTopic, 0, "k", "v", {}).ok());
  rd_kafka_mock_broker_set_down(cluster_.get(), 1);
  stop.ask(std::chrono::milliseconds(100));
  EXPECT_FALSE((*producer)->commit("in", kPositions, &membership_).ok());
}

TEST_F(KafkaErrors, ALostBrokerIsAnErrorInTime) {
  ASSERT_TRUE(commit_one_record().ok());
  rd_kafka_mock_broker_set_down(cluster_.get(), 1);
  const absl::Status status = commit_one_record();
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.code(), absl::StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace rfm
