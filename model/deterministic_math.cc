#include "model/deterministic_math.h"

namespace rfm {

// Stirling's series from x >= 12 on; smaller arguments are raised by Gamma(x + 1) = x Gamma(x).
double det_lgamma(double x) {
  constexpr double kHalfLogTwoPi = 0.91893853320467274178;
  constexpr double kSeriesFrom = 12;
  double product = 1;
  while (x < kSeriesFrom) {
    product *= x;
    x += 1;
  }
  const double inverse = 1 / x;
  const double z = inverse * inverse;
  // Bernoulli numbers over 2n(2n-1).
  const double series =
      inverse * (1.0 / 12 +
                 z * (-1.0 / 360 +
                      z * (1.0 / 1260 + z * (-1.0 / 1680 +
                                             z * (1.0 / 1188 + z * (-691.0 / 360360 + z / 156))))));
  return (x - 0.5) * det_log(x) - x + kHalfLogTwoPi + series - det_log(product);
}

}  // namespace rfm
