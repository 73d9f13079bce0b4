#include "stream/kafka/kafka_queries.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"

namespace rfm {
namespace {

constexpr std::chrono::milliseconds kCallMax{5'000};
constexpr std::chrono::milliseconds kPause{
    5};  // Between two tries; librdkafka has none of its own here.

struct MetadataDeleter {
  void operator()(const rd_kafka_metadata_t* metadata) const noexcept {
    rd_kafka_metadata_destroy(metadata);
  }
};
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, MetadataDeleter>;

// Repeats `call`, which gives an rd_kafka_resp_err_t, while its error passes by itself.
template <typename Call>
absl::Status repeat(const std::string& what, std::chrono::milliseconds limit, Call call) {
  const Deadline deadline(limit);
  while (true) {
    const rd_kafka_resp_err_t code = call(deadline.remaining_ms(kCallMax));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return absl::OkStatus();
    absl::Status status = kafka_status(code, what);
    const bool passes = status.code() == absl::StatusCode::kUnavailable ||
                        status.code() == absl::StatusCode::kDeadlineExceeded;
    if (!passes || deadline.passed()) return status;
    std::this_thread::sleep_for(kPause);
  }
}

absl::StatusOr<Metadata> query_metadata(rd_kafka_s& handle, rd_kafka_topic_s* topic,
                                        std::chrono::milliseconds limit) {
  const rd_kafka_metadata_t* metadata = nullptr;
  absl::Status status = repeat("metadata", limit, [&](int timeout_ms) {
    return rd_kafka_metadata(&handle, 0, topic, &metadata, timeout_ms);
  });
  if (!status.ok()) return status;
  return Metadata(metadata);
}

absl::StatusOr<KafkaHandle> open_query_handle(const KafkaOptions& options, const char* isolation) {
  const std::array<KafkaProperty, 2> properties = {
      {{"group.id", options.application + "-reader"}, {"isolation.level", isolation}}};
  absl::StatusOr<KafkaConf> conf = make_conf(options, properties);
  if (!conf.ok()) return conf.status();
  return make_handle(KafkaRole::kConsumer, std::move(*conf));
}

}  // namespace

absl::StatusOr<OffsetRange> query_range(rd_kafka_s& handle, const std::string& topic,
                                        PartitionId partition, std::chrono::milliseconds limit) {
  OffsetRange range;
  absl::Status status =
      repeat(fmt::format("offsets of {}/{}", topic, partition), limit, [&](int timeout_ms) {
        return rd_kafka_query_watermark_offsets(&handle, topic.c_str(), partition, &range.begin,
                                                &range.end, timeout_ms);
      });
  if (!status.ok()) return status;
  return range;
}

absl::StatusOr<std::optional<int>> query_partition_count(rd_kafka_s& handle,
                                                         const std::string& topic,
                                                         std::chrono::milliseconds limit) {
  const KafkaTopicHandle topic_handle(rd_kafka_topic_new(&handle, topic.c_str(), nullptr));
  if (topic_handle == nullptr)
    return kafka_status(rd_kafka_last_error(), fmt::format("topic {}", topic));
  const Deadline deadline(limit);
  while (true) {
    absl::StatusOr<Metadata> metadata = query_metadata(
        handle, topic_handle.get(), std::chrono::milliseconds(deadline.remaining_ms()));
    if (!metadata.ok()) return metadata.status();
    const rd_kafka_metadata_topic_t& found = (*metadata)->topics[0];
    if (found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return std::nullopt;
    if (found.err == RD_KAFKA_RESP_ERR_NO_ERROR) return found.partition_cnt;
    absl::Status status = kafka_status(found.err, fmt::format("topic {}", topic));
    if (status.code() != absl::StatusCode::kUnavailable || deadline.passed()) return status;
    std::this_thread::sleep_for(kPause);
  }
}

absl::Status wait_until_settled(const KafkaOptions& options, const std::string& topic,
                                std::span<const PartitionId> partitions,
                                std::chrono::milliseconds limit) {
  absl::StatusOr<KafkaHandle> committed = open_query_handle(options, "read_committed");
  if (!committed.ok()) return committed.status();
  absl::StatusOr<KafkaHandle> all = open_query_handle(options, "read_uncommitted");
  if (!all.ok()) return all.status();
  const Deadline deadline(limit);
  for (const PartitionId partition : partitions) {
    while (true) {
      // In this order: a transaction that begins in between makes the second end higher, never
      // lower.
      absl::StatusOr<OffsetRange> stable = query_range(**committed, topic, partition, limit);
      if (!stable.ok()) return stable.status();
      absl::StatusOr<OffsetRange> written = query_range(**all, topic, partition, limit);
      if (!written.ok()) return written.status();
      if (stable->end == written->end) break;
      if (deadline.passed()) {
        return absl::DeadlineExceededError(
            fmt::format("a transaction on {}/{} stays open: [{}, {})", topic, partition,
                        stable->end, written->end));
      }
      std::this_thread::sleep_for(kPause);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<int> query_broker_count(rd_kafka_s& handle, std::chrono::milliseconds limit) {
  absl::StatusOr<Metadata> metadata = query_metadata(handle, nullptr, limit);
  if (!metadata.ok()) return metadata.status();
  return (*metadata)->broker_cnt;
}

}  // namespace rfm
