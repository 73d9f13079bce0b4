#include "stream/pipeline/partition.h"

#include <algorithm>
#include <utility>

#include "model/day.h"
#include "state/assertion.h"
#include "state/epoch.h"
#include "state/evaluation.h"
#include "state/hashes.h"
#include "stream/text/time_text.h"

namespace rfm {

namespace {

std::string future_message(EventTime event_time, std::int64_t received_ms) {
  std::string message = "invoice_time " + to_rfc3339(event_time) +
                        " is later than the record's timestamp " +
                        to_rfc3339(from_ms(received_ms)) + " by more than input.future_max";
  constexpr std::int64_t kFirstYearMs = 365 * kDayMs;
  if (received_ms < kFirstYearMs)
    message += "; the timestamp looks like seconds, Kafka's are milliseconds";
  return message;
}

}  // namespace

bool is_from_future(EventTime event_time, std::int64_t received_ms, const Rules& rules) {
  return to_ms(event_time) > received_ms + rules.future_max.count();
}

Partition::Partition(PartitionOptions options, const Rules& rules, const ModelTimeline& models,
                     PartitionListener& listener)
    : options_(std::move(options)),
      rules_(rules),
      models_(models),
      listener_(listener),
      rows_({rules, models}) {}

std::optional<Rejection> Partition::refusal(const RecordView& record,
                                            const DecodedEvent& event) const {
  if (const auto* rejection = std::get_if<Rejection>(&event)) return *rejection;
  const auto time_of = [](const auto& e) -> std::optional<EventTime> {
    if constexpr (requires { e.invoice_time; }) return e.invoice_time;
    return std::nullopt;
  };
  const std::optional<EventTime> time = std::visit(time_of, event);
  return time ? check_time(*time, record) : std::nullopt;
}

Partition::Progress Partition::process(const RecordView& record, const DecodedEvent& event) {
  Progress progress = follow_ticks(record.offset);
  if (progress != Progress::kDone) return progress;
  OutcomeCounters& counters = meta_.counters;
  if (!meta_.go_live_watermark && record.offset >= options_.go_live_offset)
    meta_.go_live_watermark = meta_.watermark;
  const auto timed = [&](const auto& e) {
    if (const auto rejection = check_time(e.invoice_time, record)) {
      reject(record, *rejection);
      return Progress::kDone;
    }
    const Progress reached = reach(e.invoice_time, record);
    if (reached == Progress::kDone) apply(e, record);
    return reached;
  };
  if (const auto* line = std::get_if<LineEvent>(&event)) {
    progress = timed(*line);
  } else if (const auto* invoice = std::get_if<InvoiceEvent>(&event)) {
    progress = timed(*invoice);
  } else if (const auto* rejection = std::get_if<Rejection>(&event)) {
    reject(record, *rejection);
  } else if (const auto* tombstone = std::get_if<Tombstone>(&event)) {
    erase(*tombstone);
  } else if (const auto* ignored = std::get_if<IgnoredRecord>(&event)) {
    ignore(ignored->reason);
  } else if (const auto* adjustment = std::get_if<Adjustment>(&event)) {
    ignore(IgnoredReason::kAdjustment, adjustment->invoice_time, record);
  } else if (const auto* sale = std::get_if<AnonymousSale>(&event)) {
    ignore(IgnoredReason::kNoCustomer, sale->invoice_time, record);
  }
  if (progress != Progress::kDone) return progress;
  ++counters.records;
  meta_.next_offset = record.offset + 1;
  return Progress::kDone;
}

void Partition::give_up(const LossRecord& loss) {
  meta_.next_offset = loss.to;
  meta_.last_record = {};
  meta_.counters.given_up += static_cast<std::uint64_t>(loss.offsets);
  // Where the service went live is told in offsets of the topic before.
  if (loss.another_topic) options_.go_live_offset = std::min(options_.go_live_offset, loss.to);
}

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

bool Partition::is_due(EventTime by) const {
  return meta_.started && (rows_.earliest_due() <= by || boundary_of(meta_.crossed + 1) <= by);
}

std::optional<Rejection> Partition::check_time(EventTime event_time,
                                               const RecordView& record) const {
  if (is_from_future(event_time, record.received_ms, rules_)) {
    return Rejection{DeadLetterReason::kFutureEventTime,
                     future_message(event_time, record.received_ms)};
  }
  const bool too_old = meta_.started && event_time < meta_.watermark - rules_.dedup_horizon;
  if (to_ms(event_time) < 0 || too_old) {
    return Rejection{DeadLetterReason::kBeyondHorizon,
                     "invoice_time " + to_rfc3339(event_time) +
                         " is older than dedup.horizon before the watermark"};
  }
  return std::nullopt;
}

Partition::Progress Partition::reach(EventTime event_time, const RecordView& record) {
  const EventTime watermark = event_time - rules_.lateness;
  if (!meta_.started) {
    meta_.started = true;
    meta_.watermark = watermark;
    meta_.crossed = epoch_of(watermark);
    meta_.first_boundary = meta_.crossed + 1;
    meta_.contributed = meta_.crossed;
    if (meta_.go_live_watermark) meta_.go_live_watermark = watermark;
    listener_.on_started(meta_.first_boundary);
  }
  const Progress progress = move_watermark(watermark, event_time);
  if (progress != Progress::kDone) return progress;
  if (event_time > meta_.max_event_time) {
    meta_.max_event_time = event_time;
    meta_.last_received_ms = record.received_ms;
  }
  return Progress::kDone;
}

// At one instant: deadlines, then the boundary. A boundary is crossed as soon as what takes effect
// there is known; the record that led here waits for those up to its own event time, because its
// customer will cross them.
Partition::Progress Partition::move_watermark(EventTime to, EventTime event_time) {
  while (boundary_of(meta_.crossed + 1) <= to) {
    const std::int64_t epoch = meta_.crossed + 1;
    if (!models_.knows(epoch)) return Progress::kWaitsForModel;
    meta_.moving_to = std::max(meta_.moving_to, boundary_of(epoch));
    if (!cross(epoch)) return Progress::kUnfinished;
  }
  if (!models_.knows(std::max(meta_.crossed, epoch_of(event_time))))
    return Progress::kWaitsForModel;
  if (to > meta_.watermark) {
    meta_.moving_to = std::max(meta_.moving_to, to);
    if (!fire_deadlines(to)) return Progress::kUnfinished;
    meta_.watermark = to;
  }
  return Progress::kDone;
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
  if (piece_left_ > 0) --piece_left_;  // Boundaries are work too when nobody changes.
  return true;
}

bool Partition::fire_deadlines(EventTime until) {
  while (rows_.earliest_due() <= until) {
    if (piece_left_ == 0) return false;
    --piece_left_;
    const ResidentRows::Fired fired = rows_.fire_deadline(meta_.watermark, until, buffer_);
    if (fired.row == nullptr) continue;
    if (fired.settled) on_settled(*fired.row, *fired.settled);
    emit(buffer_);
    rows_.drop_if_empty(*fired.row);
  }
  return true;
}

bool Partition::sweep(std::int64_t epoch) {
  const BoundaryStep step = boundary_step(epoch, {rules_, models_});
  while (swept_ < rows_.places()) {
    if (piece_left_ == 0) return false;
    const std::size_t next = rows_.sweep(step, swept_, piece_left_, buffer_).next;
    piece_left_ -= next - swept_;
    swept_ = next;
    emit(buffer_);
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

// What is nobody's is judged by its time like what is somebody's.
void Partition::ignore(IgnoredReason reason, EventTime event_time, const RecordView& record) {
  if (const auto rejection = check_time(event_time, record)) {
    reject(record, *rejection);
  } else {
    ignore(reason);
  }
}

void Partition::reject(const RecordView& record, const Rejection& rejection) {
  ++meta_.counters.dead_lettered[static_cast<std::size_t>(rejection.reason)];
  listener_.on_dead_letter(record, rejection);
}

void Partition::emit(TransitionBuffer& buffer) {
  for (const Transition& transition : buffer.transitions)
    listener_.on_transition(transition, meta_);
  meta_.counters.transitions += buffer.transitions.size();
  meta_.counters.suppressed += buffer.suppressed;
  buffer.clear();
}

void Partition::on_settled(const CustomerRow& row, const SettledInvoice& settled) {
  ++meta_.counters.invoices_settled;
  if (!is_refused(settled.outcome)) return count_unfolded(row);
  ++meta_.counters.invoices_rejected;
  listener_.on_rejected_invoice(row, settled);
}

void Partition::apply(const InvoiceEvent& event, const RecordView& record) {
  CustomerRow& row = rows_.find_or_add(event.customer_id);
  const bool is_new = ResidentRows::is_empty(row);
  settle(row);
  const EventTime clock = rows_.clock_of(row, meta_.watermark);
  const InvoiceFact fact{
      .invoice = {.number_hash = invoice_hash(event.invoice_no),
                  .amount = event.amount,
                  .time = event.invoice_time,
                  .type = event.type,
                  .country_bits = country_bits(event.country),
                  .original_hash = event.original_invoice_no.empty()
                                       ? 0
                                       : invoice_hash(event.original_invoice_no),
                  .revision = event.revision,
                  .is_void = event.is_void},
      .invoice_no = event.invoice_no,
      .event_id = event.event_id,
      .country = event.country,
      .consent = event.consent,
      .position = record.offset,
  };
  LedgerOutcome outcome = LedgerOutcome::kApplied;
  rows_.change(row, [&](CustomerRow& changing) {
    outcome = apply_invoice(changing, fact, clock, {rules_, models_}, buffer_);
  });
  emit(buffer_);
  if (is_refused(outcome)) {
    reject(record, rejection_of(outcome, event.invoice_no));
  } else if (outcome == LedgerOutcome::kDuplicate) {
    ++meta_.counters.duplicate;
  } else if (outcome == LedgerOutcome::kSuperseded) {
    ignore(IgnoredReason::kSuperseded);
  } else {
    ++meta_.counters.applied;
    if (event.invoice_time < clock) ++meta_.counters.late;
    count_unfolded(row);
  }
  if (is_new && !ResidentRows::is_empty(row)) listener_.on_new_customer(row);
  rows_.drop_if_empty(row);
}

namespace {

// Lines without an id (0) are not told apart.
void remember(std::uint64_t event_hash, OpenInvoice& open) {
  if (event_hash != 0 && open.event_ids.size() < OpenInvoice::kEventIdsMax)
    open.event_ids.insert(event_hash);
}

}  // namespace

void Partition::apply(const LineEvent& event, const RecordView& record) {
  CustomerRow& row = rows_.find_or_add(event.customer_id);
  const bool is_new = ResidentRows::is_empty(row);
  const std::uint64_t event_hash = event.event_id.empty() ? 0 : event_id_hash(event.event_id);
  if (row.open && row.open->invoice_no == event.invoice_no) {
    OpenInvoice& open = *row.open;
    if (open.event_ids.contains(event_hash)) {
      ++meta_.counters.duplicate;
      return;
    }
    Money sum;
    if (__builtin_add_overflow(open.sum.units, event.amount.units, &sum.units)) {
      reject(record, rejection_of(LedgerOutcome::kOverflow, event.invoice_no));
      return;
    }
    rows_.change(row, [&](CustomerRow&) {
      open.sum = sum;
      open.last_line = std::max(open.last_line, event.invoice_time);
      open.last_position = record.offset;
      if (!event.country.empty()) open.country = event.country;
      remember(event_hash, open);
    });
    ++meta_.counters.applied;
    return;
  }
  settle(row);
  const EventTime clock = rows_.clock_of(row, meta_.watermark);
  rows_.change(row, [&](CustomerRow& changing) {
    changing.open =
        std::make_unique<OpenInvoice>(OpenInvoice{.invoice_no = std::string(event.invoice_no),
                                                  .country = std::string(event.country),
                                                  .sum = event.amount,
                                                  .last_line = event.invoice_time,
                                                  .row_at = clock,
                                                  .type = event.type,
                                                  .last_position = record.offset,
                                                  .event_ids = {}});
    remember(event_hash, *changing.open);
  });
  if (is_new) listener_.on_new_customer(row);
  ++meta_.counters.applied;
  if (event.invoice_time < clock) ++meta_.counters.late;
}

void Partition::settle(CustomerRow& row) {
  if (!row.open) return;
  SettledInvoice settled;
  rows_.change(row, [&](CustomerRow& changing) {
    settled = settle_open_invoice(changing, meta_.watermark, {rules_, models_}, buffer_);
  });
  on_settled(row, settled);
  emit(buffer_);
}

void Partition::erase(const Tombstone& event) {
  ++meta_.counters.erased;
  CustomerRow* const row = rows_.find(event.customer_id);
  if (row != nullptr) {
    // What was due before is due still, so that line and invoice input say the same.
    settle(*row);
    const EventTime now = rows_.clock_of(*row, meta_.watermark);
    rows_.change(*row, [&](CustomerRow& changing) {
      erase_segments(changing, now, {rules_, models_}, buffer_);
    });
    emit(buffer_);
  }
  listener_.on_erased(event.customer_id, row);
  if (row != nullptr) rows_.erase(*row);
}

}  // namespace rfm
