#include "stream/kafka/kafka_topics.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "stream/kafka/open_transactions.h"

namespace rfm {
namespace {

constexpr std::chrono::milliseconds kCallMax{2'000};  // One call; nothing can cut it short.
constexpr std::chrono::milliseconds kAnswerMargin{5'000};

struct AdminDeleter {
  void operator()(rd_kafka_NewTopic_t* topic) const noexcept { rd_kafka_NewTopic_destroy(topic); }
  void operator()(rd_kafka_AdminOptions_t* options) const noexcept {
    rd_kafka_AdminOptions_destroy(options);
  }
  void operator()(rd_kafka_ConfigResource_t* resource) const noexcept {
    rd_kafka_ConfigResource_destroy(resource);
  }
  void operator()(rd_kafka_event_t* event) const noexcept { rd_kafka_event_destroy(event); }
};
using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, AdminDeleter>;
using AdminOptions = std::unique_ptr<rd_kafka_AdminOptions_t, AdminDeleter>;
using ConfigResource = std::unique_ptr<rd_kafka_ConfigResource_t, AdminDeleter>;
using Event = std::unique_ptr<rd_kafka_event_t, AdminDeleter>;

AdminOptions admin_options(rd_kafka_s& handle, rd_kafka_admin_op_t operation,
                           std::chrono::milliseconds limit) {
  AdminOptions options(rd_kafka_AdminOptions_new(&handle, operation));
  std::array<char, 256> text{};
  rd_kafka_AdminOptions_set_request_timeout(options.get(), static_cast<int>(limit.count()),
                                            text.data(), text.size());
  return options;
}

// The answer to an admin request that was sent with `queue`.
absl::StatusOr<Event> await(rd_kafka_queue_s& queue, std::string_view what,
                            const KafkaOptions& options) {
  // The request has its own timeout; a little more is left for saying so.
  const Deadline deadline(options.request_timeout + kAnswerMargin, options.stop, OnStop::kAtOnce);
  Event event;
  while (event == nullptr) {
    event.reset(rd_kafka_queue_poll(&queue, deadline.remaining_ms(kCallMax)));
    if (event == nullptr && deadline.passed())
      return absl::DeadlineExceededError(fmt::format("{}: no answer", what));
  }
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return kafka_status(rd_kafka_event_error(event.get()), what);
  }
  return event;
}

}  // namespace

absl::StatusOr<KafkaTopics> KafkaTopics::open(const KafkaOptions& options) {
  const std::array<KafkaProperty, 3> properties = {{
      {"group.id", options.application},
      {"isolation.level", "read_committed"},
      {"enable.auto.commit", "false"},
  }};
  absl::StatusOr<KafkaConf> conf = make_conf(options, properties);
  if (!conf.ok()) return conf.status();
  rd_kafka_conf_set_events(conf->get(), RD_KAFKA_EVENT_ERROR);
  absl::StatusOr<KafkaHandle> handle = make_handle(KafkaRole::kConsumer, std::move(*conf));
  if (!handle.ok()) return handle.status();
  return KafkaTopics(options, std::move(*handle));
}

KafkaTopics::KafkaTopics(KafkaOptions options, KafkaHandle handle)
    : options_(std::move(options)), handle_(std::move(handle)) {}

absl::StatusOr<int> KafkaTopics::broker_count() {
  return query_broker_count(*handle_, request_deadline(options_));
}

std::string KafkaTopics::connection_failure() {
  constexpr std::string_view kBootstrap = "/bootstrap: ";
  std::string failure;
  const KafkaQueue queue(rd_kafka_queue_get_main(handle_.get()));
  while (const Event event{rd_kafka_queue_poll(queue.get(), 0)}) {
    if (rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_ERROR ||
        rd_kafka_event_error(event.get()) == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
      continue;
    }
    std::string_view text = rd_kafka_event_error_string(event.get());
    if (const std::size_t at = text.find(kBootstrap); at != std::string_view::npos)
      text.remove_prefix(at + kBootstrap.size());
    failure = text.substr(0, text.find(" (after "));
  }
  return failure;
}

absl::StatusOr<std::optional<int>> KafkaTopics::partition_count(const std::string& topic) {
  return query_partition_count(*handle_, topic, request_deadline(options_));
}

absl::StatusOr<std::vector<std::optional<int>>> KafkaTopics::partition_counts(
    std::span<const std::string> topics) {
  return query_partition_counts(*handle_, topics, request_deadline(options_));
}

absl::StatusOr<std::optional<TopicDescription>> KafkaTopics::describe(const std::string& topic) {
  absl::StatusOr<std::optional<int>> partitions = partition_count(topic);
  if (!partitions.ok()) return partitions.status();
  if (!*partitions) return std::nullopt;
  TopicDescription description{.partitions = **partitions, .settings = std::nullopt};

  const AdminOptions options =
      admin_options(*handle_, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, options_.request_timeout);
  const ConfigResource resource(
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  const KafkaQueue queue(rd_kafka_queue_new(handle_.get()));
  std::array<rd_kafka_ConfigResource_t*, 1> resources = {resource.get()};
  rd_kafka_DescribeConfigs(handle_.get(), resources.data(), resources.size(), options.get(),
                           queue.get());
  absl::StatusOr<Event> event = await(*queue, "settings of topic " + topic, options_);
  if (!event.ok()) return event.status();
  std::size_t count = 0;
  const rd_kafka_ConfigResource_t** const found = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event->get()), &count);
  if (count != 1) return absl::InternalError("settings of topic " + topic + ": not one answer");
  const rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(found[0]);
  if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) return description;
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return kafka_status(code, "settings of topic " + topic);
  std::map<std::string, std::string>& settings = description.settings.emplace();
  const rd_kafka_ConfigEntry_t** const entries = rd_kafka_ConfigResource_configs(found[0], &count);
  for (std::size_t i = 0; i < count; ++i) {
    const char* const value = rd_kafka_ConfigEntry_value(entries[i]);
    if (value != nullptr) settings[rd_kafka_ConfigEntry_name(entries[i])] = value;
  }
  return description;
}

