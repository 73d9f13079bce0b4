// From what is published to what may be acted on: actions, precedence, quiet and cool-downs
// (DESIGN, "Quiet").
#pragma once

#include <cstddef>

#include "state/customer_row.h"
#include "state/rules.h"
#include "state/transition.h"

namespace rfm {

// When transitions of one customer came about.
struct Instant {
  EventTime at{};
  bool is_own_event = false;  // Of the customer.
};

// Which of the transitions from `first` on, all of this instant, may be acted on: at most one
// within `quiet`, and only one that has an action. A customer's own event begins anew; two of one
// instant are one.
void restrain(CustomerRow& row, std::size_t first, Instant instant, const Rules& rules,
              TransitionBuffer& out);

}  // namespace rfm
