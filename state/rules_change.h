// A row takes on other rules at an epoch boundary. What a segmentation calls a segment stays one; a
// segmentation whose scorer, axes or map is another is evaluated anew, undamped and at once; what
// other damping holds no longer is let go; a segmentation that is new begins, one that is gone ends
// with `none`. All for the reason `rules_change`.
#pragma once

#include <cstddef>
#include <cstdint>

#include "state/customer_row.h"
#include "state/rules.h"
#include "state/transition.h"

namespace rfm {

// Segmentations of the new rules by index, of which there are at most 64.
using SegmentationMask = std::uint64_t;
constexpr SegmentationMask mask_of(std::size_t segmentation) {
  return SegmentationMask{1} << segmentation;
}

// Both facts are those at the boundary, under the models until there and from there on. `from` are
// the rules that the row is under. Returns the segmentations that call for what they did: a new
// model is still to be adopted by them.
SegmentationMask adopt_rules(CustomerRow& row, const CustomerFacts& facts_before,
                             const CustomerFacts& facts, const Rules& from, const Rules& to,
                             TransitionBuffer& out);

}  // namespace rfm
