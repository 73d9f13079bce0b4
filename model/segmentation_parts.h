// What the presets are put together from.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "model/segmentation_spec.h"

namespace rfm {

inline constexpr std::int64_t kPresetDayMs = 86'400'000;

// "At least `whole`" of the currency unit as a cut.
constexpr std::int64_t money_below(std::int64_t whole) { return whole * 10'000 - 1; }

constexpr std::int64_t percent_of_risk(std::int64_t percent) { return percent * 10'000'000; }

inline SegmentAction up(std::string text) {
  SegmentAction action;
  action.text = std::move(text);
  action.on = MoveKind::kUpOrFirst;
  return action;
}

inline SegmentAction down(std::string text) {
  SegmentAction action;
  action.text = std::move(text);
  action.on = MoveKind::kDown;
  return action;
}

// Quantiles, with the share .1 as margin.
inline Axis quantile_axis(std::string name, Quantity quantity, std::vector<std::int64_t> start) {
  Axis axis;
  axis.name = std::move(name);
  axis.cuts.quantity = quantity;
  axis.cuts.bins = static_cast<int>(start.size()) + 1;
  axis.cuts.fixed = std::move(start);
  axis.margin = .1;
  return axis;
}

// Bounds in days, so that names keep their meaning whatever the others do.
inline Axis recency_axis(const std::vector<CutBounds>& days,
                         const std::vector<std::int64_t>& start) {
  Axis axis = quantile_axis("r", Quantity::kRecency, start);
  for (std::int64_t& cut : axis.cuts.fixed) cut *= kPresetDayMs;
  for (const CutBounds& bounds : days)
    axis.cuts.bounds.push_back({bounds.low * kPresetDayMs, bounds.high * kPresetDayMs});
  return axis;
}

inline std::vector<Axis> quintile_axes() {
  return {recency_axis({{30, 60}, {60, 90}, {90, 180}, {120, 365}}, {30, 60, 90, 120}),
          quantile_axis("f", Quantity::kFrequency, {1, 2, 4, 8}),
          quantile_axis("m", Quantity::kMonetary,
                        {money_below(100), money_below(300), money_below(800), money_below(2000)})};
}

}  // namespace rfm
