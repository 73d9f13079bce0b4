// What the axes of a grid measure of one customer.
#pragma once

#include <cstdint>
#include <optional>

#include "model/segmentation_spec.h"

namespace rfm {

// At one instant, with at least one purchase that counts.
struct AxisInput {
  std::int64_t silence_ms = 0;  // Since the last purchase, >= 0.
  std::int64_t history_ms = 0;  // From the first purchase to the last, >= 0.
  std::int64_t frequency = 1;
  std::int64_t monetary = 0;  // 10^-4 of the currency unit; may be negative.
  double risk = -1;           // Churn risk; negative: there is no model.
};

// nullopt: absent (kOverdue), or there is no churn model (kRisk, kValue).
std::optional<std::int64_t> axis_value(Quantity quantity, const AxisInput& input);

// Whether silence alone changes it at an instant that is known (kRecency, kOverdue), or a boundary
// has to be asked (kRisk, kValue).
bool follows_silence(Quantity quantity);
bool follows_risk(Quantity quantity);

// The largest silence at which a kRecency or kOverdue that is not absent does not exceed `cut`.
std::int64_t silence_at_cut(Quantity quantity, std::int64_t cut, const AxisInput& input);

// The churn risk at and above which a kRisk reaches the cut, or a kValue no longer exceeds it.
// Rounded: for an outlook only, which keeps its distance.
double risk_at_cut(Quantity quantity, std::int64_t cut, const AxisInput& input);

inline constexpr double kRiskUnits = 1e9;

}  // namespace rfm
