// What a partition has to say, in the order in which it happens. Seam: the lane's transaction and
// the trainer (stream/pipeline/lane_partition.h), a list in tests, because a partition is a pure
// function of its records and knows neither.
#pragma once

#include <cstdint>
#include <string_view>

#include "model/contribution.h"
#include "state/advance.h"
#include "state/customer_row.h"
#include "state/transition.h"
#include "stream/decode/event.h"
#include "stream/format/erasure_receipt.h"
#include "stream/format/partition_meta.h"
#include "stream/record/record.h"

namespace rfm {

class PartitionListener {
 public:
  PartitionListener() = default;
  PartitionListener(const PartitionListener&) = delete;
  PartitionListener& operator=(const PartitionListener&) = delete;
  virtual ~PartitionListener() = default;

  virtual void on_transition(const Transition& transition, const PartitionMeta& meta) = 0;
  // A customer is under other rules from `facts.at` on.
  virtual void on_rules_adopted(const CustomerRow& row, const CustomerFacts& facts) = 0;
  virtual void on_dead_letter(const RecordView& record, const Rejection& rejection) = 0;
  // The open invoice of `row` has settled, and is refused as a whole.
  virtual void on_rejected_invoice(const CustomerRow& row, const SettledInvoice& settled) = 0;
  // The first record of its customer, or the first since he was erased, is applied.
  virtual void on_new_customer(const CustomerRow& row) = 0;
  // Before its row is gone.
  virtual void on_erased(const Erasure& erasure) = 0;
  // The first record that counts in time: which boundary the partition contributes for first.
  virtual void on_started(std::int64_t first_boundary) = 0;
  virtual void on_contribution(const Contribution& contribution) = 0;
};

}  // namespace rfm
