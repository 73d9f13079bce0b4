#include "state/segmenter.h"

#include <algorithm>
#include <vector>

#include "model/axis_value.h"
#include "model/nearest_centroid.h"
#include "model/score_cuts.h"
#include "state/assertion.h"

namespace rfm {
namespace {

using Cuts = std::span<const std::int64_t>;

// One axis of one customer. Where less is better, the cuts are turned over to be met from above:
// score s is left for s - 1 at cut `bins - s`; else at cut s - 2.
class AxisScorer {
 public:
  AxisScorer(const Axis& axis, Cuts cuts, const AxisInput& input)
      : axis_(axis),
        cuts_(cuts),
        input_(input),
        quantity_(axis.cuts.quantity),
        bins_(axis.cuts.bins) {}

  // 0: absent.
  int raw() const {
    int below = 0;
    if (quantity_ == Quantity::kRisk) {
      for (const std::int64_t cut : cuts_) below += input_.risk >= risk_limit(cut) ? 1 : 0;
    } else {
      const std::optional<std::int64_t> value = axis_value(quantity_, input_);
      if (!value) return 0;
      below = cuts_below(cuts_, *value);
    }
    return is_less_better(quantity_) ? bins_ - below : 1 + below;
  }

  // From a score under other cuts, another model or an earlier risk: towards `raw` as far as the
  // value is past the cuts in between by the margin.
  int damped(int score, int raw) const {
    if (score == 0 || raw == 0) return raw;
    while (score > raw && is_past_down(score)) --score;
    while (score < raw && is_past_up(score)) ++score;
    return score;
  }

  // At `silence_ms`, from a score held earlier under the same cuts.
  int in_silence(int score, bool waiting, std::int64_t silence_ms) const {
    if (score == 0 || cuts_.empty()) return score;
    if (!waiting) return std::min(score, raw_at(silence_ms));
    // A cut that was passed while the score waited asks for the margin; one reached later does not.
    std::int64_t reached = 0;
    for (bool first = true; score > 1; --score, first = false) {
      const std::int64_t at_cut = silence_at_cut(quantity_, down_cut(score), input_);
      const bool overtaken = first || at_cut < reached;
      const std::int64_t leaves = overtaken ? with_margin(at_cut, 1) : at_cut;
      if (silence_ms <= leaves) break;
      reached = std::max(reached, leaves);
    }
    return score;
  }

  // The silences past which in_silence may give another score.
  void add_silences(bool waiting, std::vector<std::int64_t>& out) const {
    for (const std::int64_t cut : cuts_) {
      const std::int64_t at_cut = silence_at_cut(quantity_, cut, input_);
      out.push_back(at_cut);
      if (waiting) out.push_back(with_margin(at_cut, 1));
    }
  }

  // The risks at which damped() leaves `score`.
  double risk_up(int score) const {  // For a better one.
    if (score == 0 || score >= bins_) return 0;
    return quantity_ == Quantity::kRisk
               ? risk_limit(up_cut(score)) - axis_.margin
               : risk_at_cut(quantity_, with_margin(up_cut(score), 1), input_);
  }
  double risk_down(int score) const {  // For a worse one.
    if (score <= 1) return 2;
    return quantity_ == Quantity::kRisk
               ? risk_limit(down_cut(score)) + axis_.margin
               : risk_at_cut(quantity_, with_margin(down_cut(score), -1), input_);
  }

 private:
  static double risk_limit(std::int64_t cut) { return static_cast<double>(cut) / kRiskUnits; }

  std::int64_t down_cut(int score) const {
    return cuts_[static_cast<std::size_t>(is_less_better(quantity_) ? bins_ - score : score - 2)];
  }
  std::int64_t up_cut(int score) const {
    return cuts_[static_cast<std::size_t>(is_less_better(quantity_) ? bins_ - score - 1
                                                                    : score - 1)];
  }
  std::int64_t with_margin(std::int64_t cut, int sign) const {
    return static_cast<std::int64_t>(static_cast<double>(cut) * (1 + sign * axis_.margin));
  }
  std::int64_t value() const { return *axis_value(quantity_, input_); }

  bool is_past_down(int score) const {
    if (quantity_ == Quantity::kRisk) return input_.risk >= risk_down(score);
    const std::int64_t cut = down_cut(score);
    if (follows_silence(quantity_))
      return input_.silence_ms > with_margin(silence_at_cut(quantity_, cut, input_), 1);
    return value() <= with_margin(cut, -1);
  }
  bool is_past_up(int score) const {
    if (quantity_ == Quantity::kRisk) return input_.risk < risk_up(score);
    const std::int64_t cut = up_cut(score);
    if (follows_silence(quantity_))
      return input_.silence_ms <= with_margin(silence_at_cut(quantity_, cut, input_), -1);
    return value() > with_margin(cut, 1);
  }
  int raw_at(std::int64_t silence_ms) const {
    int below = 0;
    for (const std::int64_t cut : cuts_)
      below += silence_ms > silence_at_cut(quantity_, cut, input_) ? 1 : 0;
    return bins_ - below;
  }

