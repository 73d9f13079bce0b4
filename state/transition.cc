#include "state/transition.h"

#include <array>
#include <cstddef>

namespace rfm {

std::string_view name(Reason reason) {
  constexpr std::array<std::string_view, kReasonCount> kNames = {
      "purchase",     "return",     "inactivity", "population_shift", "model_change",
      "rules_change", "late_event", "erasure",    "backfill"};
  return kNames[static_cast<std::size_t>(reason)];
}

std::string_view name(Direction direction) {
  constexpr std::array<std::string_view, 5> kNames = {"up", "down", "sideways", "new", "lost"};
  return kNames[static_cast<std::size_t>(direction)];
}

const SegmentInfo& segment_info(const Segmentation& segmentation, SegmentCode code) {
  if (code == kNoSegmentCode) return no_segment();
  if (code == kUnassigned) return unassigned_segment();
  return segmentation.info(code - kFirstSegment);
}

std::optional<SegmentCode> find_segment(const Segmentation& segmentation, std::string_view name) {
  for (std::size_t i = 0; i < segmentation.info_count(); ++i)
    if (segmentation.info(i).name == name) return static_cast<SegmentCode>(kFirstSegment + i);
  if (name == kUnassignedSegment) return kUnassigned;
  return name == kNoSegment ? std::optional<SegmentCode>(kNoSegmentCode) : std::nullopt;
}

Direction direction_of(const Segmentation& segmentation, SegmentCode from, SegmentCode to) {
  if (from == kNoSegmentCode) return Direction::kNew;
  if (to == kNoSegmentCode) return Direction::kLost;
  const int before = segment_info(segmentation, from).rank;
  const int after = segment_info(segmentation, to).rank;
  if (from == kUnassigned || to == kUnassigned || before == after) return Direction::kSideways;
  return after > before ? Direction::kUp : Direction::kDown;
}

}  // namespace rfm
