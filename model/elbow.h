// Whether a curve of inertias by the number of clusters has an elbow.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace rfm {

// The a with which inertia falls as k^-a on each step to k = `first`, `first` + 1, ...:
// ln(W[k-1] / W[k]) / ln(k / (k-1)). `inertias` are those of `first` - 1 (>= 1) and what follows,
// >= 0; the rates are one fewer. Infinite on the step to 0, 0 after it.
std::vector<double> fall_rates(int first, std::span<const double> inertias);

// The k after which more clusters suddenly gain less. Points spread evenly over p dimensions have
// W k^(2/p) constant (Krzanowski and Lai, 1988), which is a steady rate of 2/p and no elbow; where
// there are groups the rate is high up to their number and falls below 2/p behind it. So an elbow
// is at the k with the largest ratio of its rate to that of the next step, if it is at least 2 and
// the rate itself above 2/p. `rates`: of the steps to `first` and what follows; the last has no
// next one and is no candidate. Of equals the lowest k.
inline constexpr double kElbowRatioMin = 2;
std::optional<int> find_elbow(int first, std::span<const double> rates, int dimension_count);

}  // namespace rfm
