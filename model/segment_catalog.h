// What each named segment means, what to do about it, and how the segments of one segmentation are
// ordered.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/cluster_names.h"

namespace rfm {

struct SegmentInfo {
  std::string name;
  int rank = 0;  // Higher is better for the business; decides whether a transition goes up or down.
  std::string description;
  std::string action;  // What marketing is advised to do, in the imperative.

  friend bool operator==(const SegmentInfo&, const SegmentInfo&) = default;
};

// Segments outside every map.
inline constexpr std::string_view kNoSegment = "none";                // No purchase counts.
inline constexpr std::string_view kUnassignedSegment = "Unassigned";  // No model yet.

// Churn bands, from low risk to high; the index is the segment's id.
enum class ChurnBand : std::uint8_t { kLow, kMedium, kHigh };
inline constexpr int kChurnBandCount = 3;

// A segment of the `rfm` segmentation by its name (all names of the presets); nullptr: unknown.
const SegmentInfo* find_rfm_segment(std::string_view name);

const SegmentInfo& churn_segment(ChurnBand band);

// A cluster by its name, or by the name's code. A plain description has a rank by its spend,
// between those of the five names, and no action; what is no name of a cluster has rank 0 and
// nothing else.
const SegmentInfo& cluster_segment(std::string_view name);
const SegmentInfo& cluster_segment(ClusterNameCode code);

// `none` and `Unassigned`: rank 0, nothing to do.
const SegmentInfo& no_segment();
const SegmentInfo& unassigned_segment();

}  // namespace rfm
