// A lane's start with a partition.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "state/assertion.h"
#include "stream/format/changelog_codec.h"
#include "stream/pipeline/lane.h"

namespace rfm {
namespace {

void leave_out_ticks(EventTime until, PartitionOptions& options) {
  std::vector<Tick>& ticks = *options.ticks;
  const auto first = std::ranges::find_if(ticks, [&](const Tick& t) { return t.time > until; });
  if (first == ticks.end()) return;
  options.until_offset = first->offset;
  ticks.erase(first, ticks.end());
}

}  // namespace

absl::StatusOr<std::unique_ptr<PartitionRestore>> Lane::restore(const PartitionOptions& options) {
  const absl::Status synced = sync_model();
  if (!synced.ok()) return synced;
  PartitionOptions in_pieces = options;
  in_pieces.piece_rows = options_.piece_rows;
  if (options_.until && in_pieces.ticks) leave_out_ticks(*options_.until, in_pieces);
  auto partition = std::make_unique<LanePartition>(
      in_pieces,
      LanePartition::Shared{rules_, models_, output_, parts_.trainer, parts_.store, parts_.places});
  auto restored = std::make_unique<PartitionRestore>(std::move(partition), parts_.store,
                                                     TimeContext{rules_, models_}, parts_.stop);
  const absl::Status read = restored->read_store();
  if (!read.ok()) return read;
  if (const absl::Status ours = check_identity(restored->meta()); !ours.ok()) return ours;
  return restored;
}

absl::StatusOr<Offset> Lane::own(std::unique_ptr<PartitionRestore> restored) {
  if (const absl::Status ours = check_identity(restored->meta()); !ours.ok()) return ours;
  if (const absl::Status indexed = restored->index(); !indexed.ok()) return indexed;
  std::unique_ptr<LanePartition> p = restored->take();
  PartitionMeta& meta = p->meta();
  meta.application = options_.application;
  meta.input_topic = options_.input_topic;
  meta.partition_count = options_.partition_count;
  if (meta.input_mark == 0) meta.input_mark = options_.input_mark;
  if (parts_.places != nullptr) {
    p->partition.rows().for_each([&](const CustomerRow& row) { parts_.places->add(row, p->id()); });
  }
  p->observer = observer_;
  p->counted = meta.counters;
  p->logged_tick = std::max(meta.watermark, meta.moving_to);
  p->last_read = parts_.clock.steady();
  if (meta.started) parts_.trainer.partition_started(p->id(), meta.first_boundary);
  const Offset next_offset = meta.next_offset;
  partitions_.push_back(std::move(p));
  return next_offset;
}

// In several transactions, the meta row in the last of them: without it the changelog still holds
// no commit, and all is written another time.
absl::Status Lane::rewrite_changelog(PartitionId partition) {
  std::size_t records = 0;
  std::size_t bytes = 0;
  const auto append = [&](const StoreWrite& write) {
    ++records;
    bytes += write.key.size() + write.value->size();
    return parts_.sink.append(OutputTopic::kChangelog, partition, changelog_key(write), write.value,
                              {});
  };
  for (const StoreKind kind : {StoreKind::kRow, StoreKind::kBook, StoreKind::kSaleLines}) {
    const absl::Status scanned =
        parts_.store.scan(kind, partition, [&](std::string_view key, std::string_view value) {
          const absl::Status appended =
              append({kind, partition, std::string(key), std::string(value)});
          const bool is_full = records >= options_.transaction_records_max ||
                               bytes >= options_.transaction_bytes_max;
          if (!appended.ok() || !is_full) return appended;
          records = bytes = 0;
          return parts_.sink.commit({}).status();
        });
    if (!scanned.ok()) return scanned;
  }
  absl::StatusOr<std::optional<PartitionMeta>> stored = read_meta(parts_.store, partition);
  if (!stored.ok()) return stored.status();
  RFM_ASSERT(stored->has_value());
  PartitionMeta& meta = **stored;
  ++meta.counters.changelogs_rewritten;
  if (const absl::Status appended = append(meta_write(partition, meta)); !appended.ok())
    return appended;
  const absl::StatusOr<CommitReceipt> receipt = parts_.sink.commit({});
  if (!receipt.ok()) return receipt.status();
  for (const auto& [written, next] : receipt->changelog_next) {
    if (written == partition) meta.changelog_next = next;
  }
  for (const auto& p : partitions_) {
    if (p->id() != partition) continue;
    p->meta().changelog_next = meta.changelog_next;
    ++p->meta().counters.changelogs_rewritten;
  }
  const std::vector<StoreWrite> writes = {meta_write(partition, meta)};
  return parts_.store.write(writes);
}

absl::Status Lane::check_identity(const PartitionMeta& meta) const {
  if (meta.application.empty()) return absl::OkStatus();
  if (meta.application != options_.application || meta.input_topic != options_.input_topic ||
      meta.partition_count != options_.partition_count) {
    return absl::FailedPreconditionError(fmt::format(
        "the state belongs to application {}, topic {} with {} partitions, not to {}, {} with {}: "
        "use another state directory, and another app.name for another topic",
        meta.application, meta.input_topic, meta.partition_count, options_.application,
        options_.input_topic, options_.partition_count));
  }
  const bool marks_known = meta.input_mark != 0 && options_.input_mark != 0;
  if (!marks_known || meta.input_mark == options_.input_mark) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the state was made from an input that begins with another record: go on with that one, "
      "which may have grown at its end, or use another state directory");
}

void Lane::drop_partitions() {
  if (parts_.queries != nullptr) parts_.queries->close("partitions are assigned anew");
  for (const auto& p : partitions_) {
    if (parts_.places != nullptr) parts_.places->drop(p->id());
  }
  partitions_.clear();
  output_.abandon();
  awaited_.clear();
  paused_.clear();
  watch_.clear();
  uncommitted_ = false;
}

void Lane::give_up(const LossRecord& loss) {
  for (const auto& p : partitions_) {
    if (p->id() != loss.partition) continue;
    p->partition.give_up(loss);
    uncommitted_ = true;
  }
}

}  // namespace rfm
