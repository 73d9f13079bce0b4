// Everything about one customer at one instant, and what comes next: what `inspect` prints and
// /customers/{id} answers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "state/customer_row.h"
#include "state/rules.h"
#include "state/time_context.h"
#include "state/transition.h"
#include "stream/analyse/customer_outlook.h"
#include "stream/record/record.h"
#include "stream/text/json_text.h"

namespace rfm {

// Another segment that is called for and waits.
struct HeldView {
  std::string segment;
  Reason reason{};
  EventTime since{};
  EventTime until{};
};

struct SegmentView {
  std::string segmentation;
  std::string segment;
  SegmentState state;
  std::optional<NextChange> next;
  std::string next_segment{};
  std::optional<HeldView> held{};
};

// `row` and `rules` outlive it.
struct CustomerView {
  const CustomerRow& row;
  PartitionId partition = 0;
  EventTime watermark{};  // Of the partition.
  const Rules& rules;
  CustomerFacts facts;
  std::vector<SegmentView> segments{};
  std::vector<DueChange> deadlines{};
  std::vector<LedgerInvoice> ledger{};  // By time.

  // No transition of his is actionable now, unless he acts.
  bool is_quiet() const { return row.quiet_until > facts.at; }
};

// The customer as of the partition's clock, or of the row's own where that is later. A row with an
// open invoice is as it was before that invoice.
CustomerFacts facts_at_clock(const CustomerRow& row, EventTime watermark, const TimeContext& logs);
CustomerView view_of(const CustomerRow& row, PartitionId partition, EventTime watermark,
                     const TimeContext& logs);

std::string_view kind_of(const LedgerInvoice& invoice);  // "invoice" or "credit"
Money amount_of(const LedgerInvoice& invoice);           // Of a credit less than zero.

// The members of an object that is the caller's.
void write_customer(JsonText& out, const CustomerView& view);
std::string customer_json(const CustomerView& view);

}  // namespace rfm
