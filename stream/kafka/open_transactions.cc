#include "stream/kafka/open_transactions.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "stream/kafka/kafka_queries.h"

namespace rfm {
namespace {

constexpr std::chrono::milliseconds kPause{5};
constexpr std::chrono::milliseconds kOffsetsMax{2'000};  // Longer than any broker takes to answer.
constexpr const char* kGroupOffsetsTopic = "__consumer_offsets";
// Brokers look for transactions that have timed out every 10 s, if nobody has set it otherwise, and
// may be starting just now.
constexpr std::chrono::seconds kNoticeMax{20};

// In the application's group, which it never joins.
absl::StatusOr<KafkaHandle> open_handle(const KafkaOptions& options, const char* isolation) {
  const std::array<KafkaProperty, 2> properties = {
      {{"group.id", options.application}, {"isolation.level", isolation}}};
  absl::StatusOr<KafkaConf> conf = make_conf(options, properties);
  if (!conf.ok()) return conf.status();
  return make_handle(KafkaRole::kConsumer, std::move(*conf));
}

// Where the group's offsets are stored, as brokers choose it: by Java's hash of the name.
PartitionId offsets_partition(std::string_view group, int partition_count) {
  std::uint32_t hash = 0;
  for (const char c : group) hash = 31 * hash + static_cast<unsigned char>(c);
  return static_cast<PartitionId>(hash & 0x7fffffff) % partition_count;
}

// Present: a transaction that is open holds offsets of the group. Other groups' offsets may be in
// the same place.
absl::StatusOr<std::optional<TopicPartition>> pending_offsets(const KafkaOptions& options) {
  const absl::StatusOr<KafkaHandle> handle = open_handle(options, "read_committed");
  if (!handle.ok()) return handle.status();
  const auto partitions_of = [&](const std::string& topic) {
    return query_partition_count(**handle, topic, request_deadline(options));
  };
  const absl::StatusOr<std::optional<int>> input = partitions_of(options.input_topic);
  if (!input.ok()) return input.status();
  const KafkaPartitionList list(rd_kafka_topic_partition_list_new(input->value_or(0)));
  for (PartitionId p = 0; p < input->value_or(0); ++p)
    rd_kafka_topic_partition_list_add(list.get(), options.input_topic.c_str(), p);
  const rd_kafka_resp_err_t code = rd_kafka_committed(
      handle->get(), list.get(), request_deadline(options).remaining_ms(kOffsetsMax));
  if (code != RD_KAFKA_RESP_ERR__TIMED_OUT) return std::nullopt;
  const absl::StatusOr<std::optional<int>> stored = partitions_of(kGroupOffsetsTopic);
  if (!stored.ok()) return stored.status();
  if (stored->value_or(0) == 0) return std::nullopt;
  return TopicPartition{kGroupOffsetsTopic, offsets_partition(options.application, **stored)};
}

// Looks from both sides of a transaction that is open.
class Ends {
 public:
  static absl::StatusOr<Ends> open(const KafkaOptions& options) {
    absl::StatusOr<KafkaHandle> committed = open_handle(options, "read_committed");
    if (!committed.ok()) return committed.status();
    absl::StatusOr<KafkaHandle> all = open_handle(options, "read_uncommitted");
    if (!all.ok()) return all.status();
    return Ends(*std::move(committed), *std::move(all));
  }

  // The first offset of what is open; absent: nothing is.
  absl::StatusOr<std::optional<Offset>> open_from(const TopicPartition& place,
                                                  const Deadline& deadline) const {
    // In this order: a transaction that begins in between makes the second end higher, never lower.
    const absl::StatusOr<OffsetRange> stable =
        query_range(*committed_, place.topic, place.partition, deadline);
    if (!stable.ok()) return stable.status();
    const absl::StatusOr<OffsetRange> written =
        query_range(*all_, place.topic, place.partition, deadline);
    if (!written.ok()) return written.status();
    if (stable->end == written->end) return std::nullopt;
    return stable->end;
  }

 private:
  Ends(KafkaHandle committed, KafkaHandle all)
      : committed_(std::move(committed)), all_(std::move(all)) {}

  KafkaHandle committed_;
  KafkaHandle all_;
};

}  // namespace

std::vector<TopicPartition> places_of(const std::string& topic,
                                      std::span<const PartitionId> partitions) {
  std::vector<TopicPartition> places;
  for (const PartitionId partition : partitions) places.push_back({topic, partition});
  return places;
}

absl::StatusOr<std::vector<TopicPartition>> places_of_application(const KafkaOptions& options) {
  absl::StatusOr<KafkaConf> conf = make_conf(options, {});
  if (!conf.ok()) return conf.status();
  const absl::StatusOr<KafkaHandle> handle = make_handle(KafkaRole::kProducer, std::move(*conf));
  if (!handle.ok()) return handle.status();
  const KafkaTopicNames names = topic_names(options);
  std::vector<TopicPartition> places;
  for (const std::string& topic :
       {names.model, names.contributions, names.ticks, names.changelog, names.transitions,
        names.segments, names.dead_letters, names.receipts}) {
    const absl::StatusOr<std::optional<int>> count =
        query_partition_count(**handle, topic, request_deadline(options));
    if (!count.ok()) return count.status();
    std::vector<PartitionId> partitions(static_cast<std::size_t>(count->value_or(0)));
    std::iota(partitions.begin(), partitions.end(), 0);
    std::ranges::move(places_of(topic, partitions), std::back_inserter(places));
  }
  return places;
}

Deadline settle_deadline(const KafkaOptions& options) {
  return Deadline(std::max<std::chrono::milliseconds>(options.request_timeout,
                                                      options.transaction_timeout + kNoticeMax),
                  options.stop, OnStop::kAtOnce);
}

absl::Status wait_until_settled(const KafkaOptions& options,
                                std::span<const TopicPartition> places) {
  const absl::StatusOr<Ends> ends = Ends::open(options);
  if (!ends.ok()) return ends.status();
  const Deadline deadline = settle_deadline(options);
  for (const TopicPartition& place : places) {
    while (true) {
      const absl::StatusOr<std::optional<Offset>> open = ends->open_from(place, deadline);
      if (!open.ok()) return open.status();
      if (!*open) break;
      if (deadline.passed()) {
        const absl::Status hanging = explain_open_transactions(options, places);
        if (!hanging.ok()) return hanging;
        return absl::DeadlineExceededError(fmt::format(
            "a transaction on {}/{} stayed open from {} on", place.topic, place.partition, **open));
      }
      std::this_thread::sleep_for(kPause);
    }
  }
  return absl::OkStatus();
}

absl::Status explain_open_transactions(const KafkaOptions& options,
                                       std::span<const TopicPartition> places) {
  const absl::StatusOr<Ends> ends = Ends::open(options);
  if (!ends.ok()) return ends.status();
  std::vector<TopicPartition> all(places.begin(), places.end());
  const absl::StatusOr<std::optional<TopicPartition>> offsets = pending_offsets(options);
  if (!offsets.ok()) return offsets.status();
  if (*offsets) all.push_back(**offsets);
  std::string commands;
  for (const TopicPartition& place : all) {
    const absl::StatusOr<std::optional<Offset>> open =
        ends->open_from(place, request_deadline(options));
    if (!open.ok()) return open.status();
    if (!*open) continue;
    commands += fmt::format(
        "\n  kafka-transactions.sh --bootstrap-server {} abort --topic {} --partition {} "
        "--start-offset {}",
        options.brokers, place.topic, place.partition, **open);
  }
  if (commands.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "a transaction is open that should have ended by itself. Its broker has lost how it ended, "
      "as "
      "happens when a partition has no leader while the broker starts again, and will not end it "
      "any "
      "more. Readers of committed records see nothing behind it, those of the output neither.\n"
      "What is sure to be right is to begin anew, with an app.name, a state directory, "
      "output.transitions and output.segments of its own. Or take back what hangs with Kafka's own "
      "tool, then start again:{}\n"
      "Where another part of the same transaction was committed, that part stays: transitions may "
      "then be missing or come a second time with the same ce_id. `rfmstream replay --input "
      "kafka:{} "
      "--recorded` writes all that there should be.",
      commands, options.input_topic));
}

}  // namespace rfm
