// The score of one axis of one customer: as it is, damped, and while silence goes on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "absl/container/inlined_vector.h"
#include "model/axis_value.h"
#include "model/score_cuts.h"
#include "state/evaluation.h"

namespace rfm {

using Cuts = std::span<const std::int64_t>;
using Silences = absl::InlinedVector<std::int64_t, 32>;

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
    if (score == 0 || cuts_.empty() || !axis_value(quantity_, input_)) return score;
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
  void add_silences(bool waiting, Silences& out) const {
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

// Of an axis in Call::waiting.
constexpr std::uint8_t bit(std::size_t axis) { return static_cast<std::uint8_t>(1U << axis); }

// With the churn risk only where it is asked.
inline AxisInput input_of(const CustomerFacts& facts, const Segmentation& segmentation) {
  return segmentation.follows_risk() ? axis_input_of(facts) : axis_input_without_risk(facts);
}

}  // namespace rfm
