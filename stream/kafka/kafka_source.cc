#include "stream/kafka/kafka_source.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "stream/kafka/kafka_record.h"

namespace rfm {
namespace {

constexpr int kEventsPerService = 16;
constexpr Offset kUnbounded = std::numeric_limits<Offset>::max();
constexpr Offset kNoOffset = -1;
// A member learns of a rebalance by its heartbeat: a second lane that joins waits for it.
constexpr int kHeartbeatsPerSession = 20;
constexpr std::uint64_t kWake = 1;  // What an event descriptor takes.

// Limits are per partition, because each has its own queue. These keep 8 partitions at full speed
// in about 100 MB, and 32 as well.
std::array<KafkaProperty, 3> fetch_limits(int partition_count) {
  constexpr int kManyPartitions = 16;
  const bool many = partition_count > kManyPartitions;
  return {{{"queued.min.messages", many ? "5000" : "20000"},
           {"queued.max.messages.kbytes", many ? "8192" : "16384"},
           {"max.partition.fetch.bytes", many ? "131072" : "262144"}}};
}

std::vector<KafkaProperty> consumer_properties(const KafkaOptions& options, int partition_count) {
  const auto session_ms = options.session_timeout.count();
  std::vector<KafkaProperty> result = {
      {"group.id", options.application},
      {"isolation.level", "read_committed"},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"auto.offset.reset", "error"},  // Anything else would reread or skip in silence.
      {"enable.partition.eof", "true"},
      {"partition.assignment.strategy", "range"},
      {"session.timeout.ms", fmt::format("{}", session_ms)},
      {"heartbeat.interval.ms",
       fmt::format("{}", std::max<std::int64_t>(session_ms / kHeartbeatsPerSession, 1))},
      {"fetch.wait.max.ms", "10"},
  };
  for (const KafkaProperty& limit : fetch_limits(partition_count)) result.push_back(limit);
  return result;
}

}  // namespace

struct KafkaSource::Partition {
  PartitionId id = 0;
  rd_kafka_queue_t* queue = nullptr;          // The consumer's.
  std::vector<rd_kafka_message_t*> messages;  // What `views` show.
  std::vector<RecordView> views;
  Offset next = 0;          // Offset of the next record, or lower.
  Offset end = kUnbounded;  // Records from here on are not ours.
  Offset eof = kNoOffset;   // The log's end as last reported.
  absl::Status failed;

  Partition() = default;
  Partition(const Partition&) = delete;
  Partition& operator=(const Partition&) = delete;
  ~Partition() { release(); }

  void release() {
    views.clear();
    for (rd_kafka_message_t* const message : messages) rd_kafka_message_destroy(message);
    messages.clear();
  }
};

absl::StatusOr<std::unique_ptr<KafkaSource>> KafkaSource::join(const KafkaOptions& options,
                                                               RebalanceListener& listener) {
  std::unique_ptr<KafkaSource> source(new KafkaSource(options));
  source->listener_ = &listener;
  if (absl::Status status = source->open(Membership::kGroup); !status.ok()) return status;
  const KafkaPartitionList topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), options.input_topic.c_str(),
                                    RD_KAFKA_PARTITION_UA);
  const rd_kafka_resp_err_t code = rd_kafka_subscribe(source->consumer_->get(), topics.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
    return kafka_status(code, "subscribing to " + options.input_topic);
  return source;
}

absl::StatusOr<std::unique_ptr<KafkaSource>> KafkaSource::over(
    const KafkaOptions& options, std::span<const PartitionRange> ranges) {
  std::unique_ptr<KafkaSource> source(new KafkaSource(options));
  if (absl::Status status = source->open(Membership::kAlone); !status.ok()) return status;
  if (absl::Status status = source->assign(ranges); !status.ok()) return status;
  return source;
}

KafkaSource::KafkaSource(KafkaOptions options) : options_(std::move(options)) {}

