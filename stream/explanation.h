// In words, what moved a customer: which axis crossed which cut, which centroid is nearer, which
// band the risk is in.
#pragma once

#include <string>

#include "state/rules.h"
#include "state/transition.h"

namespace rfm {

// "recency 92.4 days passed the cut 71.5: R 3 -> 2"
std::string explain(const Transition& transition, const Rules& rules);

double recency_days(const CustomerFacts& facts);

}  // namespace rfm
