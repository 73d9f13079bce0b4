#include "stream/run/kafka_restore.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <optional>
#include <string>

#include "stream/format/changelog_codec.h"
#include "stream/format/contribution_codec.h"
#include "stream/kafka/kafka_reader.h"
#include "stream/kafka/kafka_topics.h"
#include "stream/kafka/open_transactions.h"
#include "stream/run/input_watch.h"

namespace rfm {
namespace {

absl::Status missing(const std::string& topic) {
  return absl::NotFoundError(fmt::format(
      "there is no topic {}: `rfmstream topics create` creates what is missing", topic));
}

// Damage in a topic is no damage of the state directory, which has to stay.
absl::Status of_log(const absl::Status& status) {
  return absl::IsDataLoss(status) ? absl::FailedPreconditionError(status.message()) : status;
}

// How far the input was when the last meta row was written; 0: there is none.
absl::StatusOr<Offset> logged_position(KafkaReader& changelog, const std::string& topic,
                                       PartitionId partition) {
  Offset position = 0;
  const absl::StatusOr<Offset> read = changelog.read_to_end(
      topic, partition, kFromBeginning, [&](const RecordView& record) -> absl::Status {
        const absl::StatusOr<StoreWrite> write = decode_changelog(partition, record);
        if (!write.ok() || write->kind != StoreKind::kMeta) return of_log(write.status());
        const absl::StatusOr<PartitionMeta> meta = decode_meta(*write->value);
        if (meta.ok()) position = meta->next_offset;
        return of_log(meta.status());
      });
  if (!read.ok()) return read;
  return position;
}

// From the store, then from the changelog. kOutOfRange: the changelog is not the store's.
absl::StatusOr<Offset> restore_once(const PartitionOptions& partition, KafkaReader& changelog,
                                    const std::string& topic, Lane& lane) {
  absl::StatusOr<std::unique_ptr<PartitionRestore>> restored = lane.restore(partition);
  if (!restored.ok()) return restored.status();
  PartitionRestore& restore = **restored;
  const Offset from = restore.meta().changelog_next;
  const absl::StatusOr<Offset> next = changelog.read_to_end(
      topic, partition.partition, from == 0 ? kFromBeginning : from,
      [&](const RecordView& record) { return of_log(restore.apply(record)); });
  if (!next.ok()) return next.status();
  const absl::Status finished = restore.finish(*next);
  if (!finished.ok()) return finished;
  return lane.own(*std::move(restored));
}

absl::StatusOr<Offset> restore_partition(const PartitionOptions& partition,
                                         const std::optional<Offset>& group_offset,
                                         KafkaReader& changelog, const std::string& topic,
                                         StateStore& store, Lane& lane) {
  absl::StatusOr<Offset> restored = restore_once(partition, changelog, topic, lane);
  if (restored.status().code() != absl::StatusCode::kOutOfRange) return restored;
  // The changelog is not the one this store was written beside: what it holds now is the truth, if
  // it is whole.
  const auto meta = read_meta(store, partition.partition);
  if (!meta.ok()) return meta.status();
  const Offset stored = *meta ? (*meta)->next_offset : 0;
  const absl::StatusOr<Offset> logged = logged_position(changelog, topic, partition.partition);
  if (!logged.ok()) return logged;
  if (*logged != group_offset.value_or(stored)) {
    return absl::FailedPreconditionError(
        fmt::format("partition {}: the changelog {} leads to offset {} of the input, but {} is "
                    "committed and {} is in the state directory, which is left as it is: the "
                    "changelog was cut or made anew ({})",
                    partition.partition, topic, *logged, group_offset.value_or(0), stored,
                    std::string(restored.status().message())));
  }
  spdlog::warn("partition {}: the state does not fit the changelog and is restored from there ({})",
               partition.partition, std::string(restored.status().message()));
  const absl::Status dropped = store.drop_partition(partition.partition);
  if (!dropped.ok()) return dropped;
  return restore_once(partition, changelog, topic, lane);
}

absl::Status check_group(const KafkaOptions& options, PartitionId partition, Offset restored,
                         const std::optional<Offset>& group_offset) {
  if (!group_offset || *group_offset == restored) return absl::OkStatus();
  if (restored == 0) {
    return absl::FailedPreconditionError(fmt::format(
        "partition {}: the group {} has committed offset {}, but neither the state directory nor "
        "the changelog holds anything: start with the state directory it had, or begin anew with "
        "an app.name, output.transitions and output.segments of its own",
        partition, options.application, *group_offset));
  }
  return absl::FailedPreconditionError(fmt::format(
      "partition {0}: the group {1} has committed offset {2}, but the state belongs to {3}: they "
      "are always committed together, so somebody has changed one of them. The state is whole; to "
      "go on with it:\n"
      "  kafka-consumer-groups.sh --bootstrap-server {4} --group {1} --topic {5}:{0} "
      "--reset-offsets --to-offset {3} --execute",
      partition, options.application, *group_offset, restored, options.brokers,
      options.input_topic));
}

// Where a restored partition goes on in its input, and what it needs for that.
class InputPositions {
 public:
  InputPositions(const KafkaOptions& options, const RestoreOptions& restore, KafkaReader& reader)
      : options_(options), restore_(restore), reader_(reader) {}