absl::Status KafkaSource::open(Membership membership) {
  event_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event_fd_ < 0) return absl::ErrnoToStatus(errno, "eventfd");
  absl::StatusOr<int> partition_count = look_up_topics();
  if (!partition_count.ok()) return partition_count.status();
  std::vector<KafkaProperty> properties = consumer_properties(options_, *partition_count);
  if (membership == Membership::kGroup)
    properties.push_back({"group.instance.id", lane_name(options_)});
  absl::StatusOr<KafkaConf> conf = make_conf(options_, properties);
  if (!conf.ok()) return conf.status();
  rd_kafka_conf_set_opaque(conf->get(), this);
  // Without this callback librdkafka would rejoin behind our back, and a stopped member's offsets
  // would be accepted.
  rd_kafka_conf_set_rebalance_cb(
      conf->get(),
      [](rd_kafka_t*, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions,
         void* self) { static_cast<KafkaSource*>(self)->on_rebalance(code, *partitions); });
  absl::StatusOr<KafkaHandle> handle = make_handle(KafkaRole::kConsumer, std::move(*conf));
  if (!handle.ok()) return handle.status();
  consumer_.emplace(std::move(*handle));
  rd_kafka_poll_set_consumer(consumer_->get());
  const KafkaQueue events(rd_kafka_queue_get_consumer(consumer_->get()));
  rd_kafka_queue_io_event_enable(events.get(), event_fd_, &kWake, sizeof kWake);
  return absl::OkStatus();
}

// Asks how many partitions there are, with a handle of its own: what the consumer may queue depends
// on it.
absl::StatusOr<int> KafkaSource::look_up_topics() {
  absl::StatusOr<KafkaConf> conf = make_conf(options_, {});
  if (!conf.ok()) return conf.status();
  absl::StatusOr<KafkaHandle> handle = make_handle(KafkaRole::kProducer, std::move(*conf));
  if (!handle.ok()) return handle.status();
  absl::StatusOr<std::optional<int>> input =
      query_partition_count(**handle, options_.input_topic, request_deadline(options_));
  if (!input.ok()) return input.status();
  if (!*input)
    return absl::NotFoundError(fmt::format("there is no topic {}", options_.input_topic));
  const std::string idle_topic = topic_names(options_).idle;
  absl::StatusOr<std::optional<int>> idle =
      query_partition_count(**handle, idle_topic, request_deadline(options_));
  if (!idle.ok()) return idle.status();
  idle_partitions_ = idle->value_or(0);
  if (idle_partitions_ == 0) {
    return absl::NotFoundError(
        fmt::format("there is no topic {}; `rfmstream topics create` makes it", idle_topic));
  }
  return **input;
}

KafkaSource::~KafkaSource() {
  listener_ = nullptr;
  if (consumer_) {
    // An assignment that waits to be served would have to be answered from inside the close, where
    // librdkafka sometimes never takes the answer (2.0).
    const KafkaMessage served(rd_kafka_consumer_poll(consumer_->get(), 0));
    rd_kafka_consumer_close(consumer_->get());
  }
  partitions_.clear();
  membership_.metadata.reset();
  consumer_.reset();
  if (event_fd_ >= 0) ::close(event_fd_);
}

absl::Status KafkaSource::close() {
  rd_kafka_resp_err_t code = rd_kafka_consumer_close(consumer_->get());
  if (!failed_.ok()) return failed_;
  return code == RD_KAFKA_RESP_ERR_NO_ERROR ? absl::OkStatus()
                                            : kafka_status(code, "leaving the group");
}

// Runs inside consumer_poll and consumer_close, on the lane's thread.
void KafkaSource::on_rebalance(int code,
                               const rd_kafka_topic_partition_list_s& partitions) noexcept {
  if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    absl::Status status = on_assigned(partitions);
    if (status.ok()) return;
    failed_ = std::move(status);
  } else {
    on_revoked();
  }
  partitions_.clear();
  membership_.metadata.reset();
  rd_kafka_assign(consumer_->get(), nullptr);
}

