// What a lane writes into its transaction: transitions, current segments and dead letters as
// records. Keeps the first error until it is asked for, because its callers cannot stop half-way.
// Transitions can be written by a thread of their own, the sink's only user while it has any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "state/advance.h"
#include "stream/decode/event.h"
#include "stream/format/erasure_receipt.h"
#include "stream/format/transition_writer.h"
#include "stream/pipeline/lane_figures.h"
#include "stream/pipeline/ordered_worker.h"
#include "stream/record/output_sink.h"
#include "stream/record/record.h"

namespace rfm {

class LaneOutput {
 public:
  enum class Threading : std::uint8_t { kLane, kOwnThread };

  struct Names {
    std::string application;
    std::string input_topic;
    std::string currency;
  };

  // `sink` and what `logs` refers to outlive it.
  LaneOutput(OutputSink& sink, const TimeContext& logs, Names names, Threading threading);

  bool keeps(OutputTopic topic) const { return sink_.keeps(topic); }

  void append(OutputTopic topic, std::optional<PartitionId> partition,
              std::optional<std::string_view> key, std::optional<std::string_view> value,
              std::span<const Header> headers);

  // Published if the rules say so; the customer's current segments are in any case.
  void transition(const Transition& transition, const TransitionContext& context);
  // The current segments of a customer say under which rules they are.
  void rules_adopted(const CustomerRow& row, const CustomerFacts& facts);
  void dead_letter(const RecordView& record, const Rejection& rejection, PartitionId partition);
  // The lines were applied one by one; what goes out is the invoice they add up to.
  void rejected_invoice(const CustomerRow& row, const SettledInvoice& settled,
                        PartitionId partition);
  // Takes the customer out of the current segments, with a receipt.
  void erased(const Erasure& erasure);

  // The current segments of all customers who changed segment since the last commit, as of their
  // last change, so that they do not depend on when the commit comes. Everything is in the sink
  // afterwards.
  void append_segments();

  // Appended since the last commit: records, and bytes of keys, values and headers.
  std::size_t pending_records() const { return pending_records_; }
  std::size_t pending_bytes() const { return pending_bytes_; }

  void mark_committed();

  // Since the last commit, also those that the rules do not have published.
  const TransitionCounts& transitions() const { return transitions_; }

  // What is uncommitted is dropped: forgets who changed segment. The sink is to abandon after it.
  void abandon();

  absl::Status take_status() { return std::exchange(status_, absl::OkStatus()); }

 private:
  // A transition as it is when it happens: the row goes on.
  struct Event {
    Transition transition;
    TransitionSubject subject;
    TransitionContext context;
    std::optional<Cause> cause;
  };

  void write(Event& event);
  void put(OutputTopic topic, std::optional<PartitionId> partition,
           std::optional<std::string_view> key, std::optional<std::string_view> value,
           std::span<const Header> headers);
  void finish();
  // The current segments are as of `facts` now, unless they are as of later ones.
  void move(const CustomerRow& row, const CustomerFacts& facts);

  OutputSink& sink_;
  TimeContext logs_;
  std::string application_;
  std::string input_topic_;
  std::string currency_;
  TransitionWriter writer_;
  absl::flat_hash_map<const CustomerRow*, CustomerFacts> moved_;  // As of their last change.
  std::vector<const CustomerRow*> moved_order_;  // By first change; may hold rows erased since.
  std::size_t pending_records_ = 0;
  std::atomic<std::size_t> pending_bytes_ = 0;
  TransitionCounts transitions_;  // Since the last commit.
  absl::Status status_;
  absl::Status put_status_;  // Of whoever uses the sink.
  std::optional<OrderedWorker<Event>> worker_;
};

}  // namespace rfm
