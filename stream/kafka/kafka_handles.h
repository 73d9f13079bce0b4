// Ownership of librdkafka's objects and its errors as Status. rdkafka.h is included by the .cc
// files only.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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

// What the group's assign callback took: proof of membership and generation, sent with the offsets.
// Null while nothing is assigned. Owned by the source, whose address is stable.
struct GroupMembership {
  KafkaGroupMetadata metadata;
};

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

// A consumer whose partitions have queues of their own.
//
// Such a queue keeps what nobody reads, at least the marks of pauses and stops, and each of these
// keeps its partition. While the topic is there librdkafka empties the queue when it lets go of the
// partition; if the topic has been deleted it does not, and rd_kafka_destroy waits for ever (2.0,
// mended in 2.6.1). So the queues live as long as the consumer and are emptied after its close.
class KafkaConsumer {
 public:
  explicit KafkaConsumer(KafkaHandle handle) : handle_(std::move(handle)) {}
  KafkaConsumer(KafkaConsumer&&) = default;
  KafkaConsumer& operator=(KafkaConsumer&&) = delete;
  ~KafkaConsumer();  // Closes. Give back its records first.

  rd_kafka_s* get() const { return handle_.get(); }
  rd_kafka_s& operator*() const { return *handle_; }

  // The partition's own queue; valid as long as the consumer. Call it before each assignment of the
  // partition: it is another one once the topic was made anew.
  rd_kafka_queue_s& own_queue(const std::string& topic, int partition);

  // Adds the always empty partitions that keep a fetch in flight (stream/kafka/kafka_source.h),
  // each with a queue of its own that nobody reads. Assign `partitions` right after.
  void add_idle_partitions(rd_kafka_topic_partition_list_s& partitions,
                           const std::string& idle_topic, int count);

 private:
  KafkaHandle handle_;
  std::vector<KafkaQueue> queues_;  // One a partition and assignment.
};

// `code` is an rd_kafka_resp_err_t. The Status' code says how to react: kPermissionDenied fenced,
// kAborted stale group membership, kDeadlineExceeded and kUnavailable try again or rebuild,
// kNotFound no such topic or partition, kOutOfRange no such offset, kInternal the rest. The message
// is "<what>: <librdkafka's text> (<its name>)".
absl::Status kafka_status(int code, std::string_view what);
absl::Status kafka_status(const rd_kafka_error_s& error, std::string_view what);

// What becomes of a wait when the process is to stop.
enum class OnStop : std::uint8_t {
  kAfterGrace,  // It may end what is begun: a commit, a close.
  kAtOnce,      // There is nothing to end.
};

// A point of wall time by which a call must be done, or by which the process must stop;
// librdkafka wants what is left in whole milliseconds.
class Deadline {
 public:
  explicit Deadline(std::chrono::milliseconds from_now, const StopLimit* stop = nullptr,
                    OnStop on_stop = OnStop::kAfterGrace)
      : at_(std::chrono::steady_clock::now() + from_now), stop_(stop), on_stop_(on_stop) {}
  bool passed() const { return std::chrono::steady_clock::now() >= at(); }
  int remaining_ms() const;                               // At least 1 (0 has other meanings).
  int remaining_ms(std::chrono::milliseconds max) const;  // The same, at most `max`.

 private:
  std::chrono::steady_clock::time_point at() const {
    if (stop_ == nullptr) return at_;
    if (on_stop_ == OnStop::kAfterGrace) return std::min(at_, stop_->at());
    return stop_->asked() ? std::chrono::steady_clock::time_point{} : at_;
  }

  std::chrono::steady_clock::time_point at_;
  const StopLimit* stop_ = nullptr;
  OnStop on_stop_ = OnStop::kAfterGrace;
};

// Of one question to the cluster.
Deadline request_deadline(const KafkaOptions& options);

}  // namespace rfm
