#include "state/segmenter.h"

#include <algorithm>
#include <vector>

#include "model/nearest_centroid.h"
#include "state/axis_scorer.h"

namespace rfm {
Cuts Segmenter::cuts_of(std::size_t axis, const ModelVersion& version) const {
  const CutSpec& spec = segmentation_.axes()[axis].cuts;
  const int trained = rules_.segmentations.cut_index(index_, axis);
  if (!is_trained(axis, version)) return spec.fixed;
  return version.cuts[static_cast<std::size_t>(trained)].cuts;
}

bool Segmenter::is_trained(std::size_t axis, const ModelVersion& version) const {
  const int trained = rules_.segmentations.cut_index(index_, axis);
  return trained >= 0 && static_cast<std::size_t>(trained) < version.cuts.size();
}

SegmentCode Segmenter::segment_of(Call call, const ModelVersion& version) const {
  if (call.code < kFirstSegment) return call.code;
  const auto index = static_cast<std::uint16_t>(call.code - kFirstSegment);
  if (!segmentation_.is_cluster())
    return static_cast<SegmentCode>(kFirstSegment + segmentation_.segment_of(index));
  // A call may come from another version than the one it is looked at under.
  if (!version.clusters || index >= version.clusters->names.size()) return kUnassigned;
  return static_cast<SegmentCode>(kFirstSegment + version.clusters->names[index]);
}

std::optional<AxisScores> Segmenter::scores(const CustomerFacts& facts) const {
  if (is_by_centroids() || facts.frequency == 0) return std::nullopt;
  const AxisInput input = input_of(facts, segmentation_);
  AxisScores scores{};
  for (std::size_t a = 0; a < segmentation_.axes().size(); ++a) {
    const Axis& axis = segmentation_.axes()[a];
    const Cuts cuts = cuts_of(a, *facts.version);
    if (cuts.empty() || (follows_risk(axis.cuts.quantity) && input.risk < 0)) return std::nullopt;
    scores[a] = static_cast<std::uint8_t>(AxisScorer(axis, cuts, input).raw());
  }
  return scores;
}

Call Segmenter::grid_call(const std::optional<AxisScores>& scores) const {
  if (!scores) return {.code = kUnassigned};
  const std::uint16_t cell =
      segmentation_.cell_of(std::span(*scores).first(segmentation_.axes().size()));
  return {.code = static_cast<std::uint16_t>(kFirstSegment + cell)};
}

const ClusterModel* Segmenter::centroids(const ModelVersion& version) const {
  if (segmentation_.has_centroids()) return &segmentation_.centroids();
  return version.clusters ? &*version.clusters : nullptr;
}

FeatureVector Segmenter::features(const CustomerFacts& facts) const {
  const SegmentationSpec& spec = segmentation_.spec();
  FeatureVector x = features_of(facts, spec.recency_min_ms);
  if (spec.recency_at_ms) {
    const std::int64_t last = to_ms(facts.last_purchase);
    x[0] = recency_feature(last, std::max(*spec.recency_at_ms, last + spec.recency_min_ms));
  }
  return x;
}

Call Segmenter::cluster_call(const CustomerFacts& facts, Call current) const {
  const ClusterModel* const model = centroids(*facts.version);
  if (model == nullptr) return {.code = kUnassigned};
  const int from = current.code >= kFirstSegment ? current.code - kFirstSegment : -1;
  const int cluster = decide(*model, features(facts), from, segmentation_.spec().hysteresis);
  return {.code = static_cast<std::uint16_t>(kFirstSegment + cluster)};
}

Call Segmenter::call_at_change(const CustomerFacts& facts, Call current) const {
  if (facts.frequency == 0) return {};
  if (is_by_centroids()) return cluster_call(facts, current);
  return grid_call(scores(facts));
}

Call Segmenter::call_at_return(const CustomerFacts& before, const CustomerFacts& after,
                               Call current) const {
  const std::optional<AxisScores> was = scores(before);
  const std::optional<AxisScores> now = scores(after);
  if (!was || !now || current.code < kFirstSegment) return call_at_change(after, current);
  const AxisInput input = input_of(after, segmentation_);
  const AxisScores held =
      scores_in_silence(input_of(before, segmentation_), *after.version, current);
  AxisScores called = scores_in_silence(input, *after.version, current);
  std::uint8_t waiting = 0;
  for (std::size_t a = 0; a < segmentation_.axes().size(); ++a) {
    const Axis& axis = segmentation_.axes()[a];
    const AxisScorer scorer(axis, cuts_of(a, *after.version), input);
    const int score = (*was)[a] == (*now)[a] ? scorer.damped(called[a], (*now)[a]) : (*now)[a];
    called[a] = static_cast<std::uint8_t>(score);
    if (follows_silence(axis.cuts.quantity) && score > (*now)[a]) waiting |= bit(a);
  }
  Call call = grid_call(called);
  call.waiting = waiting;
  return called != held ? call : canonical(call, current, called, *now, *after.version);
}

AxisScores Segmenter::scores_in_silence(const AxisInput& input, const ModelVersion& version,
                                        Call current) const {
  AxisScores scores = stored_scores(current);
  for (std::size_t a = 0; a < segmentation_.axes().size(); ++a) {
    const Axis& axis = segmentation_.axes()[a];
    if (!follows_silence(axis.cuts.quantity)) continue;
    const bool waiting = (current.waiting & bit(a)) != 0;
    scores[a] = static_cast<std::uint8_t>(AxisScorer(axis, cuts_of(a, version), input)
                                              .in_silence(scores[a], waiting, input.silence_ms));
  }
  return scores;
}

Call Segmenter::canonical(Call call, Call current, const AxisScores& scores, const AxisScores& raw,
                          const ModelVersion& version) const {
  if (call.waiting != 0 || current.waiting != 0 ||
      segment_of(call, version) != segment_of(current, version))
    return call;
  const AxisScores& stored = stored_scores(current);
  for (std::size_t a = 0; a < segmentation_.axes().size(); ++a) {
    const bool follows = follows_silence(segmentation_.axes()[a].cuts.quantity);
    const bool will_follow =
        follows && scores[a] == raw[a] && stored[a] > scores[a] && scores[a] != 0;
    if (stored[a] != scores[a] && !will_follow) return call;
  }
  return current;
}

Call Segmenter::call_in_silence(const CustomerFacts& facts, Call current) const {
  if (is_by_centroids()) return cluster_call(facts, current);
  if (current.code < kFirstSegment || !segmentation_.follows_silence()) return current;
  const AxisInput input = input_of(facts, segmentation_);
  const AxisScores scores = scores_in_silence(input, *facts.version, current);
  AxisScores raw = scores;
  Call call = grid_call(scores);
  for (std::size_t a = 0; a < segmentation_.axes().size(); ++a) {
    const Axis& axis = segmentation_.axes()[a];
    if (!follows_silence(axis.cuts.quantity)) continue;
    raw[a] = static_cast<std::uint8_t>(AxisScorer(axis, cuts_of(a, *facts.version), input).raw());
    if (scores[a] > raw[a]) call.waiting |= bit(a);
  }
  return canonical(call, current, scores, raw, *facts.version);
}

Call Segmenter::call_at_boundary(const CustomerFacts& before, const CustomerFacts& after,
                                 Call current) const {
  if (is_by_centroids()) return cluster_call(after, current);
  const std::optional<AxisScores> raw = scores(after);
  if (!raw || current.code < kFirstSegment) return grid_call(raw);
  const AxisInput input = input_of(after, segmentation_);
  AxisScores scores = scores_in_silence(input, *before.version, current);
  std::uint8_t waiting = 0;
  for (std::size_t a = 0; a < segmentation_.axes().size(); ++a) {
    const Axis& axis = segmentation_.axes()[a];
    scores[a] = static_cast<std::uint8_t>(
        AxisScorer(axis, cuts_of(a, *after.version), input).damped(scores[a], (*raw)[a]));
    if (follows_silence(axis.cuts.quantity) && scores[a] > (*raw)[a]) waiting |= bit(a);
  }
  Call call = grid_call(scores);
  call.waiting = waiting;
  return canonical(call, current, scores, *raw, *after.version);
}

}  // namespace rfm
