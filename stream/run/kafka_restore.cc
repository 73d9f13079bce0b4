#include "stream/run/kafka_restore.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/numbers.h"
#include "stream/format/contribution_codec.h"
#include "stream/kafka/kafka_reader.h"
#include "stream/kafka/kafka_topics.h"
#include "stream/kafka/open_transactions.h"
#include "stream/run/changelog_fit.h"
#include "stream/run/model_fit.h"

namespace rfm {
namespace {

absl::Status check_group(const KafkaOptions& options, PartitionId partition, Offset restored,
                         const std::optional<Offset>& group_offset) {
  if (!group_offset || *group_offset == restored) return absl::OkStatus();
  if (restored == 0) {
    return absl::FailedPreconditionError(fmt::format(
        "partition {}: the group {} has committed offset {}, but neither the state directory nor "
        "the changelog holds anything: start with the state directory it had (and "
        "--rewrite-changelog), or begin anew with an app.name, output.transitions and "
        "output.segments of its own",
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

// Of a changelog whose settings may not be read: what the start would have refused otherwise.
absl::StatusOr<std::chrono::milliseconds> deletions_kept(KafkaTopics& topics,
                                                         const std::string& changelog) {
  constexpr std::chrono::milliseconds kLeast = std::chrono::days{7};
  const absl::StatusOr<std::optional<TopicDescription>> found = topics.describe(changelog);
  if (!found.ok()) return found.status();
  std::int64_t ms = 0;
  const std::optional<std::string> said =
      *found ? (*found)->setting("delete.retention.ms") : std::nullopt;
  return said && absl::SimpleAtoi(*said, &ms) ? std::chrono::milliseconds{ms} : kLeast;
}

// The state of one partition after another, from the state directory and the changelog.
class StateRestore {
 public:
  // `deletions_kept`: how long by the changelog.
  StateRestore(const KafkaOptions& options, const RestoreOptions& restore,
               std::chrono::milliseconds deletions_kept, const ModelTimeline& models,
               KafkaReader& reader, StateStore& store, Lane& lane)
      : options_(options),
        restore_(restore),
        deletions_kept_(deletions_kept),
        models_(models),
        reader_(reader),
        store_(store),
        lane_(lane),
        topic_(topic_names(options).changelog) {}

  // Into the lane. `committed` is what the group says.
  absl::Status add(const PartitionOptions& partition, const std::optional<Offset>& committed);

  // With consent: what is to be logged, and the partitions whose changelog is to be written anew.
  std::vector<LossRecord> accepted;
  std::vector<PartitionId> lost_changelogs;

  // The first changelog that is lost without consent; restored all the same, so that what the input
  // needs is known too.
  struct Unconsented {
    PartitionId partition;
    Witnesses witnesses;
    std::string misfit;
  };
  std::optional<Unconsented> unconsented;

 private:
  using Restored = absl::StatusOr<std::unique_ptr<PartitionRestore>>;

  // From the store, then from the changelog.
  Restored read(const PartitionOptions& partition);
  Restored resolve(const PartitionOptions& partition, const PartitionMeta& stored,
                   const std::optional<Offset>& committed, const std::string& misfit);
  absl::Status own(Restored restored, PartitionId partition,
                   const std::optional<Offset>& committed);
  // Before rows are read, which cannot be without their rules.
  absl::Status check_models(PartitionId partition, const PartitionMeta& meta) const;

  const KafkaOptions& options_;
  const RestoreOptions& restore_;
  std::chrono::milliseconds deletions_kept_;
  const ModelTimeline& models_;
  KafkaReader& reader_;
  StateStore& store_;
  Lane& lane_;
  std::string topic_;
};

absl::Status StateRestore::add(const PartitionOptions& partition,
                               const std::optional<Offset>& committed) {
  const PartitionId id = partition.partition;
  const auto stored = read_meta(store_, id);
  if (!stored.ok()) return stored.status();
  // Nothing is committed before the rules are logged.
  if (committed && !restore_.trainer.begun()) return refuse_model_log(options_, id, models_);
  if (*stored) {
    if (const absl::Status known = check_models(id, **stored); !known.ok()) return known;
    auto misfit = find_misfit(reader_, topic_, id, **stored);
    if (misfit.ok() && misfit->empty()) {
      misfit = find_forgotten(reader_, topic_, id, **stored, restore_.latest_ms, deletions_kept_);
    }
    if (!misfit.ok()) return misfit.status();
    return own(misfit->empty() ? read(partition) : resolve(partition, **stored, committed, *misfit),
               id, committed);
  }
  const absl::Status owned = own(read(partition), id, committed);
  // What is refused stays out of the store.
  const absl::Status dropped = owned.ok() ? owned : store_.drop_partition(id);
  return dropped.ok() ? owned : dropped;
}

StateRestore::Restored StateRestore::read(const PartitionOptions& partition) {
  Restored restored = lane_.restore(partition);
  if (!restored.ok()) return restored;
  PartitionRestore& restore = **restored;
  const Offset from = restore.meta().changelog_next;
  const absl::StatusOr<Offset> read =
      reader_.read_to_end(topic_, partition.partition, from == 0 ? kFromBeginning : from,
                          [&](const RecordView& record) { return of_log(restore.apply(record)); });
  if (!read.ok()) return read.status();
  if (const absl::Status finished = restore.finish(); !finished.ok()) return finished;
  return restored;
}

StateRestore::Restored StateRestore::resolve(const PartitionOptions& partition,
                                             const PartitionMeta& stored,
                                             const std::optional<Offset>& committed,
                                             const std::string& misfit) {
  const PartitionId id = partition.partition;
  const auto logged = last_commit(reader_, topic_, id);
  if (!logged.ok()) return logged.status();
  Witnesses witnesses{.committed = committed.value_or(stored.next_offset),
                      .stored = stored.next_offset,
                      .logged = {}};
  if (*logged) witnesses.logged = (*logged)->next_offset;
  const bool ours = *logged && (*logged)->application == options_.application;
  if (ours && witnesses.logged == witnesses.committed) {
    spdlog::warn(
        "partition {}: the state does not fit the changelog and is restored from there ({})", id,
        misfit);
    const absl::Status dropped = store_.drop_partition(id);
    return dropped.ok() ? read(partition) : dropped;
  }
  const bool known = std::ranges::any_of(restore_.losses.logged, [&](const LossRecord& loss) {
    return loss.changelog && loss.partition == id && loss.commit_number == stored.commit_number;
  });
  const bool consented = known || restore_.rewrite_changelog;
  if (*logged || witnesses.stored != witnesses.committed) {
    return refuse_changelog(options_, id, witnesses, misfit,
                            run_with_consent(restore_.losses.consented, {}, true));
  }
  if (!consented) {
    if (!unconsented) unconsented = {.partition = id, .witnesses = witnesses, .misfit = misfit};
    return lane_.restore(partition);
  }
  spdlog::warn("partition {}: the changelog is lost; as accepted it is written anew", id);
  lost_changelogs.push_back(id);
  if (!known) {
    accepted.push_back({.partition = id,
                        .commit_number = stored.commit_number,
                        .from = stored.next_offset,
                        .to = stored.next_offset,
                        .changelog = true,
                        .accepted_ms = restore_.now_ms});
  }
  return lane_.restore(partition);
}

absl::Status StateRestore::own(Restored restored, PartitionId partition,
                               const std::optional<Offset>& committed) {
  if (!restored.ok()) return restored.status();
  if (const absl::Status known = check_models(partition, (*restored)->meta()); !known.ok())
    return known;
  const absl::StatusOr<Offset> position = lane_.own(*std::move(restored));
  if (!position.ok()) return position.status();
  return check_group(options_, partition, *position, committed);
}

absl::Status StateRestore::check_models(PartitionId partition, const PartitionMeta& meta) const {
  const bool known =
      restore_.trainer.begun() ? reach(models_, meta) : meta.next_offset == 0 && !meta.started;
  return known ? absl::OkStatus() : refuse_model_log(options_, partition, models_);
}

// Where a restored partition goes on in its input, and what it needs for that.
class InputPositions {
 public:
  InputPositions(const KafkaOptions& options, const RestoreOptions& restore, KafkaReader& reader)
      : options_(options), restore_(restore), reader_(reader) {}

  absl::Status add(PartitionId partition, OffsetRange log, Lane& lane);
  const std::vector<InputObstacle>& obstacles() const { return obstacles_; }
  RestoredInput take() { return std::move(restored_); }

 private:
  absl::StatusOr<LossRecord> consent(const InputObstacle& obstacle, const PartitionMeta& meta);

  const KafkaOptions& options_;
  const RestoreOptions& restore_;
  KafkaReader& reader_;
  RestoredInput restored_;
  std::vector<InputObstacle> obstacles_;  // Without consent.
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

// Of all partitions at once, with the one command that goes on.
absl::Status refuse_without_consent(const KafkaOptions& options, const RestoreOptions& restore,
                                    const StateRestore& states, const InputPositions& positions) {
  const std::vector<InputObstacle>& obstacles = positions.obstacles();
  const bool rewrite = restore.rewrite_changelog || states.unconsented;
  const std::string command = run_with_consent(restore.losses.consented, obstacles, rewrite);
  if (states.unconsented) {
    const auto& [partition, witnesses, misfit] = *states.unconsented;
    const absl::Status refused = refuse_changelog(options, partition, witnesses, misfit, command);
    return absl::FailedPreconditionError(text_of(options.input_topic, obstacles) +
                                         std::string(refused.message()));
  }
  return obstacles.empty() ? absl::OkStatus() : refuse(options.input_topic, obstacles, command);
}

}  // namespace

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
  ModelTimeline models;
  if (const absl::Status updated = restore.trainer.update(models); !updated.ok()) return updated;
  const absl::StatusOr<std::vector<OffsetRange>> input = topics->ranges(options.input_topic);
  if (!input.ok()) return input.status();
  absl::StatusOr<std::unique_ptr<KafkaReader>> reader = KafkaReader::open(options);
  if (!reader.ok()) return reader.status();
  InputPositions positions(options, restore, **reader);
  const absl::StatusOr<std::chrono::milliseconds> kept =
      deletions_kept(*topics, topic_names(options).changelog);
  if (!kept.ok()) return kept.status();
  StateRestore states(options, restore, *kept, models, **reader, store, lane);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    absl::Status status = states.add(restore.partitions[i], (*committed)[i].next_offset);
    if (status.ok()) {
      status = positions.add(ids[i], (*input)[static_cast<std::size_t>(ids[i])], lane);
    }
    if (!status.ok()) return status;
  }
  if (const absl::Status refused = refuse_without_consent(options, restore, states, positions);
      !refused.ok())
    return refused;
  RestoredInput restored = positions.take();
  std::ranges::move(states.accepted, std::back_inserter(restored.accepted));
  restored.lost_changelogs = std::move(states.lost_changelogs);
  return restored;
}

}  // namespace rfm
