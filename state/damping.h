// From what is called for to the segment that is published: direction guard and least stay
// (DESIGN, "Quiet").
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "state/customer_row.h"
#include "state/rules.h"
#include "state/segmenter.h"
#include "state/transition.h"

namespace rfm {

// Whether it is what the customer did; otherwise time, the others or the model.
bool is_own(Reason reason);

// What is compared at one instant. Keeps the risks, once a transition needs them, for the next one.
struct Comparison {
  CustomerFacts before{};
  CustomerFacts after{};
  const Cause* cause = nullptr;
  bool is_purchase = false;  // The cause adds to what was bought.
};

// A segmentation calls for `call` now, because of `reason`. What the customer does takes effect at
// once, also where time, cuts or the model have called for the same before; silence and a purchase
// never move against their direction: what is refused is dropped until another segment, or a
// purchase, calls; moves by time, cuts and model wait for the least stay, falls by silence to lost
// segments excepted. The first segment and the last are never held.
void follow_call(CustomerRow& row, std::size_t segmentation, Call call, Reason reason,
                 Comparison& compared, const Rules& rules, TransitionBuffer& out);

// To `to` at once, whatever is called for.
void change_segment(CustomerRow& row, std::size_t segmentation, SegmentCode to, Reason reason,
                    Call call, Comparison& compared, const Rules& rules, TransitionBuffer& out);

// What `state` holds back; `version`: under which it was called for.
std::optional<HeldSegment> held_by(const SegmentState& state, const Segmenter& segmenter,
                                   const ModelVersion& version);

// When another segment that is held back takes effect; kBeforeAll if none is. It is released there
// by following the same call again.
EventTime stay_end(const CustomerRow& row, std::size_t segmentation, const ModelVersion& version,
                   const Rules& rules);

}  // namespace rfm
