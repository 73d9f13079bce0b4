#include "stream/kafka/kafka_queries.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"

namespace rfm {
namespace {

constexpr std::chrono::milliseconds kCallMax{2'000};  // One call; nothing can cut it short.
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
absl::Status repeat(const std::string& what, const Deadline& deadline, Call call) {
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

absl::StatusOr<Metadata> query_metadata(rd_kafka_s& handle, const Deadline& deadline) {
  const rd_kafka_metadata_t* metadata = nullptr;
  absl::Status status = repeat("metadata", deadline, [&](int timeout_ms) {
    return rd_kafka_metadata(&handle, 0, nullptr, &metadata, timeout_ms);
  });
  if (!status.ok()) return status;
  return Metadata(metadata);
}

// kUnavailable: not known at the moment.
absl::StatusOr<std::optional<int>> count_in(const rd_kafka_metadata_t& metadata,
                                            const std::string& topic) {
  const std::span found(metadata.topics, static_cast<std::size_t>(metadata.topic_cnt));
  const auto mine = std::ranges::find_if(found, [&](const auto& t) { return topic == t.topic; });
  if (mine == found.end()) return absl::UnavailableError(fmt::format("topic {}: no answer", topic));
  if (mine->err == RD_KAFKA_RESP_ERR_NO_ERROR) return mine->partition_cnt;
  if (mine->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return std::nullopt;
  return kafka_status(mine->err, fmt::format("topic {}", topic));
}

}  // namespace

absl::StatusOr<OffsetRange> query_range(rd_kafka_s& handle, const std::string& topic,
                                        PartitionId partition, const Deadline& deadline) {
  OffsetRange range;
  absl::Status status =
      repeat(fmt::format("offsets of {}/{}", topic, partition), deadline, [&](int timeout_ms) {
        return rd_kafka_query_watermark_offsets(&handle, topic.c_str(), partition, &range.begin,
                                                &range.end, timeout_ms);
      });
  if (!status.ok()) return status;
  return range;
}

absl::StatusOr<std::optional<Offset>> query_offset_at(rd_kafka_s& handle, const std::string& topic,
                                                      PartitionId partition, std::int64_t time_ms,
                                                      const Deadline& deadline) {
  const KafkaPartitionList asked(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_t& one =
      *rd_kafka_topic_partition_list_add(asked.get(), topic.c_str(), partition);
  const absl::Status status =
      repeat(fmt::format("times of {}/{}", topic, partition), deadline, [&](int timeout_ms) {
        one.offset = time_ms;
        const rd_kafka_resp_err_t code =
            rd_kafka_offsets_for_times(&handle, asked.get(), timeout_ms);
        return code == RD_KAFKA_RESP_ERR_NO_ERROR ? one.err : code;
      });
  if (!status.ok()) return status;
  if (one.offset < 0) return std::nullopt;
  return one.offset;
}

absl::StatusOr<std::vector<std::optional<int>>> query_partition_counts(
    rd_kafka_s& handle, std::span<const std::string> topics, const Deadline& deadline) {
  std::vector<KafkaTopicHandle> known;  // The request is for all topics that the handle knows.
  for (const std::string& topic : topics) {
    known.emplace_back(rd_kafka_topic_new(&handle, topic.c_str(), nullptr));
    if (known.back() == nullptr)
      return kafka_status(rd_kafka_last_error(), fmt::format("topic {}", topic));
  }
  while (true) {
    const absl::StatusOr<Metadata> metadata = query_metadata(handle, deadline);
    if (!metadata.ok()) return metadata.status();
    std::vector<std::optional<int>> counts;
    absl::Status status;
    for (const std::string& topic : topics) {
      const absl::StatusOr<std::optional<int>> count = count_in(**metadata, topic);
      if (count.ok()) {
        counts.push_back(*count);
      } else if (status.ok() || absl::IsUnavailable(status)) {
        status = count.status();
      }
    }
    if (status.ok()) return counts;
    if (!absl::IsUnavailable(status) || deadline.passed()) return status;
    std::this_thread::sleep_for(kPause);
  }
}

absl::StatusOr<std::optional<int>> query_partition_count(rd_kafka_s& handle,
                                                         const std::string& topic,
                                                         const Deadline& deadline) {
  const auto counts = query_partition_counts(handle, std::span(&topic, 1), deadline);
  if (!counts.ok()) return counts.status();
  return counts->front();
}

absl::StatusOr<int> query_broker_count(rd_kafka_s& handle, const Deadline& deadline) {
  absl::StatusOr<Metadata> metadata = query_metadata(handle, deadline);
  if (!metadata.ok()) return metadata.status();
  return (*metadata)->broker_cnt;
}

}  // namespace rfm