  const Axis& axis_;
  Cuts cuts_;
  const AxisInput& input_;
  Quantity quantity_;
  int bins_;
};

constexpr std::uint8_t bit(std::size_t axis) { return static_cast<std::uint8_t>(1U << axis); }

AxisInput input_of(const CustomerFacts& facts, const Segmentation& segmentation) {
  return segmentation.follows_risk() ? axis_input_of(facts) : axis_input_without_risk(facts);
}

}  // namespace

Cuts Segmenter::cuts_of(std::size_t axis, const ModelVersion& version) const {
  const CutSpec& spec = segmentation_.axes()[axis].cuts;
  const int trained = rules_.segmentations.cut_index(index_, axis);
  if (trained < 0 || version.cuts.empty()) return spec.fixed;
  return version.cuts[static_cast<std::size_t>(trained)].cuts;
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
  if (segmentation_.is_cluster() || facts.frequency == 0) return std::nullopt;
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

Call Segmenter::cluster_call(const CustomerFacts& facts, Call current) const {
  if (!facts.version->clusters) return {.code = kUnassigned};
  const int from = current.code >= kFirstSegment ? current.code - kFirstSegment : -1;
  const SegmentationSpec& spec = segmentation_.spec();
  const int cluster = decide(*facts.version->clusters, features_of(facts, spec.recency_min_ms),
                             from, spec.hysteresis);
  return {.code = static_cast<std::uint16_t>(kFirstSegment + cluster)};
}

Call Segmenter::call_at_change(const CustomerFacts& facts, Call current) const {
  if (facts.frequency == 0) return {};
  if (segmentation_.is_cluster()) return cluster_call(facts, current);
  return grid_call(scores(facts));
}

AxisScores Segmenter::scores_in_silence(const AxisInput& input, const ModelVersion& version,
                                        Call current) const {
  AxisScores scores{};
  segmentation_.scores_of(static_cast<std::uint16_t>(current.code - kFirstSegment), scores);
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
  AxisScores stored{};
  segmentation_.scores_of(static_cast<std::uint16_t>(current.code - kFirstSegment), stored);
  for (std::size_t a = 0; a < segmentation_.axes().size(); ++a) {
    const bool follows = follows_silence(segmentation_.axes()[a].cuts.quantity);
    const bool will_follow = follows && scores[a] == raw[a] && stored[a] > scores[a];
    if (stored[a] != scores[a] && !will_follow) return call;
  }
  return current;
}

Call Segmenter::call_in_silence(const CustomerFacts& facts, Call current) const {
  if (segmentation_.is_cluster()) return cluster_call(facts, current);
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
  if (segmentation_.is_cluster()) return cluster_call(after, current);
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

Segmenter::RiskLimits Segmenter::risk_limits(const CustomerFacts& facts, Call current) const {
  RiskLimits limits;
  if (current.code < kFirstSegment) return limits;
  const AxisInput input = input_of(facts, segmentation_);
  AxisScores scores{};
  segmentation_.scores_of(static_cast<std::uint16_t>(current.code - kFirstSegment), scores);
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
  AxisScores stored{};
  segmentation_.scores_of(static_cast<std::uint16_t>(current.code - kFirstSegment), stored);
  std::vector<std::int64_t> silences;
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
  if (!facts.version->clusters || current.code < kFirstSegment) return kNever;
  const SegmentationSpec& spec = segmentation_.spec();
  const FeatureVector x = features_of(facts);
  const std::int64_t moves_from = to_ms(facts.last_purchase) + spec.recency_min_ms;
  const std::optional<std::int64_t> at =
      next_switch_ms(*facts.version->clusters,
                     {.f = x[1],
                      .m = x[2],
                      .last_purchase_ms = to_ms(facts.last_purchase),
                      .current = current.code - kFirstSegment},
                     spec.hysteresis, std::max(to_ms(facts.at), moves_from), to_ms(until));
  return at ? from_ms(*at) : kNever;
}

EventTime Segmenter::next_change(const CustomerFacts& facts, Call current, EventTime until) const {
  if (facts.frequency == 0) return kNever;
  return segmentation_.is_cluster() ? next_cluster_change(facts, current, until)
                                    : next_grid_change(facts, current, until);
}

}  // namespace rfm
