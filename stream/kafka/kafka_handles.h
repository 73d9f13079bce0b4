// Ownership of librdkafka's objects and its errors as Status. rdkafka.h is included by the .cc
// files only.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/kafka/kafka_options.h"

struct rd_kafka_s;
struct rd_kafka_conf_s;
struct rd_kafka_topic_s;
struct rd_kafka_queue_s;
struct rd_kafka_message_s;
struct rd_kafka_headers_s;
struct rd_kafka_error_s;
struct rd_kafka_topic_partition_list_s;
struct rd_kafka_consumer_group_metadata_s;

namespace rfm {

struct KafkaDeleter {
  void operator()(
      rd_kafka_s* handle) const noexcept;  // Blocks until librdkafka's threads are gone.
  void operator()(rd_kafka_conf_s* conf) const noexcept;
  void operator()(rd_kafka_topic_s* topic) const noexcept;
  void operator()(rd_kafka_queue_s* queue) const noexcept;
  void operator()(rd_kafka_message_s* message) const noexcept;
  void operator()(rd_kafka_headers_s* headers) const noexcept;
  void operator()(rd_kafka_error_s* error) const noexcept;
  void operator()(rd_kafka_topic_partition_list_s* partitions) const noexcept;
  void operator()(rd_kafka_consumer_group_metadata_s* metadata) const noexcept;
};

using KafkaHandle = std::unique_ptr<rd_kafka_s, KafkaDeleter>;
using KafkaConf = std::unique_ptr<rd_kafka_conf_s, KafkaDeleter>;
using KafkaTopicHandle = std::unique_ptr<rd_kafka_topic_s, KafkaDeleter>;
using KafkaQueue = std::unique_ptr<rd_kafka_queue_s, KafkaDeleter>;
using KafkaMessage = std::unique_ptr<rd_kafka_message_s, KafkaDeleter>;
using KafkaHeaders = std::unique_ptr<rd_kafka_headers_s, KafkaDeleter>;
using KafkaError = std::unique_ptr<rd_kafka_error_s, KafkaDeleter>;
using KafkaPartitionList = std::unique_ptr<rd_kafka_topic_partition_list_s, KafkaDeleter>;
using KafkaGroupMetadata = std::unique_ptr<rd_kafka_consumer_group_metadata_s, KafkaDeleter>;

enum class KafkaRole { kConsumer, kProducer };

struct KafkaProperty {
  std::string name;
  std::string value;
};

// A configuration with the options' brokers, `properties`, the options' own properties over them,
// and librdkafka's log going to ours.
absl::StatusOr<KafkaConf> make_conf(const KafkaOptions& options,
                                    std::span<const KafkaProperty> properties);
absl::StatusOr<KafkaHandle> make_handle(KafkaRole role, KafkaConf conf);

// Adds the always empty partitions that keep a fetch in flight (stream/kafka/kafka_source.h), each
// with a queue of its own that nobody reads. Assign `partitions` right after.
void add_idle_partitions(rd_kafka_s& handle, rd_kafka_topic_partition_list_s& partitions,
                         const std::string& idle_topic, int count);

// `code` is an rd_kafka_resp_err_t. The Status' code says how to react: kPermissionDenied fenced,
// kAborted stale group membership, kDeadlineExceeded and kUnavailable try again or rebuild,
// kNotFound no such topic or partition, kOutOfRange no such offset, kInternal the rest. The message
// is "<what>: <librdkafka's text> (<its name>)".
absl::Status kafka_status(int code, std::string_view what);
absl::Status kafka_status(const rd_kafka_error_s& error, std::string_view what);

// A point of wall time by which a call must be done; librdkafka wants what is left in whole
// milliseconds.
class Deadline {
 public:
  explicit Deadline(std::chrono::milliseconds from_now)
      : at_(std::chrono::steady_clock::now() + from_now) {}
  bool passed() const { return std::chrono::steady_clock::now() >= at_; }
  int remaining_ms() const;                               // At least 1 (0 has other meanings).
  int remaining_ms(std::chrono::milliseconds max) const;  // The same, at most `max`.

 private:
  std::chrono::steady_clock::time_point at_;
};

}  // namespace rfm
