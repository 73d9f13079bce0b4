#include "stream/kafka/kafka_handles.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rfm {
namespace {

// Syslog severities, as librdkafka uses them.
constexpr int kSyslogError = 3;
constexpr int kSyslogWarning = 4;
constexpr int kSyslogInfo = 6;

// Called on librdkafka's threads.
void on_log(const rd_kafka_t* handle, int level, const char* facility, const char* text) noexcept {
  auto severity = spdlog::level::debug;
  const std::string_view what = facility;
  if (what == "CONFWARN" || what == "GETPID") {
    // One set of properties serves both roles, so each hears of the other's. A transactional id
    // that is not given yet is asked for again; when that ends, the call says so.
  } else if (level <= kSyslogError) {
    severity = spdlog::level::err;
  } else if (level <= kSyslogWarning) {
    severity = spdlog::level::warn;
  } else if (level <= kSyslogInfo) {
    severity = spdlog::level::info;
  }
  spdlog::log(severity, "kafka {}: {}: {}", handle == nullptr ? "" : rd_kafka_name(handle),
              facility, text);
}

absl::StatusCode code_of(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return absl::StatusCode::kOk;
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
      return absl::StatusCode::kPermissionDenied;
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
      return absl::StatusCode::kAborted;
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
      return absl::StatusCode::kDeadlineExceeded;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
      return absl::StatusCode::kUnavailable;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      return absl::StatusCode::kNotFound;
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR__NO_OFFSET:
      return absl::StatusCode::kOutOfRange;
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
      return absl::StatusCode::kInvalidArgument;
    // Somebody has to change something at the broker first.
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
      return absl::StatusCode::kFailedPrecondition;
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
      return absl::StatusCode::kAlreadyExists;
    default:
      return absl::StatusCode::kInternal;
  }
}

absl::Status set(rd_kafka_conf_t& conf, const std::string& name, const std::string& value) {
  std::array<char, 512> text{};
  if (rd_kafka_conf_set(&conf, name.c_str(), value.c_str(), text.data(), text.size()) !=
      RD_KAFKA_CONF_OK) {
    return absl::InvalidArgumentError(
        fmt::format("Kafka property {}={}: {}", name, value, text.data()));
  }
  return absl::OkStatus();
}

}  // namespace

void KafkaDeleter::operator()(rd_kafka_s* handle) const noexcept { rd_kafka_destroy(handle); }
void KafkaDeleter::operator()(rd_kafka_conf_s* conf) const noexcept { rd_kafka_conf_destroy(conf); }
void KafkaDeleter::operator()(rd_kafka_topic_s* topic) const noexcept {
  rd_kafka_topic_destroy(topic);
}
void KafkaDeleter::operator()(rd_kafka_queue_s* queue) const noexcept {
  rd_kafka_queue_destroy(queue);
}
void KafkaDeleter::operator()(rd_kafka_message_s* message) const noexcept {
  rd_kafka_message_destroy(message);
}
void KafkaDeleter::operator()(rd_kafka_headers_s* headers) const noexcept {
  rd_kafka_headers_destroy(headers);
}
void KafkaDeleter::operator()(rd_kafka_error_s* error) const noexcept {
  rd_kafka_error_destroy(error);
}
void KafkaDeleter::operator()(rd_kafka_topic_partition_list_s* partitions) const noexcept {
  rd_kafka_topic_partition_list_destroy(partitions);
}
void KafkaDeleter::operator()(rd_kafka_consumer_group_metadata_s* metadata) const noexcept {
  rd_kafka_consumer_group_metadata_destroy(metadata);
}

absl::StatusOr<KafkaConf> make_conf(const KafkaOptions& options,
                                    std::span<const KafkaProperty> properties) {
  if (absl::Status status = validate(options); !status.ok()) return status;
  KafkaConf conf(rd_kafka_conf_new());
  rd_kafka_conf_set_log_cb(conf.get(), on_log);
  // Lost connections heal by themselves, or the call that needed one says so.
  rd_kafka_conf_set_error_cb(conf.get(), [](rd_kafka_t*, int, const char*, void*) {});
  for (const KafkaProperty& property :
       std::initializer_list<KafkaProperty>{{"bootstrap.servers", options.brokers},
                                            {"client.id", options.application},
                                            {"reconnect.backoff.ms", "20"},
                                            {"reconnect.backoff.max.ms", "500"},
                                            {"topic.metadata.refresh.fast.interval.ms", "50"}}) {
    if (absl::Status status = set(*conf, property.name, property.value); !status.ok())
      return status;
  }
  for (const KafkaProperty& property : properties) {
    if (absl::Status status = set(*conf, property.name, property.value); !status.ok())
      return status;
  }
  for (const auto& [name, value] : options.properties) {
    if (absl::Status status = set(*conf, name, value); !status.ok()) return status;
  }
  return conf;
}

KafkaConsumer::~KafkaConsumer() {
  if (handle_ == nullptr) return;
  rd_kafka_consumer_close(handle_.get());
  std::array<rd_kafka_message_t*, 1'000> left{};
  for (const KafkaQueue& queue : queues_) {
    ssize_t count = 0;
    do {
      count = rd_kafka_consume_batch_queue(queue.get(), 0, left.data(), left.size());
      for (ssize_t i = 0; i < count; ++i)
        rd_kafka_message_destroy(left[static_cast<std::size_t>(i)]);
    } while (count > 0);
  }
  queues_.clear();
}

rd_kafka_queue_s& KafkaConsumer::own_queue(const std::string& topic, int partition) {
  KafkaQueue& queue =
      queues_.emplace_back(rd_kafka_queue_get_partition(handle_.get(), topic.c_str(), partition));
  rd_kafka_queue_forward(queue.get(), nullptr);
  return *queue;
}

void KafkaConsumer::add_idle_partitions(rd_kafka_topic_partition_list_s& partitions,
                                        const std::string& idle_topic, int count) {
  for (int i = 0; i < count; ++i) {
    own_queue(idle_topic, i);
    rd_kafka_topic_partition_list_add(&partitions, idle_topic.c_str(), i)->offset = 0;
  }
}

absl::StatusOr<KafkaHandle> make_handle(KafkaRole role, KafkaConf conf) {
  std::array<char, 512> text{};
  const rd_kafka_type_t type = role == KafkaRole::kConsumer ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER;
  KafkaHandle handle(rd_kafka_new(type, conf.get(), text.data(), text.size()));
  if (handle == nullptr)
    return absl::InvalidArgumentError(fmt::format("Kafka client: {}", text.data()));
  // The handle owns the configuration from here on.
  static_cast<void>(conf.release());  // NOLINT(bugprone-unused-return-value)
  return handle;
}

absl::Status kafka_status(int code, std::string_view what) {
  const auto error = static_cast<rd_kafka_resp_err_t>(code);
  return {code_of(error),
          fmt::format("{}: {} ({})", what, rd_kafka_err2str(error), rd_kafka_err2name(error))};
}

absl::Status kafka_status(const rd_kafka_error_s& error, std::string_view what) {
  return {
      code_of(rd_kafka_error_code(&error)),
      fmt::format("{}: {} ({})", what, rd_kafka_error_string(&error), rd_kafka_error_name(&error))};
}

int Deadline::remaining_ms() const {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(at() - std::chrono::steady_clock::now());
  return static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 1));
}

int Deadline::remaining_ms(std::chrono::milliseconds max) const {
  return std::min(remaining_ms(), static_cast<int>(max.count()));
}

Deadline request_deadline(const KafkaOptions& options) {
  return Deadline(options.request_timeout, options.stop, OnStop::kAtOnce);
}

}  // namespace rfm
