// One partition: its rows, its clock, and the path from a decoded record to transitions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/contribution.h"
#include "model/training.h"
#include "state/resident_rows.h"
#include "state/state_store.h"
#include "stream/decode/event.h"
#include "stream/format/model_log.h"
#include "stream/format/partition_meta.h"
#include "stream/format/tick.h"
#include "stream/format/transition_writer.h"
#include "stream/pipeline/lane_figures.h"
#include "stream/pipeline/partition_books.h"
#include "stream/pipeline/partition_listener.h"

namespace rfm {

struct PartitionOptions {
  PartitionId partition = 0;
  RefitSchedule schedule;
  Offset go_live_offset = 0;              // Events at or above it are actionable.
  std::optional<EventTime> go_live_time;  // File sources instead: events at or after it.
  // With an offset: what time alone causes is actionable after it too.
  EventTime first_start = kBeforeAll;
  // A recorded tick log to follow, in order. Absent: its lane chooses.
  std::optional<std::vector<Tick>> ticks;
  // From here on recorded ticks are left out, so that the log is not as it was.
  Offset until_offset = std::numeric_limits<Offset>::max();
  // How many rows one call may look at for time alone; there may be millions.
  std::size_t piece_rows = kPieceRows;

  // A fraction of a second, also when every one of them has transitions.
  static constexpr std::size_t kPieceRows = 10'000;
};

// Whether an event is later than its record was received by more than `input.future_max`: it must
// never move a clock.
bool is_from_future(EventTime event_time, std::int64_t received_ms, const Rules& rules);

class Partition {
 public:
  // `rules` (the first ones), `models`, `listener` and `store` outlive the partition. Without a
  // store no lines of sales are kept.
  Partition(PartitionOptions options, const Rules& rules, const ModelTimeline& models,
            PartitionListener& listener, StateStore* store = nullptr);

  // At start: restore rows, books and meta, then `index_rows` from 0 until it is at
  // `rows().places()`.
  ResidentRows& rows() { return rows_; }
  const ResidentRows& rows() const { return rows_; }
  PartitionBooks& books() { return books_; }
  const PartitionBooks& books() const { return books_; }
  PartitionMeta& meta() { return meta_; }
  const PartitionMeta& meta() const { return meta_; }
  // One piece of the rows from place `from` on. Returns where to go on.
  std::size_t index_rows(std::size_t from) {
    return rows_.index(meta_.watermark, from, options_.piece_rows);
  }

  enum class Progress : std::uint8_t {
    kDone,
    kWaitsForModel,  // Nothing of the record has been applied; try again when more of the model log
                     // is known.
    kUnfinished,     // Nor here: time has more to do first; try again at once.
  };

  // Why a record would be a dead letter whatever is known of its customer; absent: it would not.
  std::optional<Rejection> refusal(const RecordView& record, const DecodedEvent& event) const;

  // Applies one record, after the recorded ticks that came before it, and counts its one outcome.
  Progress process(const RecordView& record, const DecodedEvent& event);

  // With an operator's consent: goes on where the loss says.
  void give_up(const LossRecord& loss);

  // Moves the watermark to `to` if it is later: a tick, or the end of a replay.
  Progress tick(EventTime to);
  // A tick, the way of a record or what an idle partition contributes is not over. `process` and
  // `tick` go on with it first.
  bool is_unfinished() const { return meta_.moving_to > meta_.watermark || idle_through_; }
  Progress go_on();
  // How many rows the last call has looked at for time alone.
  std::size_t piece_used() const { return options_.piece_rows - piece_left_; }
  // The last instant that `tick` reaches without waiting for the model.
  EventTime reachable() const;
  // Recorded ticks that came before the record at `offset`; at the end of the log, the others.
  Progress follow_ticks(Offset offset = std::numeric_limits<Offset>::max());

  // What time has done since the last call.
  TimeFigures take_figures() { return std::exchange(figures_, {}); }

  bool follows_ticks() const { return options_.ticks.has_value(); }

  // The position is at its end and idle while others have passed boundary `epoch`, which the model
  // knows: contributes without moving the clock.
  Progress contribute_idle(std::int64_t epoch);
  // What is contributed now is contributed so.
  bool contributes_idle() const { return idle_through_.has_value(); }

  // Whether anything is due by `by`: a deadline, an open invoice or an epoch boundary.
  bool is_due(EventTime by) const;

  // From when on transitions are actionable.
  TransitionContext transition_context() const;

  PartitionId id() const { return options_.partition; }
  const PartitionOptions& options() const { return options_; }

 private:
  Progress follow_ticks_before(Offset offset);
  Progress go_on_idle();
  Progress move_to(EventTime to);
  Progress move_watermark(EventTime to, EventTime event_time);
  // These stop when `piece_left_` is used up and say so with false; they go on where they were.
  bool cross(std::int64_t epoch);
  bool fire_deadlines(EventTime until);
  bool sweep(std::int64_t epoch);
  bool contribute(std::int64_t epoch);
  void reject(const RecordView& record, const Rejection& rejection);
  void ignore(IgnoredReason reason) { ++meta_.counters.ignored[static_cast<std::size_t>(reason)]; }
  // False: it is a dead letter.
  bool ignore(IgnoredReason reason, EventTime event_time, const RecordView& record);
  // What the buffer holds has happened to `row`; null: to nobody.
  void emit(TransitionBuffer& buffer, CustomerRow* row);
  void on_settled(const CustomerRow& row, const SettledInvoice& settled);
  void count_unfolded(const CustomerRow& row) {
    if (row.ledger.entries().size() > rules_.ledger_entries_max) ++meta_.counters.unfolded;
  }
  // Where the watermark is.
  const Rules& rules_in_force() const {
    return TimeContext{rules_, models_}.rules_in(meta_.crossed);
  }
  std::optional<Rejection> check_time(EventTime event_time, const RecordView& record) const;
  // Starts the partition's clock at its first event, or moves it.
  Progress reach(EventTime event_time, const RecordView& record);

  void apply(const InvoiceEvent& event, const RecordView& record);
  void apply(const LineEvent& event, const RecordView& record);
  void erase(const Tombstone& event, const RecordView& record);
  // Ends the row's open invoice, if it has one.
  void settle(CustomerRow& row);

  PartitionOptions options_;
  const Rules& rules_;
  const ModelTimeline& models_;
  PartitionListener& listener_;
  ResidentRows rows_;
  PartitionBooks books_;
  PartitionMeta meta_;
  std::size_t next_tick_ = 0;  // In options_.ticks.
  TransitionBuffer buffer_;
  TimeFigures figures_;
  std::size_t piece_left_ = 0;
  std::size_t swept_ = 0;  // Places, of the boundary that is being crossed.
  std::size_t sampled_ = 0;
  std::vector<SampleRow> sample_;             // Of the contribution that is being made.
  std::optional<std::int64_t> idle_through_;  // The last boundary to contribute for without moving.
};

}  // namespace rfm