absl::StatusOr<TopicPlan> KafkaTopics::plan(std::int64_t record_bytes_max) {
  TopicPlan plan{.record_bytes_max = record_bytes_max};
  const absl::StatusOr<int> brokers = broker_count();
  if (!brokers.ok()) return brokers.status();
  plan.broker_count = *brokers;
  const absl::StatusOr<std::optional<TopicDescription>> input = describe(options_.input_topic);
  if (!input.ok()) return input.status();
  if (!*input) return plan;
  plan.input_partitions = plan.output_partitions = (*input)->partitions;
  const auto number = [&](const std::string& setting, std::int64_t& value) {
    if (const auto found = (*input)->setting(setting)) value = std::stoll(*found);
  };
  number("max.message.bytes", plan.input_message_bytes_max);
  number("retention.ms", plan.input_retention_ms);
  number("retention.bytes", plan.input_retention_bytes);
  return plan;
}

absl::Status KafkaTopics::create_one(const TopicSpec& spec, std::optional<int> replication) {
  std::array<char, 512> text{};
  const NewTopic topic(rd_kafka_NewTopic_new(spec.name.c_str(), spec.partitions,
                                             replication.value_or(-1), text.data(), text.size()));
  if (topic == nullptr)
    return absl::InvalidArgumentError(fmt::format("topic {}: {}", spec.name, text.data()));
  for (const auto& [name, value] : spec.settings) {
    rd_kafka_NewTopic_set_config(topic.get(), name.c_str(), value.c_str());
  }
  const AdminOptions options =
      admin_options(*handle_, RD_KAFKA_ADMIN_OP_CREATETOPICS, options_.request_timeout);
  rd_kafka_AdminOptions_set_operation_timeout(
      options.get(), static_cast<int>(options_.request_timeout.count()), text.data(), text.size());
  const KafkaQueue queue(rd_kafka_queue_new(handle_.get()));
  std::array<rd_kafka_NewTopic_t*, 1> topics = {topic.get()};
  rd_kafka_CreateTopics(handle_.get(), topics.data(), topics.size(), options.get(), queue.get());
  absl::StatusOr<Event> event = await(*queue, "creating topic " + spec.name, options_);
  if (!event.ok()) return event.status();
  std::size_t count = 0;
  const rd_kafka_topic_result_t** const results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event->get()), &count);
  if (count != 1) return absl::InternalError("creating topic " + spec.name + ": not one answer");
  const rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[0]);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return absl::OkStatus();
  const char* const why = rd_kafka_topic_result_error_string(results[0]);
  return kafka_status(code,
                      fmt::format("creating topic {}: {}", spec.name, why == nullptr ? "" : why));
}

