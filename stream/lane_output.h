// What a lane writes into its transaction: transitions, current segments and dead letters as
// records. Keeps the first error until it is asked for, because its callers cannot stop half-way.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "state/advance.h"
#include "stream/event.h"
#include "stream/record.h"
#include "stream/transition_sink.h"
#include "stream/transition_writer.h"

namespace rfm {

class LaneOutput {
 public:
  // All outlive it.
  LaneOutput(TransitionSink& sink, const Rules& rules, std::string application,
             std::string input_topic);

  void append(OutputTopic topic, std::optional<PartitionId> partition,
              std::optional<std::string_view> key, std::optional<std::string_view> value,
              std::span<const Header> headers);

  // `version` is in force at the row's clock.
  void transition(const Transition& transition, const TransitionContext& context,
                  const ModelVersion* version);
  void dead_letter(const RecordView& record, const Rejection& rejection, PartitionId partition);
  // The lines were applied one by one; what goes out is the invoice they add up to.
  void rejected_invoice(const CustomerRow& row, const SettledInvoice& settled,
                        PartitionId partition);
  // Takes the customer out of the current segments. `row`: null if there was none.
  void erased(std::string_view customer_id, const CustomerRow* row);

  // The current segments of all customers who changed segment since the last commit, as of their
  // last change, so that they do not depend on when the commit comes.
  void append_segments();

  // What is uncommitted is dropped: forgets who changed segment.
  void abandon();

  absl::Status take_status() { return std::exchange(status_, absl::OkStatus()); }

 private:
  struct Moved {
    EventTime as_of{};
    const ModelVersion* version = nullptr;
    std::optional<double> risk;
  };

  TransitionSink& sink_;
  std::string input_topic_;
  TransitionWriter writer_;
  absl::flat_hash_map<const CustomerRow*, Moved> moved_;
  std::vector<const CustomerRow*> moved_order_;  // By first change; may hold rows erased since.
  absl::Status status_;
};

}  // namespace rfm
