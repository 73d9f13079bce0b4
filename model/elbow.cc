#include "model/elbow.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "model/deterministic_math.h"

namespace rfm {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

std::vector<double> fall_rates(int first, std::span<const double> inertias) {
  std::vector<double> rates;
  for (std::size_t i = 1; i < inertias.size(); ++i) {
    const double before = inertias[i - 1];
    const double after = inertias[i];
    const double k = first + static_cast<double>(i) - 1;
    if (after > 0) {
      rates.push_back(det_log(before / after) / det_log(k / (k - 1)));
    } else {
      rates.push_back(before > 0 ? kInfinity : 0);
    }
  }
  return rates;
}

std::optional<int> find_elbow(int first, std::span<const double> rates, int dimension_count) {
  std::optional<int> elbow;
  double largest = 0;
  for (std::size_t i = 0; i + 1 < rates.size(); ++i) {
    if (rates[i] <= 2.0 / dimension_count) continue;
    const double ratio = rates[i + 1] > 0 ? rates[i] / rates[i + 1] : kInfinity;
    if (ratio < kElbowRatioMin || ratio <= largest) continue;
    largest = ratio;
    elbow = first + static_cast<int>(i);
  }
  return elbow;
}

}  // namespace rfm