absl::StatusOr<std::vector<TopicReport>> KafkaTopics::create(std::span<const TopicSpec> topics,
                                                             std::optional<int> replication) {
  std::vector<bool> created;
  for (const TopicSpec& topic : topics) {
    absl::StatusOr<std::optional<int>> count = partition_count(topic.name);
    if (!count.ok()) return count.status();
    created.push_back(!*count);
    if (*count) continue;
    absl::Status status = create_one(topic, replication);
    // Somebody else was faster.
    if (status.code() == absl::StatusCode::kAlreadyExists) {
      created.back() = false;
    } else if (!status.ok()) {
      return status;
    }
    // Brokers learn of a topic one after another; whoever uses it next must find it.
    const Deadline deadline = request_deadline(options_);
    while (!*count && !deadline.passed()) {
      count = partition_count(topic.name);
      if (!count.ok()) return count.status();
    }
  }
  absl::StatusOr<std::vector<TopicReport>> reports = check(topics);
  if (!reports.ok()) return reports.status();
  for (std::size_t i = 0; i < topics.size(); ++i) {
    if (created[i] && (*reports)[i].outcome != TopicOutcome::kMissing)
      (*reports)[i].outcome = TopicOutcome::kCreated;
  }
  return reports;
}

absl::StatusOr<std::vector<TopicReport>> KafkaTopics::check(std::span<const TopicSpec> topics) {
  std::vector<TopicReport> reports;
  for (const TopicSpec& topic : topics) {
    absl::StatusOr<std::optional<TopicDescription>> found = describe(topic.name);
    if (!found.ok()) return found.status();
    reports.push_back(compare(topic, *found, options_.brokers));
  }
  return reports;
}

absl::StatusOr<std::vector<OffsetRange>> KafkaTopics::ranges(const std::string& topic) {
  absl::StatusOr<std::optional<int>> count = partition_count(topic);
  if (!count.ok()) return count.status();
  if (!*count) return absl::NotFoundError(fmt::format("there is no topic {}", topic));
  std::vector<OffsetRange> result;
  for (PartitionId partition = 0; partition < **count; ++partition) {
    absl::StatusOr<OffsetRange> range =
        query_range(*handle_, topic, partition, request_deadline(options_));
    if (!range.ok()) return range.status();
    result.push_back(*range);
  }
  return result;
}

absl::StatusOr<std::vector<CommittedPosition>> KafkaTopics::committed(
    std::span<const PartitionId> partitions) {
  std::vector<CommittedPosition> result;
  if (partitions.empty()) return result;
  const Deadline deadline = settle_deadline(options_);
  while (true) {
    const KafkaPartitionList list(
        rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
    for (const PartitionId partition : partitions) {
      rd_kafka_topic_partition_list_add(list.get(), options_.input_topic.c_str(), partition);
    }
    // While a transaction's outcome is open this waits, and then times out with no error in the
    // list.
    rd_kafka_resp_err_t code =
        rd_kafka_committed(handle_.get(), list.get(), deadline.remaining_ms(kCallMax));
    for (int i = 0; i < list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
      code = list->elems[i].err;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      const absl::Status status =
          kafka_status(code, "committed offsets of group " + options_.application);
      const bool passes = status.code() == absl::StatusCode::kUnavailable ||
                          status.code() == absl::StatusCode::kDeadlineExceeded ||
                          code == RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT;
      if (passes && !deadline.passed()) continue;
      const bool stopped = options_.stop != nullptr && options_.stop->asked();
      if (!passes || stopped) return status;
      const absl::Status hanging = explain_open_transactions(
          options_, places_of(topic_names(options_).changelog, partitions));
      return absl::IsFailedPrecondition(hanging) ? hanging : status;
    }
    for (int i = 0; i < list->cnt; ++i) {
      const rd_kafka_topic_partition_t& entry = list->elems[i];
      CommittedPosition& position = result.emplace_back();
      position.partition = entry.partition;
      if (entry.offset >= 0) position.next_offset = entry.offset;
    }
    // A commit is acknowledged before its markers are written, partition by partition: the offsets
    // may be there when the end of the changelog is not.
    absl::Status settled =
        wait_until_settled(options_, places_of(topic_names(options_).changelog, partitions));
    if (!settled.ok()) return settled;
    return result;
  }
}

}  // namespace rfm
