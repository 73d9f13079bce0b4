#include "stream/pipeline/lane.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "state/epoch.h"
#include "stream/format/changelog_codec.h"

namespace rfm {
namespace {

// Null: it has none. A copy would wait until the event's fields, just written, are stored.
const EventTime* time_of(const DecodedEvent& event) {
  return std::visit(
      [](const auto& e) -> const EventTime* {
        if constexpr (requires { e.invoice_time; }) return &e.invoice_time;
        return nullptr;
      },
      event);
}

}  // namespace

Lane::Lane(const LaneOptions& options, const Rules& rules, const DecoderOptions& decoder,
           const LaneParts& parts)
    : options_(options),
      rules_(rules),
      parts_(parts),
      decoder_(decoder),
      output_(parts.sink, {rules, models_},
              {.application = options.application,
               .input_topic = options.input_topic,
               .currency = decoder.currency},
              options.output),
      passes_end_(!options.holds_at_end),
      watch_(options.dead_letters.share_max),
      last_commit_(parts.clock.steady()),
      begun_(last_commit_),
      own_figures_(parts.figures == nullptr ? std::make_unique<LaneFigures>() : nullptr),
      figures_(parts.figures == nullptr ? *own_figures_ : *parts.figures) {}

void Lane::observe(LaneObserver& observer) {
  observer_ = &observer;
  for (const auto& p : partitions_) p->observer = observer_;
}

void Lane::begin_work() {
  if (!uncommitted_) begun_ = parts_.clock.steady();
}

absl::StatusOr<Lane::Activity> Lane::step() {
  work_queries();
  begin_work();
  absl::Status status = parts_.source.service();
  if (status.ok()) status = sync_model();
  if (!status.ok()) return status;
  if (!trial_over_) {
    const absl::StatusOr<std::optional<Activity>> tried = try_input();
    if (!tried.ok()) return tried.status();
    if (*tried) return **tried;
  }
  if (!paused_.empty()) return Activity::kPaused;
  // A partition that waits is tried again when the model has moved on, one that was empty each
  // time.
  bool waiting = false;
  for (const auto& p : partitions_) {
    p->empty = false;
    if (p->waits_since != trained_through()) p->waits_since.reset();
    waiting |= p->waits_since.has_value();
  }
  bool busy = false;
  bool contributed = false;
  while (LanePartition* p = choose()) {
    const absl::StatusOr<bool> filled = fill(*p);
    if (!filled.ok()) return filled.status();
    if (!*filled && !p->partition.is_unfinished()) continue;
    const bool contributes = p->partition.contributes_idle();
    status = process(*p);
    if (!status.ok()) return status;
    contributed = contributes && !p->partition.contributes_idle();
    waiting |= p->waits_since.has_value();
    busy = true;
    break;
  }
  // For what an idle partition contributes others wait, and the trainer hears of it when it is
  // committed.
  if (contributed || commit_due()) {
    status = commit();
    if (!status.ok()) return status;
  }
  was_busy_ = busy;
  return busy ? Activity::kBusy : waiting ? Activity::kWaiting : Activity::kAtEnd;
}

// Lowest event time first, so that partitions reach the boundaries together.
LanePartition* Lane::choose() {
  LanePartition* chosen = nullptr;
  for (const auto& p : partitions_) {
    if (p->empty || p->waits_since || (p->ended && !p->partition.is_unfinished())) continue;
    if (chosen == nullptr || p->meta().max_event_time < chosen->partition.meta().max_event_time) {
      chosen = p.get();
    }
  }
  return chosen;
}

absl::StatusOr<bool> Lane::fill(LanePartition& p) {
  if (!p.batch.empty()) return true;
  p.held.clear();
  const absl::StatusOr<std::span<const RecordView>> read =
      parts_.source.read(p.id(), options_.batch_records);
  if (!read.ok()) return read.status();
  p.batch = *read;
  if (p.batch.empty()) {
    p.empty = true;
    // What is no record is behind us too: else its deletion would look like a loss.
    const Offset next = parts_.source.next_offset(p.id());
    if (next > p.meta().next_offset) {
      p.meta().next_offset = next;
      uncommitted_ = true;
    }
    const bool never_held = !p.meta().started && parts_.source.at_end(p.id());
    if (never_held && passes_end_ && !p.reported_empty) {
      p.reported_empty = true;
      parts_.trainer.partition_empty(p.id());
    }
    return false;
  }
  note_read(p);
  return true;
}

void Lane::note_read(LanePartition& p) const {
  p.last_read = parts_.clock.steady();
  if (parts_.time != nullptr) p.read_ms = parts_.time->believed_ms();
}

absl::Status Lane::process(LanePartition& p) {
  const RecordView* last = nullptr;
  const bool was_started = p.meta().started;
  const OutcomeCounters& counters = p.meta().counters;
  std::uint64_t dead_letters = counters.dead_lettered_total();
  Partition::Progress progress = Partition::Progress::kDone;
  std::size_t looked_at = 0;  // Rows, for time alone.
  const std::size_t records = p.batch.size();
  const std::int64_t received_ms = p.batch.empty() ? 0 : p.batch.front().received_ms;
  if (p.partition.is_unfinished()) {
    progress = p.partition.go_on();
    looked_at = p.partition.piece_used();
    uncommitted_ = true;
  }
  while (progress == Partition::Progress::kDone && !p.ended && !p.batch.empty() &&
         looked_at < options_.piece_rows) {
    const RecordView& record = p.batch.front();
    const DecodedEvent event = decode(record, p.id());
    const bool left_out = leaves_out(p, record, event);
    if (!passes_end_ && (left_out || record.offset >= p.partition.options().until_offset)) {
      p.ended = true;
      break;
    }
    if (left_out) {
      p.batch = p.batch.subspan(1);
      continue;
    }
    PartitionMeta& meta = p.meta();
    const EventTime highest = meta.max_event_time;
    progress = p.partition.process(record, event);
    looked_at += p.partition.piece_used();
    if (progress != Partition::Progress::kDone) {
      const EventTime* const time = time_of(event);
      p.waiting_event = time == nullptr ? EventTime{} : *time;
      break;
    }
    // Nobody vouches for when a producer says that it wrote a record.
    if (meta.max_event_time > highest && !record.received_by_broker && p.read_ms)
      meta.last_received_ms = *p.read_ms;
    uncommitted_ = true;
    last = &record;
    p.batch = p.batch.subspan(1);
    watch_.add(counters.dead_lettered_total() - dead_letters);
    dead_letters = counters.dead_lettered_total();
    if (watch_.is_exceeded()) break;  // What is behind it is not to be committed.
  }
  if (last != nullptr) p.meta().last_record = mark_of(*last);
  note_applied(received_ms, records - p.batch.size());
  if (progress == Partition::Progress::kUnfinished) uncommitted_ = true;
  if (progress == Partition::Progress::kWaitsForModel) {
    p.waits_since = trained_through();
    // It may have crossed boundaries on the way. What they put into the transaction must not stay
    // open for as long as the model lets it wait.
    uncommitted_ |= !was_started || output_.pending_records() > 0;
    if (parts_.trainer.recorded() && models_.started())
      return absl::FailedPreconditionError("the recorded model log ends before the input does");
  }
  if (const absl::Status written = output_.take_status(); !written.ok()) return written;
  return pause_if_too_many();
}

// A time from the future is none.
bool Lane::leaves_out(LanePartition& p, const RecordView& record, const DecodedEvent& event) const {
  if (!options_.until) return false;
  const EventTime* const time = time_of(event);
  if (time != nullptr && !is_from_future(*time, record.received_ms, rules_))
    p.leaving_out = *time >= *options_.until;
  return p.leaving_out;
}

DecodedEvent Lane::decode(const RecordView& record, PartitionId partition) {
  const std::optional<PartitionId> expected =
      record.key ? partition_of(options_.partitioner, *record.key, options_.partition_count)
                 : std::nullopt;
  if (!expected || *expected == partition) return decoder_.decode(record);
  return Rejection{DeadLetterReason::kWrongPartition,
                   fmt::format("input.partitioner puts this key on partition {}", *expected)};
}

std::int64_t Lane::trained_through() const {
  return models_.started() ? models_.trained_through() : std::numeric_limits<std::int64_t>::min();
}

absl::Status Lane::sync_model() { return parts_.trainer.update(models_); }

bool Lane::commit_due() {
  if (!uncommitted_) return false;
  std::size_t records = output_.pending_records();
  for (const auto& p : partitions_) records += p->dirty_count();
  if (records >= options_.transaction_records_max) return true;
  if (output_.pending_bytes() >= options_.transaction_bytes_max) return true;
  // On the clock's full intervals, so that all lanes commit at once: one that does holds up the
  // others, which cannot be more than an epoch ahead of it.
  const auto now = parts_.clock.steady();
  const auto is_new = [&](std::chrono::milliseconds interval) {
    return now.time_since_epoch() / interval != last_commit_.time_since_epoch() / interval;
  };
  if (!is_new(options_.commit_interval)) return false;
  if (is_new(options_.commit_interval_behind)) return true;
  std::int64_t behind = 0;
  for (const auto& p : partitions_) behind += parts_.source.records_behind(p->id());
  return behind <= options_.behind_records;
}

absl::Status Lane::commit() {
  if (!uncommitted_ || !parts_.trainer.begun()) return absl::OkStatus();
  const auto started = parts_.clock.steady();
  CommitRequest request;
  std::vector<StoreWrite> writes;
  std::size_t changelog_records = 0;
  std::int64_t used_epoch = std::numeric_limits<std::int64_t>::min();
  for (const auto& p : partitions_) {
    PartitionMeta& meta = p->meta();
    ++meta.commit_number;
    p->log_clock();
    changelog_records += p->append_state(writes);
    if (const absl::Status read = p->partition.books().take_status(); !read.ok()) return read;
    request.positions.push_back({.partition = p->id(),
                                 .next_offset = meta.next_offset,
                                 .commit_number = meta.commit_number});
    if (meta.started) {
      const EventTime reached = std::max({meta.max_event_time, meta.watermark, meta.moving_to});
      used_epoch = std::max({used_epoch, epoch_of(reached) - 1, meta.contributed - 1});
    }
  }
  output_.append_segments();
  if (const absl::Status appended = output_.take_status(); !appended.ok()) return appended;
  // What this commit shows must not outlive the versions it used.
  if (models_.started() && used_epoch >= models_.start_epoch()) {
    const absl::Status durable =
        parts_.trainer.wait_committed(std::min(used_epoch, models_.trained_through()));
    if (!durable.ok()) return durable;
  }
  const absl::StatusOr<CommitReceipt> receipt = parts_.sink.commit(request);
  if (!receipt.ok()) return receipt.status();
  for (const auto& p : partitions_) {
    PartitionMeta& meta = p->meta();
    for (const auto& [partition, next] : receipt->changelog_next) {
      if (partition == p->id()) meta.changelog_next = next;
    }
    meta.file_lengths = receipt->file_lengths;
    writes.push_back(meta_write(p->id(), meta));
  }
  if (parts_.observer != nullptr) parts_.observer->on_step(CommitStep::kStoreWriting);
  const absl::Status written = parts_.store.write(writes);
  if (!written.ok()) return written;
  if (parts_.observer != nullptr) parts_.observer->on_step(CommitStep::kStoreWritten);
  for (const auto& p : partitions_) p->mark_committed();
  note_commit(started, changelog_records);
  output_.mark_committed();
  uncommitted_ = false;
  return absl::OkStatus();
}

bool Lane::at_end() const {
  return std::ranges::all_of(partitions_, [this](const auto& p) { return is_at_end(*p); });
}

std::vector<const Partition*> Lane::partitions() const {
  std::vector<const Partition*> result;
  for (const auto& p : partitions_) result.push_back(&p->partition);
  return result;
}

OutcomeCounters Lane::counters() const {
  OutcomeCounters sum;
  for (const auto& p : partitions_) sum.add(p->meta().counters);
  return sum;
}

}  // namespace rfm
