// One customer's figures at one instant, as every part of a census takes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "state/customer_row.h"
#include "state/rules.h"
#include "state/transition.h"
#include "stream/analyse/ledger_history.h"

namespace rfm {

struct CustomerFigures {
  const CustomerRow& row;
  const CustomerFacts& facts;
  // What the segmentations shown mean, and what those of the row mean, which may be older ones for
  // an open invoice's sake.
  const Rules& rules;
  const Rules& row_rules;
  const LedgerHistory& history;
  std::optional<std::int64_t> risk;  // Churn risk in 10^-9; absent without a model or a purchase.
  // Churn risk times what the last year's net spend is over the risk's 90 days; 0 without a risk
  // or where credits are more than sales. Rounded to 10^-4, halves up.
  Money value_at_risk;
};

// `history` outlives the figures and is overwritten.
CustomerFigures figures_of(const CustomerRow& row, const CustomerFacts& facts,
                           const Rules& row_rules, const Rules& rules, LedgerHistory& history);

inline constexpr Duration kYearSpan = std::chrono::hours{24 * 365};

Money value_at_risk_of(std::int64_t risk, Money year_spend);

// The customer's segment in a segmentation of `rules`; kNoSegmentCode where the row's rules know
// none of that name.
SegmentCode segment_of(const CustomerFigures& figures, std::size_t segmentation);

}  // namespace rfm
