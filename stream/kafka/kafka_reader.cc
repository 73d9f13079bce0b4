#include "stream/kafka/kafka_reader.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "stream/kafka/kafka_record.h"

namespace rfm {
namespace {

constexpr std::size_t kBatchMax = 1'000;
constexpr std::chrono::milliseconds kPollMax{100};

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaReader>> KafkaReader::open(const KafkaOptions& options) {
  const std::array<KafkaProperty, 7> properties = {{
      {"group.id", options.application + "-reader"},  // librdkafka wants one; it is never joined.
      {"isolation.level", "read_committed"},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"auto.offset.reset", "error"},
      {"enable.partition.eof", "true"},
      {"fetch.wait.max.ms", "10"},
  }};
  absl::StatusOr<KafkaConf> conf = make_conf(options, properties);
  if (!conf.ok()) return conf.status();
  absl::StatusOr<KafkaHandle> handle = make_handle(KafkaRole::kConsumer, std::move(*conf));
  if (!handle.ok()) return handle.status();
  rd_kafka_poll_set_consumer(handle->get());
  absl::StatusOr<std::optional<int>> idle =
      query_partition_count(**handle, topic_names(options).idle, request_deadline(options));
  if (!idle.ok()) return idle.status();
  return std::unique_ptr<KafkaReader>(
      new KafkaReader(options, KafkaConsumer(std::move(*handle)), idle->value_or(0)));
}

KafkaReader::KafkaReader(KafkaOptions options, KafkaConsumer consumer, int idle_partitions)
    : options_(std::move(options)),
      consumer_(std::move(consumer)),
      idle_partitions_(idle_partitions) {}

absl::StatusOr<OffsetRange> KafkaReader::range(const std::string& topic, PartitionId partition) {
  return query_range(*consumer_, topic, partition, request_deadline(options_));
}

absl::StatusOr<std::optional<Offset>> KafkaReader::offset_at(const std::string& topic,
                                                             PartitionId partition,
                                                             std::int64_t time_ms) {
  return query_offset_at(*consumer_, topic, partition, time_ms, request_deadline(options_));
}

absl::StatusOr<Offset> KafkaReader::read_to_end(
    const std::string& topic, PartitionId partition, Offset from,
    absl::FunctionRef<absl::Status(const RecordView&)> on_record) {
  absl::StatusOr<OffsetRange> there = range(topic, partition);
  if (!there.ok()) return there.status();
  const Offset begin = from == kFromBeginning ? there->begin : from;
  if (begin < there->begin || begin > there->end) {
    return absl::OutOfRangeError(
        fmt::format("offset {} of {}/{} is not in the log [{}, {}): it was deleted or the topic "
                    "was created anew",
                    begin, topic, partition, there->begin, there->end));
  }
  return read_range(topic, partition, {.begin = begin, .end = there->end}, on_record);
}

absl::StatusOr<Offset> KafkaReader::read_range(
    const std::string& topic, PartitionId partition, OffsetRange range,
    absl::FunctionRef<absl::Status(const RecordView&)> on_record) {
  if (range.begin >= range.end) return range.begin;
  // A topic that is assigned beside others has no leader until librdkafka's scan of topics, once a
  // second, asks for it; what was asked for before it knows.
  if (!known_topics_.contains(topic)) {
    const auto known = query_partition_count(*consumer_, topic, request_deadline(options_));
    if (!known.ok()) return known.status();
    known_topics_.insert(topic);
  }
  const KafkaPartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = range.begin;
  rd_kafka_queue_t& queue = consumer_.own_queue(topic, partition);
  consumer_.add_idle_partitions(*list, topic_names(options_).idle, idle_partitions_);
  if (const rd_kafka_resp_err_t code = rd_kafka_assign(consumer_.get(), list.get());
      code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return kafka_status(code, fmt::format("reading {}/{}", topic, partition));
  }
  absl::StatusOr<Offset> position = drain(queue, range, on_record);
  rd_kafka_assign(consumer_.get(), nullptr);
  if (!position.ok() && position.status().code() == absl::StatusCode::kDeadlineExceeded) {
    return absl::DeadlineExceededError(fmt::format("reading {}/{}: nothing came for {} ms", topic,
                                                   partition, options_.request_timeout.count()));
  }
  return position;
}

absl::StatusOr<Offset> KafkaReader::drain(
    rd_kafka_queue_s& queue, OffsetRange range,
    absl::FunctionRef<absl::Status(const RecordView&)> on_record) {
  std::array<rd_kafka_message_t*, kBatchMax> batch{};
  RecordView view;
  Offset next = range.begin;
  Deadline deadline(options_.request_timeout);
  while (next < range.end) {
    if (options_.stop != nullptr && options_.stop->asked())
      return absl::CancelledError("stopped while reading a topic to its end");
    // Callbacks and errors that belong to no partition. The records are on the partition's own
    // queue.
    if (const KafkaMessage event(rd_kafka_consumer_poll(consumer_.get(), 0)); event != nullptr) {
      if (event->err != RD_KAFKA_RESP_ERR_NO_ERROR &&
          rd_kafka_fatal_error(consumer_.get(), nullptr, 0) != 0) {
        return kafka_status(event->err, "reading");
      }
    }
    // It waits until as many are there: no more than there can be.
    const auto wanted = std::min(static_cast<std::size_t>(range.end - next), batch.size());
    const ssize_t count = rd_kafka_consume_batch_queue(&queue, static_cast<int>(kPollMax.count()),
                                                       batch.data(), wanted);
    if (count > 0) deadline = Deadline(options_.request_timeout);
    absl::Status status;
    for (ssize_t i = 0; i < count; ++i) {
      const KafkaMessage message(batch[static_cast<std::size_t>(i)]);
      if (!status.ok() || next >= range.end) continue;  // Only frees it.
      if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        next = std::max(next, message->offset);
      } else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        status = kafka_status(message->err, rd_kafka_message_errstr(message.get()));
      } else if (message->offset >= range.end) {
        next = range.end;
      } else {
        next = message->offset + 1;
        show(*message, view);
        status = on_record(view);
      }
    }
    if (!status.ok()) return status;
    if (count <= 0 && deadline.passed()) return absl::DeadlineExceededError("");
  }
  return next;
}

}  // namespace rfm
