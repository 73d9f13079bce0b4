// What time alone does to a customer, by model and rules as they are now.
#pragma once

#include <cstddef>

#include "state/customer_row.h"
#include "state/rules.h"
#include "state/transition.h"

namespace rfm {

// How far ahead a change by time is looked for where it is published.
inline constexpr Duration kForesight = std::chrono::hours{24 * 365 * 10};

// A customer's facts while nothing more comes: invoices leave a finite window.
class SilentFacts {
 public:
  // `facts` are those of the row now; the row outlives this.
  SilentFacts(const CustomerRow& row, const CustomerFacts& facts, const Rules& rules)
      : ledger_(row.ledger), rules_(rules), sums_(row.ledger.sums()), facts_(facts) {}

  const CustomerFacts& facts() const { return facts_; }
  EventTime next_exit() const { return ledger_.next_exit(rules_, facts_.at); }
  void go_to(EventTime at);  // Not back.

 private:
  const InvoiceLedger& ledger_;
  const Rules& rules_;
  InvoiceSums sums_;
  CustomerFacts facts_;
};

// When `next`, which silence calls for after `segment` was entered at `since`, takes effect
// (DESIGN, "Quiet"); kNever: it does not.
NextChange damped(const Segmentation& segmentation, NextChange next, SegmentCode segment,
                  EventTime since);

// The next segment of a customer who is silent, and when it takes effect: what a segmentation calls
// for as of next_change_if_silent, damped. kNever where that calls for the same or moves up.
NextChange next_segment_if_silent(std::size_t segmentation, SilentFacts silent,
                                  const SegmentState& state, const Rules& rules, EventTime until);

// The first instant in (silent.facts().at, until] at which a segmentation calls for another segment
// than `current` if nothing comes, under this version: by silence, by invoices that leave the
// window, or where it follows the risk at the boundaries in between; kNever if there is none.
EventTime next_change_if_silent(std::size_t segmentation, SilentFacts silent, Call current,
                                const Rules& rules, EventTime until);

}  // namespace rfm
