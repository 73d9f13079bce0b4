// The one function that owns time, and the two that apply events. All are pure: they change the row
// handed in and append what happened, reading nothing but the rules and the model timeline.
#pragma once

#include <optional>
#include <string_view>

#include "state/customer_row.h"
#include "state/row_outlook.h"
#include "state/transition.h"

namespace rfm {

// Applies, in order, every deadline and every epoch boundary in (from, to], each transition with
// its own instant. `from`: how far the row is already (its clock, or its partition's watermark if
// that is later). Whatever takes effect at the boundaries up to `to` must be known. An open invoice
// stops it at the invoice's last line. Afterwards the row's cache holds for the epoch of `to`.
void advance(CustomerRow& row, EventTime from, EventTime to, const TimeContext& context,
             TransitionBuffer& out);

// What an event says about one invoice, and the record it comes from.
struct InvoiceFact {
  LedgerInvoice invoice{};
  std::string_view invoice_no{};
  std::string_view event_id{};
  std::string_view country{};
  std::optional<bool> consent{};
  std::int64_t position = 0;  // Of the record in the input.
};

// Puts a whole invoice into the row, which is up to date to `from`: advances it to max(from,
// invoice time) and evaluates all segmentations there. An invoice time before `from` is late. What
// is not applied moves nothing.
LedgerOutcome apply_invoice(CustomerRow& row, const InvoiceFact& fact, EventTime from,
                            const TimeContext& context, TransitionBuffer& out);

// Ends the open invoice: advances the row to its last line, applies it as of then, and goes on to
// `watermark`; one that is refused moves nothing. Returns the invoice and what became of it.
struct SettledInvoice {
  LedgerOutcome outcome = LedgerOutcome::kApplied;
  OpenInvoice invoice;
  LedgerInvoice entry;                    // The ledger's, where it is applied.
  std::optional<LedgerInvoice> replaced;  // What that was before.
};
SettledInvoice settle_open_invoice(CustomerRow& row, EventTime watermark,
                                   const TimeContext& context, TransitionBuffer& out);

// Takes the customer out of every segmentation: one transition each, to `none`, with reason
// `erasure`.
void erase_segments(CustomerRow& row, EventTime now, const TimeContext& context,
                    TransitionBuffer& out);

}  // namespace rfm
