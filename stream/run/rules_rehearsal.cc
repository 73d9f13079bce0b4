#include "stream/run/rules_rehearsal.h"

#include <algorithm>

#include "state/advance.h"

namespace rfm {
namespace {

using Days = std::chrono::days;
constexpr Days kBefore{60};

}  // namespace

std::uint64_t rehearse(const RehearsedCustomer& customer, const Rules& rules,
                       const ModelTimeline& models) {
  const TimeContext context{.rules = rules, .models = models};
  const EventTime first = customer.at - Days{kRehearsedDays};
  EventTime now = first - kBefore;
  CustomerRow row;
  row.clock = now;
  row.rules = static_cast<std::uint32_t>(rules.version);
  row.segments.resize(rules.segmentations.size());
  std::uint64_t count = 0;
  TransitionBuffer buffer;
  const auto take = [&] {
    count += static_cast<std::uint64_t>(std::ranges::count_if(
        buffer.transitions, [&](const Transition& t) { return t.effective_at() > first; }));
    buffer.clear();
  };
  std::vector<LedgerInvoice> invoices = customer.invoices;
  std::ranges::stable_sort(invoices, {}, &LedgerInvoice::time);
  for (const LedgerInvoice& invoice : invoices) {
    if (invoice.time > customer.at) break;
    const InvoiceFact fact{.invoice = invoice};
    if (apply_invoice(row, fact, now, context, buffer) == LedgerOutcome::kApplied)
      now = std::max(now, invoice.time);
    take();
  }
  if (row.birth == 0) return 0;
  advance(row, now, customer.at, context, buffer);
  take();
  return count;
}

}  // namespace rfm
