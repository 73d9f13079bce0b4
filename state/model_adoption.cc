#include "state/model_adoption.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "model/nearest_centroid.h"
#include "state/damping.h"
#include "state/evaluation.h"
#include "state/row_outlook.h"

namespace rfm {

namespace {

// Whether the scores that silence brings down lead to a lost segment by themselves: the customer
// has been silent for long enough, whether the day or a cut let go.
bool falls_silent(const Segmenter& segmenter, const SegmentState& state, Call call,
                  const ModelVersion& to) {
  const Segmentation& segmentation = segmenter.segmentation();
  if (!segmentation.follows_silence() || segmentation.has_centroids() ||
      state.call.code < kFirstSegment || call.code < kFirstSegment)
    return false;
  const SegmentCode called = segmenter.segment_of(call, to);
  if (!segment_info(segmentation, called).lost ||
      direction_of(segmentation, state.segment, called) != Direction::kDown)
    return false;
  AxisScores before =
      segmentation.scores_of(static_cast<std::uint16_t>(state.call.code - kFirstSegment));
  const AxisScores& after =
      segmentation.scores_of(static_cast<std::uint16_t>(call.code - kFirstSegment));
  const std::span<const Axis> axes = segmentation.axes();
  for (std::size_t a = 0; a < axes.size(); ++a)
    if (follows_silence(axes[a].cuts.quantity)) before[a] = after[a];
  const std::size_t silent = segmentation.segment_of(
      segmentation.cell_of(std::span(std::as_const(before)).first(axes.size())));
  return segmentation.info(silent).lost;
}

}  // namespace

bool adopts(const Segmentation& segmentation, const ModelVersion& to) {
  if (segmentation.is_cluster()) return to.cluster_change != ClusterChange::kNone;
  return to.cuts_changed || (segmentation.follows_risk() && to.churn_changed);
}

Reason adoption_reason(const Segmenter& segmenter, const SegmentState& state, Call call,
                       const ModelVersion& from, const ModelVersion& to) {
  const Segmentation& segmentation = segmenter.segmentation();
  if (segmentation.is_cluster()) {
    // A cluster that is called otherwise is another name of the same customers.
    const bool followed = to.cluster_change == ClusterChange::kMoved ||
                          to.cluster_change == ClusterChange::kRefitWarm;
    return followed && call != state.call ? Reason::kPopulationShift : Reason::kModelChange;
  }
  if (segmentation.follows_risk() && to.churn_changed) return Reason::kModelChange;
  for (std::size_t axis = 0; axis < segmentation.axes().size(); ++axis)
    if (segmenter.is_trained(axis, from) != segmenter.is_trained(axis, to))
      return Reason::kModelChange;
  return falls_silent(segmenter, state, call, to) ? Reason::kInactivity : Reason::kPopulationShift;
}

void refresh_member(CustomerRow& row, const CustomerFacts& facts) {
  int member = -1;
  if (facts.version->clusters && facts.frequency > 0) {
    member =
        decide(*facts.version->clusters, features_of(facts), row.member - 1, kMemberHysteresis);
  }
  if (row.member == member + 1) return;
  row.member = static_cast<std::uint8_t>(member + 1);
  row.clock = std::max(row.clock, facts.at);
}

}  // namespace rfm
