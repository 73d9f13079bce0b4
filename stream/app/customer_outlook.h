// What time alone will do to a customer: the next change in each segmentation, and everything that
// falls due before.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "state/customer_row.h"
#include "state/rules.h"
#include "state/transition.h"

namespace rfm {

// How far ahead is looked.
inline constexpr Duration kOutlook = std::chrono::hours{24 * 365 * 10};

struct NextChange {
  EventTime at{};
  SegmentCode to = kNoSegmentCode;
};

// Under the current model and rules, if the customer does nothing more; absent: no change within
// kOutlook. Churn is looked at where epochs begin, as the service does. An invoice that leaves a
// finite window is not foreseen here: it is among the deadlines.
std::optional<NextChange> next_change(Segmentation segmentation, const CustomerRow& row,
                                      const CustomerFacts& facts, const Rules& rules);

struct DueChange {
  EventTime at{};
  std::string what;
};

// In order of time.
std::vector<DueChange> deadlines_of(const CustomerRow& row, const CustomerFacts& facts,
                                    const Rules& rules);

}  // namespace rfm
