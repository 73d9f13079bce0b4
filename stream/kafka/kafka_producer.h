// A transactional librdkafka producer: begin, produce, send offsets, commit or abort, with the
// reactions that the errors of librdkafka 2.0 ask for built in. One thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/kafka/kafka_handles.h"
#include "stream/kafka/kafka_options.h"
#include "stream/record/broker_time.h"
#include "stream/record/commit_observer.h"
#include "stream/record/output_sink.h"

namespace rfm {

// A topic the producer writes to; valid as long as the producer.
enum class ProducerTopic : std::size_t {};

class KafkaProducer {
 public:
  struct Counters {
    std::uint64_t commits = 0;
    std::uint64_t aborts = 0;
  };

  // Connects and settles what an earlier producer with this transactional id left open (it is
  // aborted). Returns within `options.request_timeout`. `topics` are numbered in their order.
  // `observer` and `time` may be null; `time` is told the time that brokers put on records.
  static absl::StatusOr<std::unique_ptr<KafkaProducer>> open(const KafkaOptions& options,
                                                             const std::string& transactional_id,
                                                             std::span<const std::string> topics,
                                                             CommitObserver* observer,
                                                             BrokerTime* time);
  KafkaProducer(const KafkaProducer&) = delete;
  KafkaProducer& operator=(const KafkaProducer&) = delete;
  ~KafkaProducer();

  // Begins a transaction if none is open. Without partition the key decides (murmur2, as Java's
  // default).
  absl::Status produce(ProducerTopic topic, std::optional<PartitionId> partition,
                       std::optional<std::string_view> key, std::optional<std::string_view> value,
                       std::span<const Header> headers);

  // Ends the open transaction (if none is open: opens one when there are positions, else does
  // nothing). kAborted: rolled back, the producer is usable. kFailedPrecondition: rolled back, and
  // the broker will not take it as it is another time; of a record that is too large it says the
  // topic, the sizes and the setting. kDeadlineExceeded of a fatal error: the broker has ended the
  // transaction because it was open for longer than its timeout. kPermissionDenied: another
  // producer has this one's name. Any other error: the producer is not usable,
  // and the outcome may be unknown.
  absl::Status commit(std::string_view input_topic, std::span<const InputPosition> positions,
                      const GroupMembership* membership);
  // Rolls back the open transaction, if any.
  absl::Status abort();
  // Waits until the broker has every record produced, or has refused it. The transaction stays
  // open.
  void flush();

  // Asks the broker for its time: with a record that is rolled back, so that no reader of committed
  // ones sees it. No transaction may be open. kFailedPrecondition: the topic's records carry their
  // producers' time.
  absl::Status probe_time(ProducerTopic topic, PartitionId partition);

  // Per partition of `topic`, ascending: the offset after the last record delivered since the last
  // call.
  std::vector<std::pair<PartitionId, Offset>> take_next_offsets(ProducerTopic topic);

  const Counters& counters() const { return counters_; }

 private:
  struct Topic;

  KafkaProducer();
  absl::Status begin();
  absl::Status send_offsets(std::string_view input_topic, std::span<const InputPosition> positions,
                            const GroupMembership& membership);
  absl::Status end(std::string_view input_topic, std::span<const InputPosition> positions,
                   const GroupMembership* membership);
  // Of one call that ends or aborts a transaction.
  Deadline work_deadline() const;
  template <typename Call>
  absl::Status settle(std::string_view what, const Deadline& deadline, Call call);
  void step(CommitStep step);
  bool outlived() const;
  absl::Status fatal(const absl::Status& status) const;
  absl::Status too_large() const;
  static void on_delivery(rd_kafka_s* handle, const rd_kafka_message_s* message,
                          void* opaque) noexcept;

  KafkaOptions options_;
  std::string transactional_id_;
  CommitObserver* observer_ = nullptr;
  BrokerTime* time_ = nullptr;
  std::int64_t append_ms_ = 0;  // As last told to `time_`.
  bool in_transaction_ = false;
  std::chrono::steady_clock::time_point began_{};  // The transaction that is open.
  absl::Status dead_;     // Why the producer must be rebuilt; OK while it works.
  absl::Status refused_;  // Why the broker will never take a record; OK while it takes all.
  struct LargeRecord {
    std::string topic;
    std::string key;
    std::size_t bytes = 0;
  };
  std::optional<LargeRecord> large_;  // Refused for its size.
  Counters counters_;
  std::uint64_t since_poll_ = 0;
  KafkaHandle handle_;
  std::vector<std::unique_ptr<Topic>> topics_;  // Gone before the handle.
};

}  // namespace rfm
