// What a segmentation will call for if nothing comes.
#include <algorithm>

#include "model/nearest_centroid.h"
#include "state/axis_scorer.h"
#include "state/segmenter.h"

namespace rfm {
namespace {

// Of a silence that is looked ahead at.
constexpr Duration kLongest = std::chrono::hours{24 * 365 * 1000};

}  // namespace

Segmenter::RiskLimits Segmenter::risk_limits(const CustomerFacts& facts, Call current) const {
  RiskLimits limits;
  if (current.code < kFirstSegment) return limits;
  const AxisInput input = input_of(facts, segmentation_);
  const AxisScores& scores = stored_scores(current);
  for (std::size_t a = 0; a < segmentation_.axes().size(); ++a) {
    const Axis& axis = segmentation_.axes()[a];
    if (!follows_risk(axis.cuts.quantity)) continue;
    const AxisScorer scorer(axis, cuts_of(a, *facts.version), input);
    limits.low = std::max(limits.low, scorer.risk_up(scores[a]));
    limits.high = std::min(limits.high, scorer.risk_down(scores[a]));
  }
  return limits;
}

EventTime Segmenter::next_grid_change(const CustomerFacts& facts, Call current,
                                      EventTime until) const {
  if (!segmentation_.follows_silence() || current.code < kFirstSegment) return kNever;
  AxisInput input = input_of(facts, segmentation_);
  const AxisScores& stored = stored_scores(current);
  Silences silences;
  for (std::size_t a = 0; a < segmentation_.axes().size(); ++a) {
    const Axis& axis = segmentation_.axes()[a];
    if (!follows_silence(axis.cuts.quantity) || stored[a] == 0) continue;
    AxisScorer(axis, cuts_of(a, *facts.version), input)
        .add_silences((current.waiting & bit(a)) != 0, silences);
  }
  std::ranges::sort(silences);
  const SegmentCode segment = segment_of(current, *facts.version);
  const std::int64_t now = input.silence_ms;
  for (const std::int64_t silence : silences) {
    if (silence < now) continue;
    const EventTime at = facts.last_purchase + Duration{silence + 1};
    if (at > until) return kNever;
    input.silence_ms = silence + 1;
    const Call then = grid_call(scores_in_silence(input, *facts.version, current));
    if (segment_of(then, *facts.version) != segment) return at;
  }
  return kNever;
}

EventTime Segmenter::next_cluster_change(const CustomerFacts& facts, Call current,
                                         EventTime until) const {
  const ClusterModel* const model = centroids(*facts.version);
  const SegmentationSpec& spec = segmentation_.spec();
  if (model == nullptr || current.code < kFirstSegment || spec.recency_at_ms) return kNever;
  const FeatureVector x = features_of(facts);
  const std::int64_t moves_from = to_ms(facts.last_purchase) + spec.recency_min_ms;
  const std::optional<std::int64_t> at =
      next_switch_ms(*model,
                     {.f = x[1],
                      .m = x[2],
                      .last_purchase_ms = to_ms(facts.last_purchase),
                      .current = current.code - kFirstSegment},
                     spec.hysteresis, std::max(to_ms(facts.at), moves_from),
                     to_ms(std::min(until, facts.at + kLongest)));
  return at ? from_ms(*at) : kNever;
}

EventTime Segmenter::next_change(const CustomerFacts& facts, Call current, EventTime until) const {
  if (facts.frequency == 0) return kNever;
  return is_by_centroids() ? next_cluster_change(facts, current, until)
                           : next_grid_change(facts, current, until);
}

}  // namespace rfm
