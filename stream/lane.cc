#include "stream/lane.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "state/epoch.h"
#include "state/row_codec.h"
#include "stream/contribution_codec.h"
#include "stream/decimal.h"
#include "stream/json_text.h"
#include "stream/tick.h"

namespace rfm {
namespace {

// The kind byte of a changelog key.
constexpr char kRowKey = 'r';
constexpr char kMetaKey = 'm';

std::optional<EventTime> time_of(const DecodedEvent& event) {
  if (const auto* line = std::get_if<LineEvent>(&event)) return line->invoice_time;
  if (const auto* invoice = std::get_if<InvoiceEvent>(&event)) return invoice->invoice_time;
  return std::nullopt;
}

}  // namespace

// A partition with what its lane keeps of it.
struct Lane::Work {
  Work(const PartitionOptions& partition_options, const Rules& rules, const ModelTimeline& models)
      : options(partition_options), partition(partition_options, rules, models, output) {}

  PartitionOptions options;
  PartitionOutput output;
  Partition partition;
  std::span<const RecordView> batch;  // Not all applied yet.
  std::int64_t waits_since =
      -1;              // The last epoch trained when it had to wait; -1: it does not wait.
  bool empty = false;  // Nothing was there at the last look.
  bool ended = false;  // `until` is reached.
  bool reported_empty = false;
  std::chrono::steady_clock::time_point last_read{};
  std::vector<Contribution> contributions;  // Since the last commit.
};

Lane::Lane(const LaneOptions& options, const Rules& rules, const DecoderOptions& decoder,
           const LaneParts& parts)
    : options_(options),
      rules_(rules),
      parts_(parts),
      decoder_(decoder),
      output_(parts.sink, rules, options.application, options.input_topic, options.output),
      last_commit_(parts.clock.steady()) {}

Lane::~Lane() = default;

absl::StatusOr<Offset> Lane::restore(const PartitionOptions& options, const CatchUp& catch_up) {
  const absl::Status synced = sync_model();
  if (!synced.ok()) return synced;
  auto work = std::make_unique<Work>(options, rules_, models_);
  Work& w = *work;
  const PartitionId id = options.partition;
  w.output = {
      .transition = [this, &w](const Transition& t,
                               const PartitionMeta& meta) { write_transition(t, meta, w); },
      .dead_letter = [this, id](const RecordView& record,
                                const Rejection& r) { output_.dead_letter(record, r, id); },
      .rejected_invoice =
          [this, id](const CustomerRow& row, const SettledInvoice& settled) {
            output_.rejected_invoice(row, settled, id);
          },
      .erased = [this](std::string_view customer,
                       const CustomerRow* row) { output_.erased(customer, row); },
      .started = [this,
                  id](std::int64_t boundary) { parts_.trainer.partition_started(id, boundary); },
      .contribution = [this, &w](const Contribution& c) { write_contribution(c, w); },
  };
  PartitionMeta& meta = w.partition.meta();
  ResidentRows& rows = w.partition.rows();
  const auto restore_row = [&](std::string_view customer, std::string_view bytes) {
    absl::StatusOr<CustomerRow> row = decode_row(customer, bytes, rules_);
    if (!row.ok()) return row.status();
    rows.restore(*std::move(row));
    return absl::OkStatus();
  };
  const auto restore_meta = [&](std::string_view, std::string_view bytes) {
    absl::StatusOr<PartitionMeta> read = decode_meta(bytes);
    if (!read.ok()) return read.status();
    meta = *std::move(read);
    return absl::OkStatus();
  };
  absl::Status read = parts_.store.scan(StoreKind::kMeta, id, restore_meta);
  if (read.ok()) read = parts_.store.scan(StoreKind::kRow, id, restore_row);
  if (!read.ok()) return read;
  const bool foreign =
      !meta.application.empty() &&
      (meta.application != options_.application || meta.input_topic != options_.input_topic ||
       meta.partition_count != options_.partition_count);
  if (foreign) {
    return absl::FailedPreconditionError(
        fmt::format("the state belongs to application {}, topic {} with {} partitions, not to {}, "
                    "{} with {}: use "
                    "another state directory",
                    meta.application, meta.input_topic, meta.partition_count, options_.application,
                    options_.input_topic, options_.partition_count));
  }
  if (catch_up) {
    std::map<std::pair<StoreKind, std::string>, std::optional<std::string>> newer;
    const Apply apply = [&](std::string_view key,
                            std::optional<std::string_view> value) -> absl::Status {
      if (key.empty()) return absl::DataLossError("changelog: a record has an empty key");
      const std::string_view rest = key.substr(1);
      if (key.front() == kMetaKey) {
        if (!value) return absl::DataLossError("changelog: the meta row was deleted");
        newer[{StoreKind::kMeta, ""}] = std::string(*value);
        return restore_meta({}, *value);
      }
      newer[{StoreKind::kRow, std::string(rest)}] =
          value ? std::optional<std::string>(*value) : std::nullopt;
      if (value) return restore_row(rest, *value);
      rows.forget(rest);
      return absl::OkStatus();
    };
    const absl::StatusOr<Offset> next = catch_up(meta.changelog_next, apply);
    if (!next.ok()) return next.status();
    meta.changelog_next = *next;
    if (!newer.empty()) {
      newer[{StoreKind::kMeta, ""}] = encode_meta(meta);
      std::vector<StoreWrite> writes;
      for (auto& [key, value] : newer)
        writes.push_back({key.first, id, key.second, std::move(value)});
      const absl::Status written = parts_.store.write(writes);
      if (!written.ok()) return written;
    }
  }
  meta.application = options_.application;
  meta.input_topic = options_.input_topic;
  meta.partition_count = options_.partition_count;
  w.partition.finish_restore();
  if (meta.started) parts_.trainer.partition_started(id, meta.first_boundary);
  const Offset next_offset = meta.next_offset;
  work_.push_back(std::move(work));
  return next_offset;
}

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
    if (work->waits_since >= 0 && models_.started() &&
        models_.trained_through() != work->waits_since) {
      work->waits_since = -1;
    }
    waiting |= work->waits_since >= 0;
  }
  bool busy = false;
  while (Work* work = choose()) {
    const absl::StatusOr<bool> filled = fill(*work);
    if (!filled.ok()) return filled.status();
    if (!*filled) continue;
    status = process(*work);
    if (!status.ok()) return status;
    waiting |= work->waits_since >= 0;
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
    if (work->ended || work->empty || work->waits_since >= 0) continue;
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
    const bool never_held =
        !work.partition.meta().started && parts_.source.at_end(work.partition.id());
    if (never_held && !work.reported_empty) {
      work.reported_empty = true;
      parts_.trainer.partition_empty(work.partition.id());
    }
    return false;
  }
  work.last_read = parts_.clock.steady();
  return true;
}

