#include "stream/pipeline/lane.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "state/epoch.h"
#include "state/row_codec.h"
#include "stream/format/contribution_codec.h"
#include "stream/format/tick.h"
#include "stream/pipeline/lane_work.h"

namespace rfm {
namespace {

std::optional<EventTime> time_of(const DecodedEvent& event) {
  if (const auto* line = std::get_if<LineEvent>(&event)) return line->invoice_time;
  if (const auto* invoice = std::get_if<InvoiceEvent>(&event)) return invoice->invoice_time;
  return std::nullopt;
}

}  // namespace

Lane::Lane(const LaneOptions& options, const Rules& rules, const DecoderOptions& decoder,
           const LaneParts& parts)
    : options_(options),
      rules_(rules),
      parts_(parts),
      decoder_(decoder),
      output_(parts.sink, rules,
              {.application = options.application,
               .input_topic = options.input_topic,
               .currency = decoder.currency},
              options.output),
      last_commit_(parts.clock.steady()) {}

Lane::~Lane() = default;

void Lane::drop_partitions() {
  work_.clear();
  output_.abandon();
  uncommitted_ = false;
}

absl::StatusOr<Lane::Activity> Lane::step() {
  absl::Status status = parts_.source.service();
  if (status.ok()) status = sync_model();
  if (!status.ok()) return status;
  // A partition that waits is tried again when the model has moved on, one that was empty each
  // time.
  bool waiting = false;
  for (const auto& work : work_) {
    work->empty = false;
    if (work->waits_since != trained_through()) work->waits_since.reset();
    waiting |= work->waits_since.has_value();
  }
  bool busy = false;
  while (Work* work = choose()) {
    const absl::StatusOr<bool> filled = fill(*work);
    if (!filled.ok()) return filled.status();
    if (!*filled) continue;
    status = process(*work);
    if (!status.ok()) return status;
    waiting |= work->waits_since.has_value();
    busy = true;
    break;
  }
  if (commit_due()) {
    status = commit();
    if (!status.ok()) return status;
  }
  return busy ? Activity::kBusy : waiting ? Activity::kWaiting : Activity::kAtEnd;
}

// Lowest event time first, so that partitions reach the boundaries together.
Lane::Work* Lane::choose() {
  Work* chosen = nullptr;
  for (const auto& work : work_) {
    if (work->ended || work->empty || work->waits_since) continue;
    if (chosen == nullptr ||
        work->partition.meta().max_event_time < chosen->partition.meta().max_event_time) {
      chosen = work.get();
    }
  }
  return chosen;
}

absl::StatusOr<bool> Lane::fill(Work& work) {
  if (!work.batch.empty()) return true;
  const absl::StatusOr<std::span<const RecordView>> read =
      parts_.source.read(work.partition.id(), options_.batch_records);
  if (!read.ok()) return read.status();
  work.batch = *read;
  if (work.batch.empty()) {
    work.empty = true;
    // What is no record is behind us too: else its deletion would look like a loss.
    const Offset next = parts_.source.next_offset(work.partition.id());
    if (next > work.partition.meta().next_offset) {
      work.partition.meta().next_offset = next;
      uncommitted_ = true;
    }
    const bool never_held =
        !work.partition.meta().started && parts_.source.at_end(work.partition.id());
    if (never_held && !work.reported_empty) {
      work.reported_empty = true;
      parts_.trainer.partition_empty(work.partition.id());
    }
    return false;
  }
  work.last_read = parts_.clock.steady();
  if (parts_.time != nullptr) work.read_ms = parts_.time->believed_ms();
  return true;
}

absl::Status Lane::process(Work& work) {
  const RecordView* last = nullptr;
  while (!work.batch.empty()) {
    const RecordView& record = work.batch.front();
    const DecodedEvent event = decode(record, work.partition.id());
    if (is_past_end(record, event)) {
      work.ended = true;
      if (!work.partition.meta().started) parts_.trainer.partition_empty(work.partition.id());
      break;
    }
    PartitionMeta& meta = work.partition.meta();
    const bool was_started = meta.started;
    const EventTime highest = meta.max_event_time;
    if (work.partition.process(record, event) == Partition::Progress::kWaitsForModel) {
      work.waits_since = trained_through();
      // It may have crossed boundaries on the way. What they put into the transaction must not stay
      // open for as long as the model lets it wait.
      uncommitted_ |= !was_started || output_.pending_records() > 0;
      if (parts_.trainer.recorded() && models_.started())
        return absl::FailedPreconditionError("the recorded model log ends before the input does");
      break;
    }
    // Nobody vouches for when a producer says that it wrote a record.
    if (meta.max_event_time > highest && !record.received_by_broker && work.read_ms)
      meta.last_received_ms = *work.read_ms;
    uncommitted_ = true;
    last = &record;
    work.batch = work.batch.subspan(1);
  }
  if (last != nullptr) work.partition.meta().last_record = mark_of(*last);
  return output_.take_status();
}

// A record from the future moves no clock, so it does not end anything either.
bool Lane::is_past_end(const RecordView& record, const DecodedEvent& event) const {
  const std::optional<EventTime> time = time_of(event);
  if (!options_.until || !time || *time < *options_.until) return false;
  return !is_from_future(*time, record.received_ms, rules_);
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

absl::Status Lane::idle() {
  if (const absl::Status synced = sync_model(); !synced.ok()) return synced;
  for (const auto& work : work_) {
    const PartitionId id = work->partition.id();
    if (!work->ended && (!work->batch.empty() || !parts_.source.at_end(id))) continue;
    const std::optional<std::int64_t> epoch = parts_.trainer.awaited(id);
    if (epoch && models_.knows(*epoch)) {
      work->partition.contribute_idle(*epoch);
      uncommitted_ = true;
    }
    if (!options_.tick_idle || parts_.clock.steady() - work->last_read < *options_.tick_idle)
      continue;
    const absl::Status ticked = tick_idle(*work);
    if (!ticked.ok()) return ticked;
  }
  return output_.take_status();
}

// As much event time has passed as time since the last event was received, and never more than
// there has been.
absl::Status Lane::tick_idle(Work& work) {
  const PartitionMeta& meta = work.partition.meta();
  const std::optional<std::int64_t> now =
      parts_.time == nullptr ? std::nullopt : parts_.time->believed_ms();
  if (!meta.started || !now) return absl::OkStatus();
  const Duration since{std::max<std::int64_t>(0, *now - meta.last_received_ms)};
  const EventTime passed = std::min(meta.max_event_time + since, from_ms(*now)) - rules_.lateness;
  // What a tick says is done at once, before any further record: it never waits for the model.
  const EventTime to = std::min(passed, work.partition.reachable());
  if (to <= meta.watermark || !work.partition.is_due(to)) return absl::OkStatus();
  log_tick(work, to);
  work.partition.tick(to);
  uncommitted_ = true;
  return absl::OkStatus();
}

void Lane::log_tick(Work& work, EventTime to) {
  work.logged_tick = to;
  if (!parts_.sink.keeps(OutputTopic::kTicks)) return;
  PartitionMeta& meta = work.partition.meta();
  if (meta.ticks_logged) ++*meta.ticks_logged;
  const Tick tick{.offset = meta.next_offset, .time = to};
  output_.append(OutputTopic::kTicks, work.partition.id(), std::nullopt, encode_tick(tick), {});
}

// A record that waits has led its partition over boundaries. If it is not committed with them, the
// log has to say how far they went.
void Lane::log_clock(Work& work) {
  const PartitionMeta& meta = work.partition.meta();
  if (meta.max_event_time == kBeforeAll) return;
  const EventTime explained = std::max(meta.max_event_time - rules_.lateness, work.logged_tick);
  if (meta.watermark > explained) log_tick(work, meta.watermark);
}

absl::StatusOr<Lane::Activity> Lane::tick_all(std::optional<EventTime> to) {
  const absl::Status synced = sync_model();
  if (!synced.ok()) return synced;
  bool waiting = false;
  for (const auto& work : work_) {
    Partition::Progress progress = work->partition.follow_ticks();
    if (to && progress == Partition::Progress::kDone) progress = work->partition.tick(*to);
    waiting |= progress == Partition::Progress::kWaitsForModel;
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
  return waiting ? Activity::kWaiting : Activity::kAtEnd;
}

bool Lane::commit_due() {
  if (!uncommitted_) return false;
  if (output_.pending_records() >= options_.transaction_records_max) return true;
  if (output_.pending_bytes() >= options_.transaction_bytes_max) return true;
  // On the clock's full intervals, so that all lanes commit at once: one that does holds up the
  // others, which cannot be more than an epoch ahead of it.
  const auto now = parts_.clock.steady();
  const auto is_new = [&](std::chrono::milliseconds interval) {
    return now.time_since_epoch() / interval != last_commit_.time_since_epoch() / interval;
  };
  if (!is_new(options_.commit_interval)) return false;
  if (is_new(options_.commit_interval_behind)) return true;
  return parts_.records_behind && parts_.records_behind() <= options_.behind_records;
}

absl::Status Lane::commit() {
  if (!uncommitted_) return absl::OkStatus();
  CommitRequest request;
  std::vector<StoreWrite> writes;
  std::int64_t used_epoch = std::numeric_limits<std::int64_t>::min();
  for (const auto& work : work_) {
    PartitionMeta& meta = work->partition.meta();
    ++meta.commit_number;
    log_clock(*work);
    append_rows(*work, writes);
    request.positions.push_back({.partition = work->partition.id(),
                                 .next_offset = meta.next_offset,
                                 .commit_number = meta.commit_number});
    if (meta.started)
      used_epoch =
          std::max(used_epoch, epoch_of(std::max(meta.max_event_time, meta.watermark)) - 1);
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
  for (const auto& work : work_) {
    PartitionMeta& meta = work->partition.meta();
    for (const auto& [partition, next] : receipt->changelog_next) {
      if (partition == work->partition.id()) meta.changelog_next = next;
    }
    meta.file_lengths = receipt->file_lengths;
    writes.push_back({StoreKind::kMeta, work->partition.id(), "", encode_meta(meta)});
  }
  if (parts_.observer != nullptr) parts_.observer->on_step(CommitStep::kStoreWriting);
  const absl::Status written = parts_.store.write(writes);
  if (!written.ok()) return written;
  if (parts_.observer != nullptr) parts_.observer->on_step(CommitStep::kStoreWritten);
  for (const auto& work : work_) {
    work->partition.rows().mark_committed();
    work->contributions.clear();
  }
  output_.mark_committed();
  uncommitted_ = false;
  last_commit_ = parts_.clock.steady();
  ++commits_;
  return absl::OkStatus();
}

// The changelog and the store's writes of one partition.
void Lane::append_rows(Work& work, std::vector<StoreWrite>& writes) {
  const PartitionId id = work.partition.id();
  const bool logged = parts_.sink.keeps(OutputTopic::kChangelog);
  std::string key;
  for (const ResidentRows::Dirty& dirty : work.partition.rows().dirty()) {
    std::optional<std::string> value;
    if (dirty.row != nullptr) value = encode_row(*dirty.row);
    if (logged) {
      key.assign(1, kChangelogRow).append(dirty.customer_id);
      output_.append(OutputTopic::kChangelog, id, key,
                     value ? std::optional<std::string_view>(*value) : std::nullopt, {});
      ++changelog_records_;
    }
    writes.push_back({StoreKind::kRow, id, std::string(dirty.customer_id), std::move(value)});
  }
  if (logged) {
    key.assign(1, kChangelogMeta);
    output_.append(OutputTopic::kChangelog, id, key, encode_meta(work.partition.meta()), {});
    ++changelog_records_;
  }
  for (const Contribution& contribution : work.contributions) {
    for (ContributionChunk& chunk : encode_contribution(id, contribution)) {
      if (parts_.sink.keeps(OutputTopic::kContributions)) {
        output_.append(OutputTopic::kContributions, id, chunk.key, chunk.value, {});
      } else {
        writes.push_back(
            {StoreKind::kContribution, id, std::move(chunk.key), std::move(chunk.value)});
      }
    }
  }
}

void Lane::write_transition(const Transition& transition, const PartitionMeta& meta,
                            const Work& work) {
  TransitionContext context{
      .partition = work.partition.id(),
      .input_offset = meta.next_offset,
      .go_live = {.offset = work.options.go_live_offset, .time = work.options.go_live_time},
      .live_after = work.options.go_live_time};
  if (!context.live_after && meta.go_live_watermark)
    context.live_after = std::max(*meta.go_live_watermark, work.options.first_start);
  output_.transition(transition, context);
  if (parts_.on_transition) parts_.on_transition(transition);
}

void Lane::write_contribution(const Contribution& contribution, Work& work) {
  work.contributions.push_back(contribution);
  parts_.trainer.contribute(work.partition.id(), contribution);
  if (parts_.on_contribution) parts_.on_contribution(contribution);
}

bool Lane::at_end() const {
  return std::ranges::all_of(work_, [this](const auto& work) {
    return work->ended || (work->batch.empty() && parts_.source.at_end(work->partition.id()));
  });
}

std::vector<const Partition*> Lane::partitions() const {
  std::vector<const Partition*> result;
  for (const auto& work : work_) result.push_back(&work->partition);
  return result;
}

OutcomeCounters Lane::counters() const {
  OutcomeCounters sum;
  for (const auto& work : work_) sum.add(work->partition.meta().counters);
  return sum;
}

}  // namespace rfm
