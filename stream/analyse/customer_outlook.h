// What time alone will do to a customer: the next change in each segmentation, and everything that
// falls due before.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "state/customer_row.h"
#include "state/rules.h"
#include "state/transition.h"

namespace rfm {

// Under the current model and rules, if the customer does nothing more; absent: no change within
// kForesight. What follows the churn risk is looked at where epochs begin and where invoices leave
// a finite window, as the service does.
std::optional<NextChange> next_change(std::size_t segmentation, const CustomerRow& row,
                                      const CustomerFacts& facts, const Rules& rules);

struct DueChange {
  EventTime at{};
  std::string what;
};

// In order of time.
std::vector<DueChange> deadlines_of(const CustomerRow& row, const CustomerFacts& facts,
                                    const Rules& rules);

}  // namespace rfm