absl::Status KafkaSource::on_assigned(const rd_kafka_topic_partition_list_s& assigned) {
  std::vector<PartitionId> ids;
  for (int i = 0; i < assigned.cnt; ++i) ids.push_back(assigned.elems[i].partition);
  std::sort(ids.begin(), ids.end());
  // Taken here and nowhere else: this is the generation whose offsets are ours to commit.
  membership_.metadata.reset(rd_kafka_consumer_group_metadata(consumer_->get()));
  std::vector<PartitionRange> ranges;
  if (listener_ != nullptr) {
    absl::StatusOr<std::vector<std::pair<PartitionId, Offset>>> starts =
        listener_->on_assigned(ids);
    if (!starts.ok()) return starts.status();
    for (const auto& [partition, start] : *starts) {
      ranges.push_back({.partition = partition, .range = {.begin = start, .end = kUnbounded}});
    }
  }
  std::vector<PartitionId> started;
  for (const PartitionRange& range : ranges) started.push_back(range.partition);
  std::sort(started.begin(), started.end());
  if (started != ids)
    return absl::InternalError("a start offset for each assigned partition, and for no other");
  return assign(ranges);
}

void KafkaSource::on_revoked() {
  if (membership_.metadata == nullptr) return;  // What was assigned failed to start.
  const Revocation how =
      rd_kafka_assignment_lost(consumer_->get()) != 0 ? Revocation::kLost : Revocation::kOrderly;
  if (listener_ != nullptr) listener_->on_revoked(partitions(), how);
}

absl::Status KafkaSource::assign(std::span<const PartitionRange> ranges) {
  partitions_.clear();
  const KafkaPartitionList list(
      rd_kafka_topic_partition_list_new(static_cast<int>(ranges.size()) + idle_partitions_));
  const char* const topic = options_.input_topic.c_str();
  for (const PartitionRange& range : ranges) {
    if (range.range.begin < 0) return absl::InvalidArgumentError("a start offset is negative");
    rd_kafka_topic_partition_list_add(list.get(), topic, range.partition)->offset =
        range.range.begin;
    auto partition = std::make_unique<Partition>();
    partition->id = range.partition;
    partition->next = range.range.begin;
    partition->end = range.range.end;
    partition->queue = &consumer_->own_queue(options_.input_topic, range.partition);
    rd_kafka_queue_io_event_enable(partition->queue, event_fd_, &kWake, sizeof kWake);
    const auto index = static_cast<std::size_t>(range.partition);
    if (index >= partitions_.size()) partitions_.resize(index + 1);
    partitions_[index] = std::move(partition);
  }
  if (!ranges.empty())
    consumer_->add_idle_partitions(*list, topic_names(options_).idle, idle_partitions_);
  const rd_kafka_resp_err_t code = rd_kafka_assign(consumer_->get(), list.get());
  return code == RD_KAFKA_RESP_ERR_NO_ERROR ? absl::OkStatus()
                                            : kafka_status(code, "assigning partitions");
}

absl::Status KafkaSource::service() {
  for (int i = 0; i < kEventsPerService && failed_.ok(); ++i) {
    const KafkaMessage event(rd_kafka_consumer_poll(consumer_->get(), 0));
    if (event == nullptr) break;
    // The poll may have run a callback that failed.
    if (absl::Status judged = judge(*event); failed_.ok()) failed_ = std::move(judged);
  }
  return failed_;
}

// What came through the consumer's own queue: never a record.
absl::Status KafkaSource::judge(const rd_kafka_message_s& event) {
  if (event.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    return absl::InternalError("a record came through the consumer's queue");
  }
  // After a missed poll interval a revoke follows, which says what to do.
  if (event.err == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED ||
      event.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    return absl::OkStatus();
  }
  const std::string who = lane_name(options_);
  if (event.err == RD_KAFKA_RESP_ERR__FATAL) {
    std::array<char, 512> text{};
    const rd_kafka_resp_err_t code =
        rd_kafka_fatal_error(consumer_->get(), text.data(), text.size());
    return kafka_status(code, fmt::format("{}: {}", who, text.data()));
  }
  absl::Status status =
      kafka_status(event.err, fmt::format("{}: {}", who, rd_kafka_message_errstr(&event)));
  const bool heals = status.code() == absl::StatusCode::kUnavailable ||
                     status.code() == absl::StatusCode::kDeadlineExceeded;
  return heals ? absl::OkStatus() : status;
}