  absl::Status add(PartitionId partition, OffsetRange log, Lane& lane);
  // Refuses what has no consent, of all partitions at once.
  absl::StatusOr<RestoredInput> take();

 private:
  absl::StatusOr<LossRecord> consent(const InputObstacle& obstacle, const PartitionMeta& meta);

  const KafkaOptions& options_;
  const RestoreOptions& restore_;
  KafkaReader& reader_;
  RestoredInput restored_;
  std::vector<InputObstacle> obstacles_;
};

absl::Status InputPositions::add(PartitionId p, OffsetRange log, Lane& lane) {
  const PartitionMeta& meta = lane.partitions().back()->meta();
  for (const LossRecord& loss : pending_losses(restore_.losses, p, meta)) lane.give_up(loss);
  Offset next = meta.next_offset;
  // Nothing has been read yet.
  if (next == 0) next = begin_of(restore_.begin, restore_.losses.logged, p).value_or(log.begin);
  const absl::StatusOr<std::optional<InputObstacle>> obstacle =
      find_obstacle(reader_, options_.input_topic, p, meta, next, log);
  if (!obstacle.ok()) return obstacle.status();
  const bool consented = restore_.losses.consented.contains(p);
  if (!*obstacle) {
    if (consented) {
      spdlog::info("partition {}: goes on at offset {}; --accept-loss is not needed (any more)", p,
                   next);
    }
  } else if (!consented) {
    obstacles_.push_back(**obstacle);
  } else {
    const absl::StatusOr<LossRecord> loss = consent(**obstacle, meta);
    if (!loss.ok()) return loss.status();
    lane.give_up(*loss);
    restored_.accepted.push_back(*loss);
    next = loss->to;
    spdlog::warn("partition {}: {}; as accepted it goes on at offset {}", p, (*obstacle)->what,
                 next);
  }
  restored_.positions.emplace_back(p, next);
  return absl::OkStatus();
}

absl::StatusOr<LossRecord> InputPositions::consent(const InputObstacle& obstacle,
                                                   const PartitionMeta& meta) {
  const Offset to = restore_.losses.consented.at(obstacle.partition);
  if (to < obstacle.log.begin || to > obstacle.log.end) {
    return absl::InvalidArgumentError(
        fmt::format("--accept-loss {}:{}: the topic holds offsets {} to {}", obstacle.partition, to,
                    obstacle.log.begin, obstacle.log.end));
  }
  return LossRecord{.partition = obstacle.partition,
                    .commit_number = meta.commit_number,
                    .from = obstacle.next,
                    .to = to,
                    .offsets = to - (obstacle.another_topic ? obstacle.log.begin : obstacle.next),
                    .another_topic = obstacle.another_topic,
                    .accepted_ms = restore_.now_ms};
}

absl::StatusOr<RestoredInput> InputPositions::take() {
  if (!obstacles_.empty()) return refuse(options_.input_topic, obstacles_);
  return std::move(restored_);
}

}  // namespace

absl::StatusOr<int> check_topics(const KafkaOptions& options) {
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(options);
  if (!topics.ok()) return topics.status();
  const KafkaTopicNames names = topic_names(options);
  const absl::StatusOr<std::optional<int>> input = topics->partition_count(names.input);
  if (!input.ok()) return input.status();
  if (!*input) return missing(names.input);
  for (const std::string& name :
       {names.transitions, names.segments, names.dead_letters, names.changelog, names.ticks,
        names.contributions, names.model, names.idle, names.output_owners}) {
    const absl::StatusOr<std::optional<int>> count = topics->partition_count(name);
    if (!count.ok()) return count.status();
    if (!*count) return missing(name);
    const bool follows_input =
        name == names.changelog || name == names.ticks || name == names.contributions;
    if (follows_input && **count != **input) return partitions_changed(options, **count, **input);
  }
  return **input;
}

absl::Status wait_until_readable(const KafkaOptions& options) {
  const absl::StatusOr<std::vector<TopicPartition>> places = places_of_application(options);
  if (!places.ok()) return places.status();
  return wait_until_settled(options, *places);
}

absl::StatusOr<ModelLog> read_model_log(const KafkaOptions& options) {
  absl::StatusOr<std::unique_ptr<KafkaReader>> reader = KafkaReader::open(options);
  if (!reader.ok()) return reader.status();
  std::vector<ModelLogRecord> records;
  const absl::StatusOr<Offset> read = (*reader)->read_to_end(
      topic_names(options).model, 0, kFromBeginning, [&](const RecordView& record) {
        if (record.key && record.value)
          records.push_back({std::string(*record.key), std::string(*record.value)});
        return absl::OkStatus();
      });
  if (!read.ok()) return read.status();
  absl::StatusOr<ModelLog> log = decode_model_log(records);
  if (!log.ok()) return of_log(log.status());
  return log;
}

absl::StatusOr<std::map<std::pair<std::int64_t, PartitionId>, Contribution>> read_contributions(
    const KafkaOptions& options, int partition_count) {
  absl::StatusOr<std::unique_ptr<KafkaReader>> reader = KafkaReader::open(options);
  if (!reader.ok()) return reader.status();
  ContributionAssembler assembler(partition_count);
  for (PartitionId p = 0; p < partition_count; ++p) {
    const absl::StatusOr<Offset> read = (*reader)->read_to_end(
        topic_names(options).contributions, p, kFromBeginning, [&](const RecordView& record) {
          return record.key && record.value ? of_log(assembler.add(*record.key, *record.value))
                                            : absl::OkStatus();
        });
    if (!read.ok()) return read.status();
  }
  auto contributions = assembler.take();
  if (!contributions.ok()) return of_log(contributions.status());
  return contributions;
}

absl::StatusOr<std::vector<OffsetRange>> input_ranges(const KafkaOptions& options) {
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(options);
  if (!topics.ok()) return topics.status();
  return topics->ranges(options.input_topic);
}

absl::StatusOr<RestoredInput> restore_partitions(const KafkaOptions& options,
                                                 const RestoreOptions& restore, StateStore& store,
                                                 Lane& lane) {
  if (restore.partitions.empty()) return RestoredInput{};
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(options);
  if (!topics.ok()) return topics.status();
  std::vector<PartitionId> ids;
  for (const PartitionOptions& partition : restore.partitions) ids.push_back(partition.partition);
  // Waits for what former owners left in doubt; the changelog is complete after it.
  const absl::StatusOr<std::vector<CommittedPosition>> committed = topics->committed(ids);
  if (!committed.ok()) return committed.status();
  const absl::StatusOr<std::vector<OffsetRange>> input = topics->ranges(options.input_topic);
  if (!input.ok()) return input.status();
  absl::StatusOr<std::unique_ptr<KafkaReader>> reader = KafkaReader::open(options);
  if (!reader.ok()) return reader.status();
  InputPositions positions(options, restore, **reader);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::optional<Offset>& group_offset = (*committed)[i].next_offset;
    const absl::StatusOr<Offset> restored = restore_partition(
        restore.partitions[i], group_offset, **reader, topic_names(options).changelog, store, lane);
    if (!restored.ok()) return restored.status();
    absl::Status status = check_group(options, ids[i], *restored, group_offset);
    if (status.ok()) {
      status = positions.add(ids[i], (*input)[static_cast<std::size_t>(ids[i])], lane);
    }
    if (!status.ok()) return status;
  }
  return positions.take();
}

}  // namespace rfm
