// A change of segment as it happens: what is needed to publish and explain it.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "model/model_version.h"
#include "state/customer_row.h"
#include "state/event_time.h"

namespace rfm {

enum class Reason : std::uint8_t {
  kPurchase,
  kReturn,
  kInactivity,
  kPopulationShift,  // Cuts or centroids followed the others.
  kModelChange,      // First fit, challenger, churn weights, other thresholds.
  kRulesChange,
  kLateEvent,
  kErasure,
  kBackfill,
};
std::string_view name(Reason reason);

// The record behind a transition.
struct Cause {
  std::string invoice_no;
  std::string event_id;  // Empty: none.
  EventTime event_time{};
  std::int64_t position = 0;  // Of the record in the input.
};

// What scores, clusters and risk are computed from, at one instant.
struct CustomerFacts {
  EventTime at{};
  EventTime first_purchase{};  // Meaningful if frequency > 0, like last_purchase.
  EventTime last_purchase{};
  std::uint32_t frequency = 0;
  Money monetary{};  // Net or gross, as the rules say; may be negative.
  const ModelVersion* version = nullptr;

  // What follows from the above, where it is known already; negative: not yet. Whoever changes one
  // of the above resets what depends on it.
  double recency_feature = -1;
  std::int32_t feature_f = -1;  // fixed_feature_f(frequency)
  std::int32_t feature_m = -1;  // fixed_feature_m(monetary)
  double churn_risk = -1;       // churn_risk_of
};

struct Transition {
  const CustomerRow* row = nullptr;  // For what nothing changes: id and birth.
  Segmentation segmentation = Segmentation::kChurn;
  Reason reason = Reason::kPurchase;
  SegmentCode from = kNoSegmentCode;
  SegmentCode to = kNoSegmentCode;
  EventTime from_since{};
  std::uint32_t seq = 0;
  std::optional<bool> consent{};  // As of this instant: an event that follows may change it.
  // When time alone will change the segment; kNever: not within kForesight. Only where it takes the
  // ledger to tell, because of a finite window; else it follows from `after`.
  std::optional<EventTime> next_change{};
  std::array<SegmentCode, kSegmentationCount>
      segments{};  // After all changes of this instant so far.
  CustomerFacts before;
  CustomerFacts after;
  const Cause* cause = nullptr;  // Events only.

  EventTime effective_at() const { return after.at; }
};

// What one step of one customer produced; owns the causes its transitions point to.
struct TransitionBuffer {
  std::vector<Transition> transitions;
  std::deque<Cause> causes;
  std::uint64_t suppressed = 0;  // Changes that dwell held back at an event.

  void clear() {
    transitions.clear();
    causes.clear();
    suppressed = 0;
  }
};

}  // namespace rfm
