// What moves a partition beside its records: ticks, boundaries, and idle contributions.
#include <algorithm>
#include <utility>

#include "model/day.h"
#include "state/assertion.h"
#include "state/epoch.h"
#include "state/evaluation.h"
#include "state/hashes.h"
#include "stream/pipeline/partition.h"
#include "stream/text/time_text.h"

namespace rfm {

Partition::Progress Partition::tick(EventTime to) {
  piece_left_ = options_.piece_rows;
  const Progress progress = go_on_idle();
  return progress == Progress::kDone ? move_to(to) : progress;
}

Partition::Progress Partition::move_to(EventTime to) {
  if (!meta_.started || to <= meta_.watermark) return Progress::kDone;
  if (!meta_.go_live_watermark && meta_.next_offset >= options_.go_live_offset)
    meta_.go_live_watermark = meta_.watermark;
  meta_.moving_to = std::max(meta_.moving_to, to);
  return move_watermark(to, to);
}

Partition::Progress Partition::go_on() {
  piece_left_ = options_.piece_rows;
  const Progress progress = go_on_idle();
  if (progress != Progress::kDone || !is_unfinished()) return progress;
  return move_watermark(meta_.moving_to, meta_.moving_to);
}

EventTime Partition::reachable() const {
  if (!models_.knows(meta_.crossed)) return meta_.watermark;
  return boundary_of(models_.trained_through() + 2) - Duration{1};
}

Partition::Progress Partition::follow_ticks(Offset offset) {
  const Progress progress = go_on();
  return progress == Progress::kDone ? follow_ticks_before(offset) : progress;
}

// One that was followed before a restart is not later than the watermark, or what has been
// contributed.
Partition::Progress Partition::follow_ticks_before(Offset offset) {
  if (!options_.ticks) return Progress::kDone;
  for (; next_tick_ < options_.ticks->size(); ++next_tick_) {
    const Tick& recorded = (*options_.ticks)[next_tick_];
    if (recorded.offset > offset) break;
    meta_.next_offset = std::max(meta_.next_offset, recorded.offset);
    if (!recorded.contributes) {
      const Progress progress = move_to(recorded.time);
      if (progress != Progress::kDone) return progress;
    } else {
      if (!models_.knows(*recorded.contributes)) return Progress::kWaitsForModel;
      idle_through_ = recorded.contributes;
      const Progress progress = go_on_idle();
      if (progress != Progress::kDone) return progress;
    }
  }
  return Progress::kDone;
}

Partition::Progress Partition::contribute_idle(std::int64_t epoch) {
  piece_left_ = options_.piece_rows;
  idle_through_ = epoch;
  return go_on_idle();
}

// Beside that for the last boundary, those for boundaries at which it counted as empty. After a
// restart in between it begins with the first that is not committed.
Partition::Progress Partition::go_on_idle() {
  if (!meta_.started) idle_through_.reset();
  if (!idle_through_) return Progress::kDone;
  for (std::int64_t epoch = std::max(meta_.contributed + 1, meta_.first_boundary);
       epoch <= *idle_through_; ++epoch) {
    if (piece_left_ == 0 || !contribute(epoch)) return Progress::kUnfinished;
    if (piece_left_ > 0) --piece_left_;
  }
  idle_through_.reset();
  return Progress::kDone;
}

TransitionContext Partition::transition_context() const {
  TransitionContext context{
      .go_live = {.offset = options_.go_live_offset, .time = options_.go_live_time},
      .live_after = options_.go_live_time};
  if (!context.live_after && meta_.go_live_watermark)
    context.live_after = std::max(*meta_.go_live_watermark, options_.first_start);
  return context;
}

bool Partition::is_due(EventTime by) const {
  return meta_.started && (rows_.earliest_due() <= by || boundary_of(meta_.crossed + 1) <= by);
}

// The watermark stays until everybody has crossed. After a restart in between, one who changed has
// the boundary as the row's clock and is left alone; one who did not is asked again, and the same
// is found.
bool Partition::cross(std::int64_t epoch) {
  const EventTime boundary = boundary_of(epoch);
  if (piece_left_ == 0 || !fire_deadlines(boundary) || !sweep(epoch)) return false;
  // No record is applied between the sweep and this.
  if (epoch > meta_.contributed && !contribute(epoch)) return false;
  swept_ = 0;
  meta_.watermark = std::max(meta_.watermark, boundary);
  meta_.crossed = epoch;
  ++figures_.boundaries_crossed;
  if (piece_left_ > 0) --piece_left_;  // Boundaries are work too when nobody changes.
  return true;
}

bool Partition::fire_deadlines(EventTime until) {
  while (rows_.earliest_due() <= until) {
    if (piece_left_ == 0) return false;
    --piece_left_;
    const ResidentRows::Fired fired = rows_.fire_deadline(meta_.watermark, until, buffer_);
    if (fired.row == nullptr) continue;
    ++figures_.deadlines_fired;
    if (fired.settled) on_settled(*fired.row, *fired.settled);
    emit(buffer_, fired.row);
    rows_.drop_if_empty(*fired.row);
  }
  return true;
}

bool Partition::sweep(std::int64_t epoch) {
  const BoundaryStep step = boundary_step(epoch, {rules_, models_});
  while (swept_ < rows_.places()) {
    if (piece_left_ == 0) return false;
    const auto [next, changed] = rows_.sweep(step, swept_, piece_left_, buffer_);
    piece_left_ -= next - swept_;
    figures_.customers_swept += next - swept_;
    swept_ = next;
    emit(buffer_, changed);
  }
  return true;
}

bool Partition::contribute(std::int64_t epoch) {
  const ModelVersion* effective = models_.effective_in(epoch);
  const bool has_sample = wants_sample(options_.schedule, epoch, effective);
  if (has_sample && sampled_ < rows_.places()) {
    const std::size_t next = rows_.visit_places(sampled_, piece_left_, [&](const CustomerRow& row) {
      if (!is_sampled(row.id_hash, effective->sample_shift)) return;
      const CustomerFacts facts = facts_of(row, rules_, effective, boundary_of(epoch));
      if (facts.frequency == 0) return;
      sample_.push_back({.id_hash = row.id_hash,
                         .first_purchase_ms = to_ms(facts.first_purchase),
                         .last_purchase_ms = to_ms(facts.last_purchase),
                         .monetary = facts.monetary.units,
                         .frequency = facts.frequency});
    });
    piece_left_ -= next - sampled_;
    sampled_ = next;
    if (sampled_ < rows_.places()) return false;
  }
  sampled_ = 0;
  Contribution contribution;
  contribution.epoch = epoch;
  contribution.population = rows_.totals().population();
  contribution.clusters = rows_.totals().sums();
  contribution.has_sample = has_sample;
  contribution.sample = std::exchange(sample_, {});
  std::ranges::sort(contribution.sample, {}, &SampleRow::id_hash);
  meta_.contributed = epoch;
  listener_.on_contribution(contribution);
  return true;
}

}  // namespace rfm
