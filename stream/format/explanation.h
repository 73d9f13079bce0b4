// In a marketer's words, what moved a customer: what he did or did not do, and which limit that
// passed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "model/segmentation.h"
#include "state/rules.h"
#include "state/transition.h"
#include "stream/text/number_text.h"

namespace rfm {

// P(no purchase within 90 days) before and after; absent without a model or a purchase, and where
// the segmentation does not follow it.
struct TransitionRisks {
  std::optional<double> before;
  std::optional<double> after;
};
TransitionRisks risks_of(const Transition& transition, const Rules& rules);

// "no purchase for 99.2 days, usually every 21; R 3 -> 2 past 90.0 days"
std::string explain(const Transition& transition, const TransitionRisks& risks, const Rules& rules);

// Days since the last purchase.
NumberText recency_text(const CustomerFacts& facts);

// A value or a cut of an axis in its unit: "90.0 days".
std::string axis_text(Quantity quantity, std::int64_t value);
std::string cuts_text(Quantity quantity, std::span<const std::int64_t> cuts);

inline constexpr int kRiskDigits = 4;

}  // namespace rfm
