// One partition of a lane: its state, what is read and not applied yet, and what becomes of what it
// says: records in the lane's transaction, contributions to the trainer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "state/model_timeline.h"
#include "state/state_store.h"
#include "stream/format/tick.h"
#include "stream/pipeline/customer_places.h"
#include "stream/pipeline/held_records.h"
#include "stream/pipeline/lane_observer.h"
#include "stream/pipeline/lane_output.h"
#include "stream/pipeline/partition.h"
#include "stream/pipeline/partition_listener.h"
#include "stream/pipeline/trainer.h"

namespace rfm {

class LanePartition final : public PartitionListener {
 public:
  // What its lane shares between its partitions; all outlive it.
  struct Shared {
    const Rules& rules;
    const ModelTimeline& models;
    LaneOutput& output;
    Trainer& trainer;
    StateStore& store;
    CustomerPlaces* places;  // Null: nobody looks.
  };

  LanePartition(const PartitionOptions& options, const Shared& shared);

  PartitionId id() const { return partition.id(); }
  PartitionMeta& meta() { return partition.meta(); }
  const PartitionMeta& meta() const { return partition.meta(); }

  // Says in the tick log that the clock moves to `to` here. That is chosen by the wall clock, as is
  // what an idle partition contributes, so until it is committed the trainer hears of nothing that
  // follows from it.
  void log_tick(EventTime to);
  // A record that waits has led the partition over boundaries, or half-way over one. If it is not
  // committed with them, the log has to say how far they went, or go.
  void log_clock();

  // What the next commit writes, into the transaction and to `writes`, but for the store's meta
  // row, which says more. Returns how many changelog records it was.
  std::size_t append_state(std::vector<StoreWrite>& writes);
  std::size_t dirty_count() const {
    return partition.rows().dirty_count() + partition.books().dirty_count();
  }
  void mark_committed();

  void on_transition(const Transition& transition, const PartitionMeta& meta) override;
  void on_rules_adopted(const CustomerRow& row, const CustomerFacts& facts) override;
  void on_dead_letter(const RecordView& record, const Rejection& rejection) override;
  void on_rejected_invoice(const CustomerRow& row, const SettledInvoice& settled) override;
  void on_new_customer(const CustomerRow& row) override;
  void on_erased(const Erasure& erasure) override;
  void on_started(std::int64_t first_boundary) override;
  void on_contribution(const Contribution& contribution) override;

  // The lane's own notes.
  Partition partition;
  HeldRecords held;                         // Until a first record can be used; then the batch.
  std::string last_dead_letter;             // As an example; empty: none yet.
  DeadLetterPlaces dead_letters;            // Since the lane's figures last took them up.
  std::span<const RecordView> batch;        // Not all applied yet.
  std::optional<std::int64_t> waits_since;  // How far the model was when it had to wait.
  EventTime waiting_event{};                // Event time of the record that waits.
  bool empty = false;                       // Nothing was there at the last look.
  bool ended = false;                       // The lane holds it where it is.
  bool leaving_out = false;                 // As the last record with a time was.
  bool reported_empty = false;
  LaneObserver* observer = nullptr;
  OutcomeCounters counted;             // As they were when the lane's figures last took them up.
  EventTime logged_tick = kBeforeAll;  // What is committed needs none any more.
  std::chrono::steady_clock::time_point last_read{};  // Or restored.
  std::optional<std::int64_t> read_ms;  // When the batch was read, in the broker's time.

 private:
  void log_choice(const Tick& tick);
  void tell_trainer();

  Shared shared_;
  std::vector<Contribution> contributions_;  // Since the last commit.
  std::size_t told_ = 0;                     // Of them, to the trainer.
  bool chose_ = false;                       // Since the last commit.
};

}  // namespace rfm
