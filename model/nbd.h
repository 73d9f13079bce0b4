// The negative binomial model of repeat purchases (Ehrenberg, 1959): purchases are Poisson with a
// rate that is Gamma(r, alpha) over customers.
#pragma once

#include <cstdint>
#include <span>

namespace rfm {

// Bounds of both parameters.
inline constexpr double kNbdParameterMin = 1e-4;
inline constexpr double kNbdParameterMax = 1e6;

struct NbdParameters {
  double r = 0;
  double alpha = 0;  // In the unit of the observation times.
};

struct NbdFit {
  NbdParameters parameters;
  double log_likelihood = 0;
};

// Maximum likelihood from each customer's repeat purchases x and observed time T > 0:
// LL = sum lnGamma(r+x) - lnGamma(r) + r ln alpha - (r+x) ln(alpha+T).
// Newton on (ln r, ln alpha) from `start` (r = 0: a fixed start). Both stay within the bounds, so
// that data without a maximum (all x equal) give one of them. Deterministic. Equal lengths, not
// empty.
NbdFit fit_nbd(std::span<const std::uint32_t> repeat_counts, std::span<const double> ages,
               const NbdParameters& start);

}  // namespace rfm
