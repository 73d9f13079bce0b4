#include "tests/kafka/kafka_application.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <span>
#include <stdexcept>

#include "absl/status/status.h"
#include "stream/kafka/kafka_producer.h"
#include "stream/kafka/open_transactions.h"
#include "stream/text/time_text.h"
#include "tests/fake/kafka_broker.h"

namespace rfm {
namespace {

constexpr ProducerTopic kTopic{0};

void check(const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

std::unique_ptr<KafkaProducer> loader(const KafkaOptions& options, const std::string& topic) {
  const std::array<std::string, 1> topics = {topic};
  absl::StatusOr<std::unique_ptr<KafkaProducer>> producer =
      KafkaProducer::open(options, options.application + "-loader", topics, nullptr, nullptr);
  check(producer.status());
  return std::move(*producer);
}

// Until the markers are there a reader does not see what was committed.
void settle(const KafkaOptions& options, const std::string& topic, PartitionId partition) {
  const std::array<TopicPartition, 1> place = {{{topic, partition}}};
  check(wait_until_settled(options, place));
}

}  // namespace

KafkaOptions new_application(int input_partitions) {
  static std::atomic<int> count{0};
  KafkaOptions options;
  options.brokers = shared_kafka_broker().endpoint();
  options.application = "test" + std::to_string(++count);
  options.instance = "a";
  options.input_topic = options.application + "-input";
  options.transitions_topic = options.application + "-transitions";
  options.segments_topic = options.application + "-segments";
  options.session_timeout = std::chrono::seconds(2);
  options.transaction_timeout = std::chrono::seconds(2);
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(options);
  check(topics.status());
  TopicPlan plan;
  plan.input_partitions = input_partitions;
  plan.output_partitions = 1;
  check(topics->create(application_topics(options, plan), std::nullopt).status());
  return options;
}

void write_numbers(const KafkaOptions& options, const std::string& topic, PartitionId partition,
                   int first, int count) {
  const std::unique_ptr<KafkaProducer> producer = loader(options, topic);
  for (const std::string& number : numbers(first, count)) {
    check(producer->produce(kTopic, partition, number, number, {}));
  }
  check(producer->commit("", {}, nullptr));
  settle(options, topic, partition);
}

void write_aborted(const KafkaOptions& options, const std::string& topic, PartitionId partition,
                   int count) {
  const std::unique_ptr<KafkaProducer> producer = loader(options, topic);
  for (int i = 0; i < count; ++i)
    check(producer->produce(kTopic, partition, "aborted", "aborted", {}));
  producer->flush();
  check(producer->abort());
  settle(options, topic, partition);
}

std::vector<KeyValue> read_partition(const KafkaOptions& options, const std::string& topic,
                                     PartitionId partition) {
  std::vector<KeyValue> result;
  absl::StatusOr<std::unique_ptr<KafkaReader>> reader = KafkaReader::open(options);
  check(reader.status());
  check((*reader)
            ->read_to_end(topic, partition, kFromBeginning,
                          [&result](const RecordView& record) {
                            KeyValue& entry =
                                result.emplace_back(record.key.value_or(""), std::nullopt);
                            if (record.value) entry.second.emplace(*record.value);
                            return absl::OkStatus();
                          })
            .status());
  return result;
}

std::vector<KeyValue> read_committed(const KafkaOptions& options, const std::string& topic) {
  settle(options, topic, 0);
  return read_partition(options, topic, 0);
}

std::vector<std::string> values(const std::vector<KeyValue>& records) {
  std::vector<std::string> result;
  for (const KeyValue& record : records) result.push_back(record.second.value_or("null"));
  return result;
}

std::vector<std::string> numbers(int first, int count) {
  std::vector<std::string> result;
  for (int i = first; i < first + count; ++i) result.push_back(std::to_string(i));
  return result;
}

absl::StatusOr<std::vector<std::pair<PartitionId, Offset>>> resumed(
    const KafkaOptions& options, const std::vector<PartitionId>& partitions) {
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(options);
  if (!topics.ok()) return topics.status();
  absl::StatusOr<std::vector<CommittedPosition>> committed = topics->committed(partitions);
  if (!committed.ok()) return committed.status();
  std::vector<std::pair<PartitionId, Offset>> starts;
  for (const CommittedPosition& position : *committed)
    starts.emplace_back(position.partition, position.next_offset.value_or(0));
  return starts;
}

void write_invoice(const KafkaOptions& options, const std::string& customer, EventTime at) {
  const std::unique_ptr<KafkaProducer> producer = loader(options, options.input_topic);
  const std::string value =
      fmt::format(R"({{"type":"invoice","invoice_no":"{}","customer_id":"{}","invoice_time":"{}",)"
                  R"("currency":"GBP","total":25}})",
                  customer, customer, to_rfc3339(at));
  check(producer->produce(kTopic, 0, customer, value, {}));
  check(producer->commit("", {}, nullptr));
}

ServiceOptions service_options(const KafkaOptions& kafka, const std::string& directory) {
  ServiceOptions options;
  options.state_directory = directory;
  options.lane.application = kafka.application;
  options.lane.input_topic = kafka.input_topic;
  options.decoder.format = InputFormat::kInvoices;
  options.kafka = {kafka};
  return options;
}

void serve_until(const std::vector<KafkaSource*>& sources, const std::function<bool()>& done) {
  const Deadline deadline(std::chrono::seconds(30));
  while (!done()) {
    for (KafkaSource* const source : sources) {
      check(source->service());
      source->wait(std::chrono::milliseconds(5));
    }
    if (deadline.passed()) throw std::runtime_error("nothing happened for too long");
  }
}

}  // namespace rfm