absl::StatusOr<std::span<const RecordView>> KafkaSource::read(PartitionId id,
                                                              std::size_t records_max) {
  Partition* const partition = find(id);
  if (partition == nullptr)
    return absl::FailedPreconditionError(fmt::format("partition {} is not assigned", id));
  partition->release();
  if (!partition->failed.ok()) return partition->failed;
  partition->messages.resize(records_max);
  const ssize_t count =
      rd_kafka_consume_batch_queue(partition->queue, 0, partition->messages.data(), records_max);
  partition->messages.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  partition->views.reserve(partition->messages.size());
  for (rd_kafka_message_t* const message : partition->messages) {
    partition->failed = accept(*partition, *message);
    if (!partition->failed.ok()) break;
  }
  if (!partition->failed.ok() && partition->views.empty()) return partition->failed;
  return std::span<const RecordView>(partition->views);
}

absl::Status KafkaSource::accept(Partition& partition, const rd_kafka_message_s& message) {
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    partition.eof = message.offset;
    return absl::OkStatus();
  }
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return kafka_status(message.err, fmt::format("{}/{}: {}", options_.input_topic, partition.id,
                                                 rd_kafka_message_errstr(&message)));
  }
  if (message.offset < partition.next) {
    return absl::InternalError(fmt::format("{}/{}: offset {} came after {}", options_.input_topic,
                                           partition.id, message.offset, partition.next - 1));
  }
  partition.eof = kNoOffset;
  // A jump forward is legal: markers, aborted and compacted records.
  partition.next = std::min(message.offset + 1, partition.end);
  if (message.offset >= partition.end) return absl::OkStatus();
  show(message, partition.views.emplace_back());
  return absl::OkStatus();
}

// Markers have offsets, so the last record may be well before the end: only the end as reported
// counts.
bool KafkaSource::at_end(PartitionId id) const {
  const Partition* const partition = find(id);
  if (partition == nullptr) return false;
  return partition->next >= partition->end || partition->eof >= partition->next;
}

Offset KafkaSource::next_offset(PartitionId id) const {
  const Partition* const partition = find(id);
  if (partition == nullptr) return 0;
  return std::min(std::max(partition->next, partition->eof), partition->end);
}

void KafkaSource::wait(std::chrono::milliseconds longest) {
  pollfd descriptor{.fd = event_fd_, .events = POLLIN, .revents = 0};
  if (::poll(&descriptor, 1, static_cast<int>(longest.count())) <= 0) return;
  std::uint64_t count = 0;
  static_cast<void>(::read(event_fd_, &count, sizeof count));
}

void KafkaSource::wake() {
  // It fails only where as many wakes are already there as the counter takes.
  static_cast<void>(::write(event_fd_, &kWake, sizeof kWake));
}

std::vector<PartitionId> KafkaSource::partitions() const {
  std::vector<PartitionId> result;
  for (const auto& partition : partitions_) {
    if (partition != nullptr) result.push_back(partition->id);
  }
  return result;
}

// The end as reported is that of what can be read: behind it an open transaction may wait, which
// the watermark counts.
std::int64_t KafkaSource::records_behind(PartitionId id) const {
  const Partition* const partition = find(id);
  if (partition == nullptr) return 0;
  Offset low = 0;
  Offset high = 0;
  if (rd_kafka_get_watermark_offsets(consumer_->get(), options_.input_topic.c_str(), id, &low,
                                     &high) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return 0;  // Nothing is fetched yet.
  }
  return std::max<Offset>(std::min(high, partition->end) - next_offset(id), 0);
}

KafkaSource::Partition* KafkaSource::find(PartitionId partition) const {
  const auto index = static_cast<std::size_t>(partition);
  return index < partitions_.size() ? partitions_[index].get() : nullptr;
}

}  // namespace rfm
