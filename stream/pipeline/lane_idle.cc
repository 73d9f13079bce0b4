// What a lane does with partitions that have no further record, or none for a long time.
#include <algorithm>

#include "state/epoch.h"
#include "stream/pipeline/lane.h"

namespace rfm {

absl::Status Lane::idle() {
  if (!trial_over_) return absl::OkStatus();
  begin_work();
  if (const absl::Status synced = sync_model(); !synced.ok()) return synced;
  bool contributed = false;
  for (const auto& p : partitions_) {
    if (!is_at_end(*p)) continue;
    if (p->partition.follows_ticks()) {
      if (p->ended) {
        p->partition.follow_ticks(p->batch.front().offset);
      } else {
        p->partition.follow_ticks();
      }
      uncommitted_ = true;
      continue;
    }
    contributed |= contribute_idle(*p);
    if (p->partition.is_unfinished()) continue;
    if (!options_.tick_idle || parts_.clock.steady() - p->last_read < *options_.tick_idle) continue;
    tick_idle(*p);
  }
  if (const absl::Status written = output_.take_status(); !written.ok()) return written;
  return contributed ? commit() : absl::OkStatus();
}

bool Lane::is_at_end(const LanePartition& p) const {
  if (p.partition.is_unfinished()) return false;
  if (!trial_over_ && p.held.size() > 0) return false;
  return p.ended || (p.batch.empty() && parts_.source.at_end(p.id()));
}

std::optional<std::int64_t> Lane::awaited_contribution(const LanePartition& p) const {
  const std::optional<std::int64_t> epoch = parts_.trainer.awaited(p.id());
  if (!epoch || !models_.knows(*epoch) || !p.meta().started || p.meta().contributed >= *epoch)
    return std::nullopt;
  return epoch;
}

bool Lane::is_held_up() const {
  if (passes_end_) return false;
  bool holds_up = false;
  for (const auto& p : partitions_) {
    if (is_at_end(*p)) {
      holds_up |= p->meta().started ? awaited_contribution(*p).has_value() : !p->reported_empty;
    } else if (!p->waits_since) {
      return false;  // More may come by itself.
    }
  }
  return holds_up;
}

void Lane::pass_end() {
  passes_end_ = true;
  for (const auto& p : partitions_) p->ended = false;
}

bool Lane::contribute_idle(LanePartition& p) {
  const std::optional<std::int64_t> epoch = passes_end_ ? awaited_contribution(p) : std::nullopt;
  if (!epoch) return false;
  uncommitted_ = true;
  return p.partition.contribute_idle(*epoch) == Partition::Progress::kDone;
}

// As much event time has passed as time since the last event was received, and never more than
// there has been.
void Lane::tick_idle(LanePartition& p) {
  const PartitionMeta& meta = p.meta();
  const std::optional<std::int64_t> now =
      parts_.time == nullptr ? std::nullopt : parts_.time->believed_ms();
  if (!meta.started || !now) return;
  const Duration since{std::max<std::int64_t>(0, *now - meta.last_received_ms)};
  const EventTime passed = std::min(meta.max_event_time + since, from_ms(*now)) - rules_.lateness;
  // What a tick says is done at once, before any further record: it never waits for the model.
  const EventTime to = std::min(passed, p.partition.reachable());
  if (to <= meta.watermark || !p.partition.is_due(to)) return;
  p.log_tick(to);
  p.partition.tick(to);
  uncommitted_ = true;
}

absl::StatusOr<Lane::Activity> Lane::tick_all(std::optional<EventTime> to) {
  begin_work();
  const absl::Status synced = sync_model();
  if (!synced.ok()) return synced;
  bool waiting = false;
  bool busy = false;
  for (const auto& p : partitions_) {
    Partition::Progress progress = p->partition.follow_ticks();
    if (to && progress == Partition::Progress::kDone) progress = p->partition.tick(*to);
    waiting |= progress == Partition::Progress::kWaitsForModel;
    busy |= progress == Partition::Progress::kUnfinished;
    uncommitted_ = true;
  }
  if (waiting && parts_.trainer.recorded() && models_.started()) {
    return absl::FailedPreconditionError("the recorded model log ends before the time asked for");
  }
  if (const absl::Status written = output_.take_status(); !written.ok()) return written;
  if (commit_due()) {
    const absl::Status committed = commit();
    if (!committed.ok()) return committed;
  }
  return busy ? Activity::kBusy : waiting ? Activity::kWaiting : Activity::kAtEnd;
}

Silence Lane::silence() const {
  Silence longest;
  for (const auto& p : partitions_) {
    if (!p->waits_since && !p->partition.is_unfinished()) continue;
    const std::int64_t days = epoch_of(p->waiting_event) - p->meta().crossed;
    if (days <= longest.days_left) continue;
    longest = {.partition = p->id(),
               .from = p->meta().watermark,
               .to = p->waiting_event,
               .days_left = days};
  }
  return longest;
}

}  // namespace rfm
