// A lane's start with a partition.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "stream/pipeline/lane.h"

namespace rfm {

absl::StatusOr<std::unique_ptr<PartitionRestore>> Lane::restore(const PartitionOptions& options) {
  const absl::Status synced = sync_model();
  if (!synced.ok()) return synced;
  PartitionOptions in_pieces = options;
  in_pieces.piece_rows = options_.piece_rows;
  auto partition = std::make_unique<LanePartition>(
      in_pieces, LanePartition::Shared{rules_, models_, output_, parts_.trainer});
  auto restored =
      std::make_unique<PartitionRestore>(std::move(partition), parts_.store, rules_, parts_.stop);
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
  p->observer = observer_;
  p->logged_tick = std::max(meta.watermark, meta.moving_to);
  p->last_read = parts_.clock.steady();
  if (meta.started) parts_.trainer.partition_started(p->id(), meta.first_boundary);
  const Offset next_offset = meta.next_offset;
  partitions_.push_back(std::move(p));
  return next_offset;
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

}  // namespace rfm
