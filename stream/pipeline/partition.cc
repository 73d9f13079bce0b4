#include "stream/pipeline/partition.h"

#include <algorithm>
#include <utility>

#include "model/day.h"
#include "state/epoch.h"
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
                     PartitionListener& listener, StateStore* store)
    : options_(std::move(options)),
      rules_(rules),
      models_(models),
      listener_(listener),
      rows_({rules, models}),
      books_({rules, models}, store, options_.partition) {}

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
    erase(*tombstone, record);
  } else if (const auto* ignored = std::get_if<IgnoredRecord>(&event)) {
    ignore(ignored->reason);
  } else if (const auto* adjustment = std::get_if<Adjustment>(&event)) {
    ignore(IgnoredReason::kAdjustment, adjustment->invoice_time, record);
  } else if (const auto* sale = std::get_if<AnonymousSale>(&event)) {
    if (ignore(IgnoredReason::kNoCustomer, sale->invoice_time, record)) books_.book(*sale);
  }
  if (progress != Progress::kDone) return progress;
  ++counters.records;
  meta_.next_offset = record.offset + 1;
  return Progress::kDone;
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

// What is nobody's is judged by its time like what is somebody's.
bool Partition::ignore(IgnoredReason reason, EventTime event_time, const RecordView& record) {
  const auto rejection = check_time(event_time, record);
  if (!rejection) ignore(reason);
  if (rejection) reject(record, *rejection);
  return !rejection;
}

void Partition::reject(const RecordView& record, const Rejection& rejection) {
  ++meta_.counters.dead_lettered[static_cast<std::size_t>(rejection.reason)];
  listener_.on_dead_letter(record, rejection);
}

void Partition::emit(TransitionBuffer& buffer, CustomerRow* row) {
  for (const Transition& transition : buffer.transitions)
    listener_.on_transition(transition, meta_);
  if (row != nullptr) books_.book(*row, buffer, transition_context());
  for (const auto& [adopter, facts] : buffer.adoptions) listener_.on_rules_adopted(*adopter, facts);
  meta_.counters.transitions += buffer.transitions.size();
  meta_.counters.suppressed += buffer.suppressed;
  buffer.clear();
}

void Partition::on_settled(const CustomerRow& row, const SettledInvoice& settled) {
  ++meta_.counters.invoices_settled;
  if (!is_refused(settled.outcome)) {
    books_.book(row, settled);
    return count_unfolded(row);
  }
  ++meta_.counters.invoices_rejected;
  listener_.on_rejected_invoice(row, settled);
}

void Partition::apply(const InvoiceEvent& event, const RecordView& record) {
  CustomerRow& row = rows_.find_or_add(event.customer_id, rules_in_force());
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
  const std::optional<LedgerInvoice> replaced = row.ledger.find(fact.invoice);
  LedgerOutcome outcome = LedgerOutcome::kApplied;
  rows_.change(row, [&](CustomerRow& changing) {
    outcome = apply_invoice(changing, fact, clock, {rules_, models_}, buffer_);
  });
  emit(buffer_, outcome == LedgerOutcome::kApplied ? &row : nullptr);
  if (is_refused(outcome)) {
    reject(record, rejection_of(outcome, event.invoice_no));
  } else if (outcome == LedgerOutcome::kDuplicate) {
    ++meta_.counters.duplicate;
  } else if (outcome == LedgerOutcome::kSuperseded) {
    ignore(IgnoredReason::kSuperseded);
  } else {
    books_.book(row, event, replaced, meta_.watermark);
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
  CustomerRow& row = rows_.find_or_add(event.customer_id, rules_in_force());
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
      books_.keep(event, open);
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
    books_.keep(event, *changing.open);
  });
  if (is_new) listener_.on_new_customer(row);
  ++meta_.counters.applied;
  if (event.invoice_time < clock) ++meta_.counters.late;
  if (rules_.settle == Duration{0}) settle(row);  // Line by line.
}

void Partition::settle(CustomerRow& row) {
  if (!row.open) return;
  SettledInvoice settled;
  rows_.change(row, [&](CustomerRow& changing) {
    settled = settle_open_invoice(changing, meta_.watermark, {rules_, models_}, buffer_);
  });
  on_settled(row, settled);
  emit(buffer_, &row);
}

void Partition::erase(const Tombstone& event, const RecordView& record) {
  ++meta_.counters.erased;
  CustomerRow* const row = rows_.find(event.customer_id);
  EventTime now = meta_.watermark;
  if (row != nullptr) {
    // What was due before is due still, so that line and invoice input say the same.
    settle(*row);
    now = rows_.clock_of(*row, meta_.watermark);
    rows_.change(*row, [&](CustomerRow& changing) {
      erase_segments(changing, now, {rules_, models_}, buffer_);
    });
    emit(buffer_, row);
    books_.erase(*row);
  }
  listener_.on_erased({.customer_id = event.customer_id,
                       .row = row,
                       .partition = options_.partition,
                       .position = record.offset,
                       .at = now});
  if (row != nullptr) rows_.erase(*row);
}

}  // namespace rfm
