#include "model/axis_value.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/deterministic_math.h"

namespace rfm {
namespace {

constexpr std::int64_t kOverdueUnits = 1000;
constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

__extension__ using Wide = __int128;  // Products of two 64-bit numbers.

std::int64_t narrowed(Wide value) {
  return static_cast<std::int64_t>(std::clamp<Wide>(value, 0, kLargest));
}

std::int64_t order_value(const AxisInput& input) {
  return std::max<std::int64_t>(0, input.monetary) / input.frequency;
}

}  // namespace

std::optional<std::int64_t> axis_value(Quantity quantity, const AxisInput& input) {
  switch (quantity) {
    case Quantity::kRecency:
      return input.silence_ms;
    case Quantity::kFrequency:
      return input.frequency;
    case Quantity::kMonetary:
      return input.monetary;
    case Quantity::kOrderValue:
      return order_value(input);
    case Quantity::kOverdue:
      if (input.frequency < 2 || input.history_ms <= 0) return std::nullopt;
      return narrowed(Wide{input.silence_ms} * kOverdueUnits * (input.frequency - 1) /
                      input.history_ms);
    case Quantity::kRisk:
      if (input.risk < 0) return std::nullopt;
      return static_cast<std::int64_t>(input.risk * kRiskUnits);
    case Quantity::kValue:
      break;
  }
  if (input.risk < 0) return std::nullopt;
  // -ln of what is 0 by rounding alone is no more than this.
  constexpr double kPurchasesMax = 1e3;
  const double purchases =
      input.risk > 0 ? std::min(-det_log(input.risk), kPurchasesMax) : kPurchasesMax;
  const double value = std::max(0.0, purchases) * static_cast<double>(order_value(input));
  return value < 9e18 ? static_cast<std::int64_t>(value) : kLargest;
}

bool follows_silence(Quantity quantity) {
  return quantity == Quantity::kRecency || quantity == Quantity::kOverdue;
}

bool follows_risk(Quantity quantity) {
  return quantity == Quantity::kRisk || quantity == Quantity::kValue;
}

std::int64_t silence_at_cut(Quantity quantity, std::int64_t cut, const AxisInput& input) {
  if (quantity == Quantity::kRecency) return cut;
  // floor(silence 1000 (F - 1) / history) > cut from silence = ceil((cut + 1) history / (1000 (F -
  // 1))) on.
  const Wide parts = Wide{kOverdueUnits} * (input.frequency - 1);
  return narrowed(((Wide{cut} + 1) * input.history_ms + parts - 1) / parts - 1);
}

double risk_at_cut(Quantity quantity, std::int64_t cut, const AxisInput& input) {
  if (quantity == Quantity::kRisk) return static_cast<double>(cut) / kRiskUnits;
  const auto per_order = static_cast<double>(order_value(input));
  if (per_order <= 0) return 0;
  return det_exp_finite(-std::min(700.0, (static_cast<double>(cut) + 1) / per_order));
}

}  // namespace rfm
