// What is known ahead of a customer, so that nobody need ask: the deadline, the margin to another
// cluster, the boundaries at which the churn risk changes nothing (RowCache).
#pragma once

#include <cstdint>

#include "model/churn_risk.h"
#include "state/customer_row.h"
#include "state/model_timeline.h"
#include "state/rules.h"
#include "state/time_context.h"
#include "state/transition.h"

namespace rfm {

// Of the membership in a cluster, on squared distances.
inline constexpr double kMemberHysteresis = .1;

// Facts of the row at `t` under a version.
CustomerFacts facts_at(const CustomerRow& row, EventTime t, const ModelVersion* version,
                       const TimeContext& context);
const ModelVersion* version_at(EventTime t, const TimeContext& context);

// Fills the cache for the epoch of `facts.at`, up to and including the boundary that ends it. The
// outlook of the churn risk stays.
void refresh_cache(CustomerRow& row, const CustomerFacts& facts, const TimeContext& context);

// The churn risk, filled into `facts`, and how it goes on: if any segmentation asks for it.
ChurnOutlook outlook_of(CustomerFacts& facts, const Rules& rules);

// How long the risk provably stays within the band in which a boundary calls for nothing else in
// any segmentation.
void refresh_risk_quiet(CustomerRow& row, const CustomerFacts& facts, const ChurnOutlook& outlook,
                        const Rules& rules);

// What a sweep over the rows of a partition needs to know of one boundary.
struct BoundaryStep {
  std::int64_t epoch = 0;  // The epoch that begins.
  EventTime boundary{};
  EventTime horizon{};  // The next boundary.
  const ModelVersion* from = nullptr;
  const ModelVersion* to = nullptr;
  double drift = 0;           // ModelTimeline::drift(epoch).
  bool every_row = false;     // The new version may change any row.
  bool adopts_rules = false;  // Other rules hold from here on.
};
BoundaryStep boundary_step(std::int64_t epoch, const TimeContext& context);

// Whether crossing the boundary provably changes nothing for this row, which is up to date to that
// boundary, nor does time until the next one (margins as in Hamerly, "Making k-means even faster",
// 2010). Conservative: false means "advance it and see".
bool is_quiet_at(const CustomerRow& row, const BoundaryStep& step, const Rules& rules);

// Rebuilds the cache of a row that is up to date to `at` (at start).
void rebuild_cache(CustomerRow& row, EventTime at, const TimeContext& context);

}  // namespace rfm
