// In words, what moved a customer: which axis crossed which cut, which centroid is nearer, which
// band the risk is in.
#pragma once

#include <optional>
#include <string>

#include "state/rules.h"
#include "state/transition.h"

namespace rfm {

// P(no purchase within 90 days) before and after; absent without a model or a purchase.
struct TransitionRisks {
  std::optional<double> before;
  std::optional<double> after;
};
TransitionRisks risks_of(const Transition& transition);

// "recency 92.4 days passed the cut 71.5: R 3 -> 2"
std::string explain(const Transition& transition, const TransitionRisks& risks, const Rules& rules);

double recency_days(const CustomerFacts& facts);

}  // namespace rfm
