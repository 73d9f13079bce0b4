#include "stream/run/recording.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>
#include <string>

#include "stream/format/partition_meta.h"
#include "stream/kafka/kafka_queries.h"
#include "stream/kafka/kafka_reader.h"
#include "stream/kafka/kafka_topics.h"
#include "stream/kafka/open_transactions.h"
#include "stream/run/changelog_fit.h"
#include "stream/run/input_position.h"
#include "stream/run/kafka_restore.h"
#include "stream/run/topic_check.h"

namespace rfm {
namespace {

// As the application committed last; one that has begun, by the group's offset, has a meta row.
absl::StatusOr<PartitionMeta> read_last_meta(KafkaReader& reader, const KafkaOptions& options,
                                             const CommittedPosition& committed) {
  const KafkaTopicNames names = topic_names(options);
  absl::StatusOr<std::optional<PartitionMeta>> logged =
      last_commit(reader, names.changelog, committed.partition);
  if (!logged.ok()) return logged.status();
  PartitionMeta meta = logged->value_or(PartitionMeta());
  if (meta.next_offset < committed.next_offset.value_or(0)) {
    return not_whole(fmt::format(
        "partition {} of {} leads to offset {} of the input, but {} is "
        "committed: it was cut or made anew",
        committed.partition, names.changelog, meta.next_offset, *committed.next_offset));
  }
  if (!meta.input_topic.empty() && meta.input_topic != names.input) {
    return not_whole(fmt::format("application {} reads {}, not {}", options.application,
                                 meta.input_topic, names.input));
  }
  return meta;
}

// All ticks that go with what `meta` says has been read.
absl::StatusOr<std::vector<Tick>> read_ticks(KafkaReader& reader, const std::string& topic,
                                             PartitionId partition, const PartitionMeta& meta) {
  const absl::StatusOr<OffsetRange> log = reader.range(topic, partition);
  if (!log.ok()) return log.status();
  std::vector<Tick> ticks;
  const absl::StatusOr<Offset> read =
      reader.read_to_end(topic, partition, kFromBeginning, [&](const RecordView& record) {
        const absl::StatusOr<Tick> tick = decode_tick(record.value.value_or(""));
        const bool is_later = meta.ticks_logged && ticks.size() == *meta.ticks_logged;
        if (tick.ok() && !is_later && tick->offset <= meta.next_offset) ticks.push_back(*tick);
        return tick.status();
      });
  if (!read.ok()) return read.status();
  const bool complete = meta.ticks_logged ? ticks.size() == *meta.ticks_logged : log->begin == 0;
  if (complete) return ticks;
  return not_whole(fmt::format("partition {} of {} holds {} ticks of {}: the others are gone",
                               partition, topic, ticks.size(),
                               meta.ticks_logged ? std::to_string(*meta.ticks_logged) : "more"));
}

absl::StatusOr<ModelLog> read_whole_model_log(const KafkaOptions& options, bool has_begun) {
  absl::StatusOr<ModelLog> log = read_model_log(options);
  if (!log.ok()) return log.status();
  const KafkaTopicNames names = topic_names(options);
  if (log->rules.empty()) {
    if (has_begun)
      return not_whole(fmt::format("{} does not hold its rules any more", names.model));
    return absl::NotFoundError(fmt::format(
        "application {} has recorded nothing yet: its model log is empty", options.application));
  }
  for (const LossRecord& loss : log->losses) {
    if (loss.another_topic)
      return not_whole(fmt::format("the input {} was made anew since it began", names.input));
  }
  return log;
}

}  // namespace

absl::Status not_whole(std::string_view what) {
  return absl::FailedPreconditionError(fmt::format(
      "--recorded: {}, so what the application did cannot be repeated. A replay without --recorded "
      "makes of what is there what its own rules say",
      what));
}

absl::StatusOr<Recording> read_recording(const KafkaOptions& options) {
  const absl::StatusOr<int> partition_count = find_topics(options);
  if (!partition_count.ok()) return partition_count.status();
  std::vector<PartitionId> partitions(static_cast<std::size_t>(*partition_count));
  std::iota(partitions.begin(), partitions.end(), 0);
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(options);
  if (!topics.ok()) return topics.status();
  absl::StatusOr<std::unique_ptr<KafkaReader>> reader = KafkaReader::open(options);
  if (!reader.ok()) return reader.status();
  // What is committed is in the changelog when this returns; a service that runs may go on.
  const absl::StatusOr<std::vector<CommittedPosition>> committed = topics->committed(partitions);
  if (!committed.ok()) return committed.status();
  std::vector<PartitionMeta> metas;
  for (const CommittedPosition& position : *committed) {
    absl::StatusOr<PartitionMeta> meta = read_last_meta(**reader, options, position);
    if (!meta.ok()) return meta.status();
    metas.push_back(*std::move(meta));
  }
  const KafkaTopicNames names = topic_names(options);
  const absl::Status settled = wait_until_settled(options, places_of(names.ticks, partitions));
  if (!settled.ok()) return settled;
  const absl::StatusOr<std::vector<OffsetRange>> input = topics->ranges(names.input);
  if (!input.ok()) return input.status();

  Recording recording;
  // After what is committed: versions are there no later than what they led to.
  absl::StatusOr<ModelLog> log = read_whole_model_log(
      options, std::ranges::any_of(metas, [](const auto& m) { return m.next_offset > 0; }));
  if (!log.ok()) return log.status();
  recording.log = *std::move(log);
  for (const PartitionId p : partitions) {
    const PartitionMeta& meta = metas[static_cast<std::size_t>(p)];
    const OffsetRange range = (*input)[static_cast<std::size_t>(p)];
    // Retention may have passed what has been read: whether that matters is for the replay to say.
    const auto obstacle = find_obstacle(**reader, names.input, p, meta,
                                        std::max(meta.next_offset, range.begin), range);
    if (!obstacle.ok()) return obstacle.status();
    if (*obstacle)
      return not_whole(fmt::format("partition {} of {}: {}", p, names.input, (*obstacle)->what));
    absl::StatusOr<std::vector<Tick>> ticks = read_ticks(**reader, names.ticks, p, meta);
    if (!ticks.ok()) return ticks.status();
    recording.begins.push_back(begin_of(recording.log.rules.front().begin, {}, p).value_or(0));
    recording.ends.push_back(meta.next_offset);
    recording.records.push_back(meta.counters.records);
    recording.ticks.push_back(*std::move(ticks));
  }
  return recording;
}

}  // namespace rfm
