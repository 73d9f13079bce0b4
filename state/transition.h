// A change of segment as it happens: what is needed to publish and explain it.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/model_version.h"
#include "state/customer_row.h"
#include "state/event_time.h"
#include "state/rules.h"

namespace rfm {

std::string_view name(Reason reason);

enum class Direction : std::uint8_t { kUp, kDown, kSideways, kNew, kLost };
std::string_view name(Direction direction);
Direction direction_of(const Segmentation& segmentation, SegmentCode from, SegmentCode to);

// Of any code: `none`, `Unassigned`, or one of the segmentation's.
const SegmentInfo& segment_info(const Segmentation& segmentation, SegmentCode code);
// Absent: none is of that name.
std::optional<SegmentCode> find_segment(const Segmentation& segmentation, std::string_view name);

// What a customer's own rules say against acting on a transition.
enum class Restraint : std::uint8_t {
  kNone,
  kNoAction,    // None is bound to this segment and direction.
  kPrecedence,  // Another transition of the customer stands.
  kCooldown,
};

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

// Another segment that was called for and held back.
struct HeldSegment {
  SegmentCode segment = kNoSegmentCode;
  EventTime since{};
};

struct NextChange {
  EventTime at = kNever;
  SegmentCode to = kNoSegmentCode;
};

struct Transition {
  const CustomerRow* row = nullptr;  // For what nothing changes: id and birth.
  const Rules* rules = nullptr;      // What `segmentation` and `to` mean.
  std::int64_t rules_version = 1;    // In force from this instant on.
  // What `from` means: the same segmentation, but where the rules have changed.
  const Segmentation* from_in = nullptr;
  std::uint8_t segmentation = 0;  // Index in the rules.
  Reason reason = Reason::kPurchase;
  Direction direction = Direction::kNew;
  Restraint restraint = Restraint::kNone;
  SegmentCode from = kNoSegmentCode;
  SegmentCode to = kNoSegmentCode;
  EventTime from_since{};
  std::uint32_t seq = 0;
  const SegmentAction* action = nullptr;  // In the rules; null: none applies.
  std::optional<HeldSegment> held{};
  Call call{};                    // What is called for from now on.
  std::optional<bool> consent{};  // As of this instant: an event that follows may change it.
  // What time alone will change the segment to; kNever: nothing within kForesight. Only where it
  // takes the ledger to tell, because of a finite window; else it follows from `after`.
  std::optional<NextChange> next_change{};
  CustomerFacts before;
  CustomerFacts after;
  const Cause* cause = nullptr;  // Events only.

  EventTime effective_at() const { return after.at; }
};

// What one step of one customer produced; owns the causes its transitions point to.
struct TransitionBuffer {
  // A row with a past that is under other rules from `facts.at` on, whether or not it moves.
  struct Adoption {
    const CustomerRow* row = nullptr;
    CustomerFacts facts;
  };

  // A day at whose end his money was not what is booked of him, because of what happened in it;
  // `transitions` are of before.
  struct DayEnd {
    std::int64_t day = 0;
    Money money;
    std::size_t transitions = 0;
  };

  std::vector<Transition> transitions;
  std::vector<DayEnd> day_ends;
  std::vector<Adoption> adoptions;
  std::deque<Cause> causes;
  std::uint64_t suppressed = 0;  // Moves that damping held back or dropped.

  bool empty() const { return transitions.empty() && day_ends.empty() && adoptions.empty(); }
  void clear() {
    transitions.clear();
    day_ends.clear();
    adoptions.clear();
    causes.clear();
    suppressed = 0;
  }
};

}  // namespace rfm
