// What the Kafka tests share: an application of its own for each test on the process's broker, and
// short ways to write and read its topics. Failures of set-up end the test.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stream/kafka/kafka_options.h"
#include "stream/kafka/kafka_reader.h"
#include "stream/kafka/kafka_source.h"
#include "stream/kafka/kafka_topics.h"
#include "stream/record/record.h"
#include "stream/run/service.h"

namespace rfm {

using KeyValue = std::pair<std::string, std::optional<std::string>>;

// Options with a new application name, and its topics, which exist.
KafkaOptions new_application(int input_partitions);

// `count` records "<first>", "<first + 1>", ... in one committed transaction.
void write_numbers(const KafkaOptions& options, const std::string& topic, PartitionId partition,
                   int first, int count);

// The same, rolled back: the offsets are used up, the records are not there.
void write_aborted(const KafkaOptions& options, const std::string& topic, PartitionId partition,
                   int count);

// Everything a reader sees from the beginning to the end.
std::vector<KeyValue> read_partition(const KafkaOptions& options, const std::string& topic,
                                     PartitionId partition);
// The same of partition 0, when no transaction is in doubt any more.
std::vector<KeyValue> read_committed(const KafkaOptions& options, const std::string& topic);
std::vector<std::string> values(const std::vector<KeyValue>& records);
std::vector<std::string> numbers(int first, int count);

// Where the group goes on: from what it has committed, else from the beginning.
absl::StatusOr<std::vector<std::pair<PartitionId, Offset>>> resumed(
    const KafkaOptions& options, const std::vector<PartitionId>& partitions);

// One invoice of 25 pounds on partition 0 of the input.
void write_invoice(const KafkaOptions& options, const std::string& customer, EventTime at);
// Of a service with one lane that reads invoices.
ServiceOptions service_options(const KafkaOptions& kafka, const std::string& directory);

// Serves the sources until `done`, or fails the test after half a minute.
void serve_until(const std::vector<KafkaSource*>& sources, const std::function<bool()>& done);

}  // namespace rfm
