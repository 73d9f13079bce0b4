// The last days of some customers once more, under rules that were not those of then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "state/event_time.h"
#include "state/ledger_entries.h"
#include "state/model_timeline.h"
#include "state/rules.h"

namespace rfm {

struct RehearsedCustomer {
  std::uint64_t id_hash = 0;
  EventTime at{};                       // As of when he is known.
  std::vector<LedgerInvoice> invoices;  // As they stand then.
};

inline constexpr int kRehearsedDays = 90;

// Transitions in the customer's last kRehearsedDays, had `rules` been the only ones, under the
// models that were. It begins 60 days before those, so that damping has its past by then. Every
// invoice comes in time and as it is now; those that are folded, some dozen years of weekly orders
// ago, are missing. `models` knows no rules.
std::uint64_t rehearse(const RehearsedCustomer& customer, const Rules& rules,
                       const ModelTimeline& models);

}  // namespace rfm
