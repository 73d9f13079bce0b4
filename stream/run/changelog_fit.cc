#include "stream/run/changelog_fit.h"

#include <fmt/format.h>

#include "stream/format/changelog_codec.h"
#include "stream/kafka/kafka_queries.h"

namespace rfm {
namespace {

bool same_commit(PartitionMeta a, PartitionMeta b) {
  a.changelog_next = b.changelog_next = 0;
  return encode_meta(a) == encode_meta(b);
}

}  // namespace

absl::Status of_log(const absl::Status& status) {
  return absl::IsDataLoss(status) ? absl::FailedPreconditionError(status.message()) : status;
}

absl::StatusOr<std::optional<PartitionMeta>> last_commit(KafkaReader& changelog,
                                                         const std::string& topic,
                                                         PartitionId partition) {
  std::optional<PartitionMeta> last;
  const absl::StatusOr<Offset> read = changelog.read_to_end(
      topic, partition, kFromBeginning, [&](const RecordView& record) -> absl::Status {
        const absl::StatusOr<StoreWrite> write = decode_changelog(partition, record);
        if (!write.ok() || write->kind != StoreKind::kMeta) return of_log(write.status());
        absl::StatusOr<PartitionMeta> meta = decode_meta(*write->value);
        if (meta.ok()) last = *std::move(meta);
        return of_log(meta.status());
      });
  if (!read.ok()) return read.status();
  return last;
}

absl::StatusOr<std::string> find_misfit(KafkaReader& changelog, const std::string& topic,
                                        PartitionId partition, const PartitionMeta& stored) {
  const Offset next = stored.changelog_next;
  if (next == 0) return "";
  const absl::StatusOr<OffsetRange> log = changelog.range(topic, partition);
  if (!log.ok()) return log.status();
  if (next < log->begin || next > log->end) {
    return fmt::format("offset {} is next, but it holds {} to {} only", next, log->begin, log->end);
  }
  std::optional<bool> same;  // Absent: compaction has removed the record.
  const absl::StatusOr<Offset> read = changelog.read_range(
      topic, partition, {.begin = next - 1, .end = next},
      [&](const RecordView& record) -> absl::Status {
        const absl::StatusOr<StoreWrite> write = decode_changelog(partition, record);
        same = write.ok() && write->kind == StoreKind::kMeta;
        if (!*same) return absl::OkStatus();
        const absl::StatusOr<PartitionMeta> meta = decode_meta(*write->value);
        same = meta.ok() && same_commit(*meta, stored);
        return absl::OkStatus();
      });
  if (!read.ok()) return read.status();
  if (!same) {
    const absl::StatusOr<std::optional<PartitionMeta>> last =
        last_commit(changelog, topic, partition);
    if (!last.ok()) return last.status();
    same = *last && (*last)->application == stored.application &&
           (*last)->commit_number >= stored.commit_number;
  }
  if (*same) return "";
  return fmt::format("offset {} does not hold commit {}, which the state ends with", next - 1,
                     stored.commit_number);
}

// The last commit is younger than that if the log holds a record as young before its end: it is
// written in order of time. Where compaction has removed all of them that is not known.
absl::StatusOr<std::string> find_forgotten(KafkaReader& changelog, const std::string& topic,
                                           PartitionId partition, const PartitionMeta& stored,
                                           std::int64_t now_ms, std::chrono::milliseconds kept) {
  const Offset next = stored.changelog_next;
  if (next == 0) return "";
  const absl::StatusOr<OffsetRange> log = changelog.range(topic, partition);
  if (!log.ok()) return log.status();
  const absl::StatusOr<std::optional<Offset>> young =
      changelog.offset_at(topic, partition, now_ms - kept.count());
  if (!young.ok()) return young.status();
  if (*young && **young < next) return "";
  bool goes_on = false;  // The newest commit is never compacted away.
  const absl::StatusOr<Offset> read =
      changelog.read_range(topic, partition, {.begin = next, .end = log->end},
                           [&](const RecordView& /*record*/) -> absl::Status {
                             goes_on = true;
                             return absl::OkStatus();
                           });
  if (!read.ok()) return read.status();
  if (!goes_on) return "";
  return fmt::format(
      "its last commit, {}, is older than the changelog keeps deletions (delete.retention.ms, {} "
      "h)",
      stored.commit_number, std::chrono::duration_cast<std::chrono::hours>(kept).count());
}

absl::Status refuse_changelog(const KafkaOptions& options, PartitionId partition,
                              const Witnesses& witnesses, const std::string& misfit,
                              const std::string& command) {
  const std::string topic = topic_names(options).changelog;
  std::string way =
      "To build the state from the input, begin anew: with an app.name, a state directory, "
      "output.transitions and output.segments of its own.";
  if (witnesses.stored == witnesses.committed) {
    way = "The state is whole. To go on with it, have the changelog written anew:";
    if (witnesses.logged) {
      way += fmt::format(
          "\n  kafka-topics.sh --bootstrap-server {} --delete --topic {}\n"
          "  rfmstream topics create",
          options.brokers, topic);
    }
    way += fmt::format("\n  {}\nIt is logged in the model log and counted.", command);
  }
  return absl::FailedPreconditionError(fmt::format(
      "partition {}: the changelog {} does not belong to the state directory, which is left as it "
      "is: {}. It was cut, or deleted and made anew. The changelog leads to offset {} of the "
      "input, "
      "the state to {}, and {} is committed.\n{}",
      partition, topic, misfit, witnesses.logged.value_or(0), witnesses.stored, witnesses.committed,
      way));
}

}  // namespace rfm