absl::Status Lane::process(Work& work) {
  while (!work.batch.empty()) {
    const RecordView& record = work.batch.front();
    const DecodedEvent event = decode(record, work.partition.id());
    if (is_past_end(record, event)) {
      work.ended = true;
      return absl::OkStatus();
    }
    const bool was_started = work.partition.meta().started;
    if (work.partition.process(record, event) == Partition::Progress::kWaitsForModel) {
      work.waits_since = models_.started() ? models_.trained_through() : 0;
      // It may have crossed boundaries on the way. What they put into the transaction must not stay
      // open for as long as the model lets it wait.
      uncommitted_ |= !was_started || output_.pending_records() > 0;
      if (parts_.trainer.recorded())
        return absl::FailedPreconditionError("the recorded model log ends before the input does");
      break;
    }
    uncommitted_ = true;
    work.batch = work.batch.subspan(1);
  }
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

absl::Status Lane::sync_model() { return parts_.trainer.update(models_); }

absl::Status Lane::idle() {
  for (const auto& work : work_) {
    const PartitionId id = work->partition.id();
    if (!work->batch.empty() || !parts_.source.at_end(id)) continue;
    if (const std::optional<std::int64_t> epoch = parts_.trainer.awaited(id)) {
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

// As much event time has passed as wall time since the last event was received.
absl::Status Lane::tick_idle(Work& work) {
  const PartitionMeta& meta = work.partition.meta();
  if (!meta.started) return absl::OkStatus();
  const Duration since{std::max<std::int64_t>(0, parts_.clock.wall_ms() - meta.last_received_ms)};
  // What a tick says is done at once, before any further record: it never waits for the model.
  const EventTime to =
      std::min(meta.max_event_time + since - rules_.lateness, work.partition.reachable());
  if (to <= meta.watermark || !work.partition.is_due(to)) return absl::OkStatus();
  output_.append(OutputTopic::kTicks, work.partition.id(), std::nullopt,
                 encode_tick({.offset = meta.next_offset, .time = to}), {});
  work.partition.tick(to);
  uncommitted_ = true;
  return absl::OkStatus();
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
  if (waiting && parts_.trainer.recorded()) {
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
      key.assign(1, kRowKey).append(dirty.customer_id);
      output_.append(OutputTopic::kChangelog, id, key,
                     value ? std::optional<std::string_view>(*value) : std::nullopt, {});
      ++changelog_records_;
    }
    writes.push_back({StoreKind::kRow, id, std::string(dirty.customer_id), std::move(value)});
  }
  if (logged) {
    key.assign(1, kMetaKey);
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
  const TransitionContext context{
      .partition = work.partition.id(),
      .input_offset = meta.next_offset,
      .live_after = work.options.go_live_time ? work.options.go_live_time : meta.go_live_watermark};
  output_.transition(transition, context, models_.effective_in(epoch_of(transition.row->clock)));
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
