#include "stream/run/input_position.h"

#include <fmt/format.h>

#include <algorithm>

namespace rfm {
namespace {

absl::StatusOr<bool> holds(KafkaReader& reader, const std::string& topic, PartitionId partition,
                           const RecordMark& mark) {
  bool same = false;
  const absl::StatusOr<Offset> read =
      reader.read_range(topic, partition, {.begin = mark.offset, .end = mark.offset + 1},
                        [&](const RecordView& record) {
                          same = mark_of(record) == mark;
                          return absl::OkStatus();
                        });
  if (!read.ok()) return read.status();
  return same;
}

}  // namespace

absl::StatusOr<std::optional<InputObstacle>> find_obstacle(KafkaReader& reader,
                                                           const std::string& topic,
                                                           PartitionId partition,
                                                           const PartitionMeta& meta, Offset next,
                                                           OffsetRange log) {
  InputObstacle obstacle{.partition = partition, .next = next, .log = log, .what = {}};
  if (next > log.end) {
    obstacle.another_topic = true;
    obstacle.what = fmt::format(
        "offset {} is next, but the topic holds {} to {} only: it was deleted and made anew, or "
        "cut",
        next, log.begin, log.end);
    return obstacle;
  }
  const RecordMark& last = meta.last_record;
  if (last.hash != 0 && last.offset >= log.begin && last.offset < log.end) {
    const absl::StatusOr<bool> same = holds(reader, topic, partition, last);
    if (!same.ok()) return same.status();
    if (!*same) {
      obstacle.another_topic = true;
      obstacle.what = fmt::format(
          "offset {} does not hold the record that was applied last: the topic was deleted and "
          "made anew",
          last.offset);
      return obstacle;
    }
  }
  if (next >= log.begin) return std::nullopt;
  obstacle.what = fmt::format(
      "offset {} is next, but the topic begins at {}: {} offsets are gone unread (retention)", next,
      log.begin, log.begin - next);
  return obstacle;
}

std::vector<LossRecord> pending_losses(const InputLosses& losses, PartitionId partition,
                                       const PartitionMeta& meta) {
  std::vector<LossRecord> pending;
  for (const LossRecord& loss : losses.logged) {
    if (loss.partition == partition && loss.commit_number == meta.commit_number && !loss.changelog)
      pending.push_back(loss);
  }
  return pending;
}

std::optional<Offset> begin_of(const std::vector<Offset>& begin,
                               const std::vector<LossRecord>& losses, PartitionId partition) {
  const auto index = static_cast<std::size_t>(partition);
  std::optional<Offset> result;
  if (index < begin.size()) result = begin[index];
  for (const LossRecord& loss : losses) {
    if (loss.partition == partition && loss.another_topic) result = loss.to;
  }
  return result;
}

Offset go_live_offset(const RulesRecord& rules, const std::vector<LossRecord>& losses,
                      PartitionId partition) {
  const auto index = static_cast<std::size_t>(partition);
  Offset offset = index < rules.go_live.size() ? rules.go_live[index] : 0;
  for (const LossRecord& loss : losses) {
    if (loss.partition == partition && loss.another_topic) offset = std::min(offset, loss.to);
  }
  return offset;
}

std::string run_with_consent(std::map<PartitionId, Offset> consented,
                             const std::vector<InputObstacle>& obstacles, bool rewrite_changelog) {
  for (const InputObstacle& obstacle : obstacles)
    consented.emplace(obstacle.partition, obstacle.log.begin);
  std::string command = "rfmstream run";
  if (rewrite_changelog) command += " --rewrite-changelog";
  for (const auto& [partition, offset] : consented)
    command += fmt::format(" --accept-loss {}:{}", partition, offset);
  return command;
}

std::string text_of(const std::string& topic, const std::vector<InputObstacle>& obstacles) {
  std::string text;
  for (const InputObstacle& obstacle : obstacles)
    text += fmt::format("partition {} of {}: {}\n", obstacle.partition, topic, obstacle.what);
  return text;
}

absl::Status refuse(const std::string& topic, const std::vector<InputObstacle>& obstacles,
                    const std::string& command) {
  const bool another_topic = std::ranges::any_of(
      obstacles, [](const InputObstacle& obstacle) { return obstacle.another_topic; });
  return absl::FailedPreconditionError(fmt::format(
      "{}To go on without what is gone, with the customers as they are{}:\n"
      "  {}\n"
      "It is logged in the model log and counted. To build the state from the topic alone, begin "
      "anew: with an app.name, a state directory, output.transitions and output.segments of its "
      "own.",
      text_of(topic, obstacles), another_topic ? ", reading the new topic from its beginning" : "",
      command));
}

}  // namespace rfm
