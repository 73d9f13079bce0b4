#include "stream/kafka/kafka_producer.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "state/assertion.h"
#include "stream/kafka/kafka_topics.h"

namespace rfm {
namespace {

using std::chrono_literals::operator""ms;

constexpr int kMessageBytesMax = 100'000'000;  // How large a record may be is the topic's to say.
constexpr int kQueuedMessagesMax = 1'000'000;
constexpr int kQueuedKilobytesMax = 512 * 1024;
constexpr std::uint64_t kRecordsPerPoll =
    1'024;  // Delivery reports are served this often, which frees records.
constexpr Offset kNothing = -1;
constexpr auto kCallMax = 1'000ms;     // One blocking call; repeated until the request timeout.
constexpr auto kGiveUpMax = 1'000ms;   // The last attempt, when the producer is destroyed.
constexpr auto kAbortMax = 5'000ms;    // Giving up must not take as long as working.
constexpr auto kQueueFullWait = 50ms;  // One wait for room; repeated until the request timeout.

void* address(std::string_view bytes) {
  // librdkafka copies and does not write; its interface has no const. Null would mean a null value.
  static char empty = 0;
  return bytes.data() == nullptr ? &empty : const_cast<char*>(bytes.data());
}

constexpr std::size_t kShownKeyMax = 64;

std::string printable(std::string_view key) {
  std::string result(key.substr(0, kShownKeyMax));
  std::ranges::replace_if(
      result, [](char c) { return c < ' ' || c > '~'; }, '?');
  return result;
}

KafkaHeaders make_headers(std::span<const Header> headers) {
  KafkaHeaders result(rd_kafka_headers_new(headers.size()));
  for (const Header& header : headers) {
    rd_kafka_header_add(result.get(), header.name.data(), static_cast<ssize_t>(header.name.size()),
                        header.value.data(), static_cast<ssize_t>(header.value.size()));
  }
  return result;
}

}  // namespace

struct KafkaProducer::Topic {
  KafkaTopicHandle handle;
  std::vector<Offset> next;  // By partition; kNothing: no record delivered since the last take.
  rd_kafka_timestamp_type_t time = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;  // Of the last one delivered.
};

KafkaProducer::KafkaProducer() = default;

KafkaProducer::~KafkaProducer() {
  if (handle_ == nullptr) return;
  // Even where it fails, the attempt keeps librdkafka from adding partitions to the transaction
  // while it shuts down, which ends in a failed assertion of its own (2.0). The next producer of
  // this name settles what is left.
  if (in_transaction_) {
    const KafkaError error(
        rd_kafka_abort_transaction(handle_.get(), static_cast<int>(kGiveUpMax.count())));
  }
  rd_kafka_purge(handle_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_poll(handle_.get(), 0);
}

absl::StatusOr<std::unique_ptr<KafkaProducer>> KafkaProducer::open(
    const KafkaOptions& options, const std::string& transactional_id,
    std::span<const std::string> topics, CommitObserver* observer, BrokerTime* time) {
  const std::array<KafkaProperty, 9> properties = {{
      {"transactional.id", transactional_id},
      {"transaction.timeout.ms", fmt::format("{}", options.transaction_timeout.count())},
      {"retry.backoff.ms", "1"},  // 100, the default, makes send_offsets take that long.
      {"linger.ms", "20"},        // The commit's flush does not wait for it.
      {"compression.type", "lz4"},
      {"partitioner", "murmur2_random"},
      {"message.max.bytes", fmt::format("{}", kMessageBytesMax)},
      {"queue.buffering.max.messages", fmt::format("{}", kQueuedMessagesMax)},
      {"queue.buffering.max.kbytes", fmt::format("{}", kQueuedKilobytesMax)},
  }};
  absl::StatusOr<KafkaConf> conf = make_conf(options, properties);
  if (!conf.ok()) return conf.status();
  std::unique_ptr<KafkaProducer> producer(new KafkaProducer());
  producer->options_ = options;
  producer->transactional_id_ = transactional_id;
  producer->observer_ = observer;
  producer->time_ = time;
  rd_kafka_conf_set_opaque(conf->get(), producer.get());
  // Without this callback a commit's flush polls in steps of 10 ms.
  rd_kafka_conf_set_dr_msg_cb(conf->get(), on_delivery);
  absl::StatusOr<KafkaHandle> handle = make_handle(KafkaRole::kProducer, std::move(*conf));
  if (!handle.ok()) return handle.status();
  producer->handle_ = std::move(*handle);
  for (const std::string& name : topics) {
    auto topic = std::make_unique<Topic>();
    topic->handle.reset(rd_kafka_topic_new(producer->handle_.get(), name.c_str(), nullptr));
    if (topic->handle == nullptr)
      return kafka_status(rd_kafka_last_error(), fmt::format("topic {}", name));
    producer->topics_.push_back(std::move(topic));
  }
  absl::Status status = producer->settle(
      "init_transactions", request_deadline(options), [&](const Deadline& deadline) {
        return rd_kafka_init_transactions(producer->handle_.get(), deadline.remaining_ms(kCallMax));
      });
  if (!status.ok()) return status;
  return producer;
}

// Repeats `call` while that is all there is to do. The order of the tests matters: an error can be
// fatal and retriable at once.
template <typename Call>
absl::Status KafkaProducer::settle(std::string_view what, const Deadline& deadline, Call call) {
  if (!dead_.ok()) return dead_;
  while (true) {
    const KafkaError error(call(deadline));
    if (error == nullptr) return absl::OkStatus();
    const absl::Status status =
        kafka_status(*error, fmt::format("{}: {}", transactional_id_, what));
    if (rd_kafka_error_is_fatal(error.get()) != 0) {
      dead_ = fatal(status);
      return dead_;
    }
    if (rd_kafka_error_txn_requires_abort(error.get()) != 0)
      return absl::AbortedError(status.message());
    if (rd_kafka_error_is_retriable(error.get()) == 0 || deadline.passed()) {
      // An own kAborted would promise a rollback that has not happened.
      dead_ = status.code() == absl::StatusCode::kAborted ? absl::InternalError(status.message())
                                                          : status;
      return dead_;
    }
  }
}

absl::Status KafkaProducer::begin() {
  if (!dead_.ok()) return dead_;
  const KafkaError error(rd_kafka_begin_transaction(handle_.get()));
  if (error != nullptr) {
    dead_ = kafka_status(*error, fmt::format("{}: begin_transaction", transactional_id_));
    return dead_;
  }
  in_transaction_ = true;
  began_ = std::chrono::steady_clock::now();
  return absl::OkStatus();
}

Deadline KafkaProducer::work_deadline() const {
  return Deadline(options_.request_timeout, options_.stop);
}

bool KafkaProducer::outlived() const {
  return in_transaction_ &&
         std::chrono::steady_clock::now() - began_ >= options_.transaction_timeout;
}

// The broker fences whom it timed out as it fences who has a rival, and its clock began later than
// ours. If there is a rival after all, the next transaction meets it before it is as old.
absl::Status KafkaProducer::fatal(const absl::Status& status) const {
  if (!outlived()) return status;
  const std::chrono::duration<double> open = std::chrono::steady_clock::now() - began_;
  return absl::DeadlineExceededError(
      fmt::format("a transaction was open for {:.1f} s and the broker has ended it: "
                  "kafka.transaction_timeout is {:.1f} s; if nothing was stopped or overloaded, "
                  "raise it ({})",
                  open.count(), std::chrono::duration<double>(options_.transaction_timeout).count(),
                  std::string(status.message())));
}

absl::Status KafkaProducer::produce(ProducerTopic topic, std::optional<PartitionId> partition,
                                    std::optional<std::string_view> key,
                                    std::optional<std::string_view> value,
                                    std::span<const Header> headers) {
  if (!dead_.ok()) return dead_;
  if (!in_transaction_) {
    if (absl::Status status = begin(); !status.ok()) return status;
  }
  Topic& target = *topics_[static_cast<std::size_t>(topic)];
  KafkaHeaders record_headers = headers.empty() ? nullptr : make_headers(headers);
  const std::array<rd_kafka_vu_t, 7> arguments = {{
      {.vtype = RD_KAFKA_VTYPE_RKT, .u = {.rkt = target.handle.get()}},
      {.vtype = RD_KAFKA_VTYPE_PARTITION, .u = {.i32 = partition.value_or(RD_KAFKA_PARTITION_UA)}},
      {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u = {.i = RD_KAFKA_MSG_F_COPY}},
      {.vtype = RD_KAFKA_VTYPE_KEY,
       .u = {.mem = {key ? address(*key) : nullptr, key ? key->size() : 0}}},
      {.vtype = RD_KAFKA_VTYPE_VALUE,
       .u = {.mem = {value ? address(*value) : nullptr, value ? value->size() : 0}}},
      {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u = {.ptr = &target}},
      {.vtype = RD_KAFKA_VTYPE_HEADERS, .u = {.headers = record_headers.get()}},
  }};
  const std::size_t count = arguments.size() - (record_headers == nullptr ? 1 : 0);
  if (++since_poll_ >= kRecordsPerPoll) {
    since_poll_ = 0;
    rd_kafka_poll(handle_.get(), 0);
  }
  std::optional<Deadline> deadline;  // Starts when the queue is full, not for each record.
  while (true) {
    const KafkaError error(rd_kafka_produceva(handle_.get(), arguments.data(), count));
    if (error == nullptr) break;
    if (!deadline) deadline.emplace(options_.request_timeout, options_.stop);
    if (rd_kafka_error_code(error.get()) != RD_KAFKA_RESP_ERR__QUEUE_FULL || deadline->passed()) {
      const absl::Status status =
          kafka_status(*error, fmt::format("{}: record for {}", transactional_id_,
                                           rd_kafka_topic_name(target.handle.get())));
      return absl::IsPermissionDenied(status) ? fatal(status) : status;
    }
    rd_kafka_poll(handle_.get(), deadline->remaining_ms(kQueueFullWait));
  }
  // The record owns them now.
  static_cast<void>(record_headers.release());  // NOLINT(bugprone-unused-return-value)
  return absl::OkStatus();
}

absl::Status KafkaProducer::commit(std::string_view input_topic,
                                   std::span<const InputPosition> positions,
                                   const GroupMembership* membership) {
  if (!in_transaction_) {
    if (positions.empty() || membership == nullptr) return dead_;
    if (absl::Status status = begin(); !status.ok()) return status;
  }
  absl::Status status = end(input_topic, positions, membership);
  if (status.code() == absl::StatusCode::kAborted) {
    if (absl::Status aborted = abort(); !aborted.ok()) return aborted;
    if (large_) return too_large();
    if (!refused_.ok()) return std::exchange(refused_, absl::OkStatus());
  }
  return status;
}

absl::Status KafkaProducer::end(std::string_view input_topic,
                                std::span<const InputPosition> positions,
                                const GroupMembership* membership) {
  step(CommitStep::kProduced);
  if (membership != nullptr && !positions.empty()) {
    if (absl::Status status = send_offsets(input_topic, positions, *membership); !status.ok())
      return status;
  }
  step(CommitStep::kOffsetsSent);
  flush();  // The commit would do it too; done here, kCommitSent is as close to the request as can
            // be.
  step(CommitStep::kCommitSent);
  absl::Status status =
      settle("commit_transaction", work_deadline(), [this](const Deadline& limit) {
        return rd_kafka_commit_transaction(handle_.get(), limit.remaining_ms(kCallMax));
      });
  if (!status.ok()) return status;
  in_transaction_ = false;
  ++counters_.commits;
  step(CommitStep::kCommitAcknowledged);
  return absl::OkStatus();
}

absl::Status KafkaProducer::too_large() const {
  std::string limit = "unknown";
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(options_);
  if (topics.ok()) {
    const absl::StatusOr<std::optional<TopicDescription>> topic = topics->describe(large_->topic);
    if (topic.ok() && *topic) limit = (*topic)->setting("max.message.bytes").value_or(limit);
  }
  return absl::FailedPreconditionError(
      fmt::format("{}: the broker refuses a record of {} bytes for the topic {} (key {}): the "
                  "topic's max.message.bytes is {}. Nothing of this commit is written. Raise it, "
                  "then start again:\n"
                  "  kafka-configs.sh --bootstrap-server {} --alter --entity-type topics "
                  "--entity-name {} --add-config max.message.bytes={}",
                  transactional_id_, large_->bytes, large_->topic, large_->key, limit,
                  options_.brokers, large_->topic, 2 * large_->bytes));
}

// Whether a record that failed asks for an abort is the commit's to judge.
void KafkaProducer::flush() {
  const Deadline deadline = work_deadline();
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  do {
    code = rd_kafka_flush(handle_.get(), deadline.remaining_ms(kCallMax));
  } while (code != RD_KAFKA_RESP_ERR_NO_ERROR && !deadline.passed());
}

absl::Status KafkaProducer::send_offsets(std::string_view input_topic,
                                         std::span<const InputPosition> positions,
                                         const GroupMembership& membership) {
  if (membership.metadata == nullptr) {
    // librdkafka would refuse the offsets, and then commit without them.
    return absl::AbortedError(
        fmt::format("{}: not a member of the group, offsets not sent", transactional_id_));
  }
  const std::string topic(input_topic);
  const KafkaPartitionList offsets(
      rd_kafka_topic_partition_list_new(static_cast<int>(positions.size())));
  for (const InputPosition& position : positions) {
    rd_kafka_topic_partition_t* const entry =
        rd_kafka_topic_partition_list_add(offsets.get(), topic.c_str(), position.partition);
    entry->offset = position.next_offset;
    const std::string metadata = fmt::format("commit={}", position.commit_number);
    entry->metadata = strdup(metadata.c_str());  // Freed with the list.
    entry->metadata_size = metadata.size();
  }
  return settle("send_offsets_to_transaction", work_deadline(), [&](const Deadline& deadline) {
    return rd_kafka_send_offsets_to_transaction(
        handle_.get(), offsets.get(), membership.metadata.get(), deadline.remaining_ms(kCallMax));
  });
}

absl::Status KafkaProducer::abort() {
  if (!in_transaction_) return dead_;
  const Deadline limit(kAbortMax, options_.stop);
  absl::Status status = settle("abort_transaction", limit, [this](const Deadline& deadline) {
    return rd_kafka_abort_transaction(handle_.get(), deadline.remaining_ms(kCallMax));
  });
  if (!status.ok()) {
    dead_ = status;
    return status;
  }
  rd_kafka_poll(handle_.get(), 0);
  for (const auto& topic : topics_) topic->next.clear();
  in_transaction_ = false;
  ++counters_.aborts;
  return absl::OkStatus();
}

absl::Status KafkaProducer::probe_time(ProducerTopic topic, PartitionId partition) {
  RFM_ASSERT(!in_transaction_);
  Topic& probed = *topics_[static_cast<std::size_t>(topic)];
  probed.time = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  absl::Status status = produce(topic, partition, std::nullopt, std::nullopt, {});
  if (!status.ok()) return status;
  flush();
  const rd_kafka_timestamp_type_t time = probed.time;
  if (status = abort(); !status.ok()) return status;
  const char* const name = rd_kafka_topic_name(probed.handle.get());
  if (time == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME) return absl::OkStatus();
  if (time == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE)
    return absl::UnavailableError(fmt::format("{}: the broker took no record", name));
  return absl::FailedPreconditionError(fmt::format(
      "topic {} has message.timestamp.type = CreateTime. Its records have to carry the broker's "
      "time, so that a wrong clock on this machine moves nothing:\n"
      "  kafka-configs.sh --bootstrap-server {} --alter --entity-type topics --entity-name {} "
      "--add-config message.timestamp.type=LogAppendTime",
      name, options_.brokers, name));
}

std::vector<std::pair<PartitionId, Offset>> KafkaProducer::take_next_offsets(ProducerTopic topic) {
  std::vector<std::pair<PartitionId, Offset>> result;
  std::vector<Offset>& next = topics_[static_cast<std::size_t>(topic)]->next;
  for (std::size_t partition = 0; partition < next.size(); ++partition) {
    if (next[partition] != kNothing)
      result.emplace_back(static_cast<PartitionId>(partition), next[partition]);
  }
  next.clear();
  return result;
}

void KafkaProducer::step(CommitStep step) {
  if (observer_ != nullptr) observer_->on_step(step);
}

// Runs inside poll, flush and commit, on the lane's thread. A record that failed has failed the
// transaction too, which the commit says; whether trying again may help, the record says.
void KafkaProducer::on_delivery(rd_kafka_t* /*handle*/, const rd_kafka_message_t* message,
                                void* opaque) noexcept {
  auto& self = *static_cast<KafkaProducer*>(opaque);
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const absl::Status status =
        kafka_status(message->err, fmt::format("{}: record for {}", self.transactional_id_,
                                               rd_kafka_topic_name(message->rkt)));
    if (absl::IsFailedPrecondition(status)) self.refused_.Update(status);
    const bool is_large = message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
                          message->err == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE;
    // All of a batch are refused with the one that is too large.
    const std::size_t bytes = message->len + message->key_len;
    if (is_large && (!self.large_ || self.large_->bytes < bytes)) {
      self.large_ =
          LargeRecord{.topic = rd_kafka_topic_name(message->rkt),
                      .key = printable({static_cast<const char*>(message->key), message->key_len}),
                      .bytes = bytes};
    }
    return;
  }
  auto& topic = *static_cast<Topic*>(message->_private);
  const std::int64_t written_ms = rd_kafka_message_timestamp(message, &topic.time);
  const bool is_news = topic.time == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME &&
                       std::exchange(self.append_ms_, written_ms) != written_ms;
  if (is_news && self.time_ != nullptr) self.time_->observe(written_ms);
  std::vector<Offset>& next = topic.next;
  const auto partition = static_cast<std::size_t>(message->partition);
  if (partition >= next.size()) next.resize(partition + 1, kNothing);
  next[partition] = std::max(next[partition], message->offset + 1);
}

}  // namespace rfm
