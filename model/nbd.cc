#include "model/nbd.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "model/deterministic_math.h"

namespace rfm {
namespace {

constexpr double kLogStepMax = 2;
constexpr double kLogStepDone = 1e-10;
constexpr int kIterationsMax = 200;
constexpr int kHalvingsMax = 40;

// Value, gradient and Hessian of the log-likelihood in (ln r, ln alpha).
struct Slope {
  double gradient_r = 0;
  double gradient_alpha = 0;
  double hessian_rr = 0;
  double hessian_ra = 0;
  double hessian_aa = 0;
};

class Likelihood {
 public:
  Likelihood(std::span<const std::uint32_t> repeat_counts, std::span<const double> ages)
      : repeat_counts_(repeat_counts), ages_(ages) {
    std::uint32_t x_max = 0;
    for (const std::uint32_t x : repeat_counts) x_max = std::max(x_max, x);
    std::vector<double> exactly(std::size_t{x_max} + 1);
    for (const std::uint32_t x : repeat_counts) exactly[x] += 1;
    at_least_.resize(x_max);
    double count = 0;
    for (std::size_t k = x_max; k > 0; --k) {
      count += exactly[k];
      at_least_[k - 1] = count;
    }
  }

  // lnGamma(r + x) - lnGamma(r) = sum over k = 1..x of ln(r + k - 1).
  double value(double r, double alpha) const {
    double sum = static_cast<double>(ages_.size()) * r * det_log(alpha);
    for (std::size_t k = 0; k < at_least_.size(); ++k) {
      sum += at_least_[k] * det_log_positive(r + static_cast<double>(k));
    }
    for (std::size_t i = 0; i < ages_.size(); ++i) {
      sum -= (r + repeat_counts_[i]) * det_log_positive(alpha + ages_[i]);
    }
    return sum;
  }

  Slope slope(double r, double alpha) const {
    const auto n = static_cast<double>(ages_.size());
    double by_r = n * det_log(alpha);
    double by_rr = 0;
    for (std::size_t k = 0; k < at_least_.size(); ++k) {
      const double inverse = 1 / (r + static_cast<double>(k));
      by_r += at_least_[k] * inverse;
      by_rr -= at_least_[k] * inverse * inverse;
    }
    double by_alpha = n * r / alpha;
    double by_aa = -n * r / (alpha * alpha);
    double by_ra = n / alpha;
    for (std::size_t i = 0; i < ages_.size(); ++i) {
      const double end = alpha + ages_[i];
      const double inverse = 1 / end;
      const double weighted = (r + repeat_counts_[i]) * inverse;
      by_r -= det_log_positive(end);
      by_alpha -= weighted;
      by_aa += weighted * inverse;
      by_ra -= inverse;
    }
    return {.gradient_r = r * by_r,
            .gradient_alpha = alpha * by_alpha,
            .hessian_rr = r * r * by_rr + r * by_r,
            .hessian_ra = r * alpha * by_ra,
            .hessian_aa = alpha * alpha * by_aa + alpha * by_alpha};
  }

  NbdParameters default_start() const {
    double repeats = 0;
    double age = 0;
    for (const std::uint32_t x : repeat_counts_) repeats += x;
    for (const double t : ages_) age += t;
    return {.r = .5, .alpha = .5 * age / std::max(repeats, 1.0)};
  }

 private:
  std::span<const std::uint32_t> repeat_counts_;
  std::span<const double> ages_;
  std::vector<double> at_least_;  // [k - 1] = customers with x >= k.
};

double bounded(double parameter) {
  return std::clamp(parameter, kNbdParameterMin, kNbdParameterMax);
}

// The Newton direction where the Hessian is negative definite, else the gradient's; at most
// kLogStepMax long.
NbdParameters direction(const Slope& s) {
  const double determinant = s.hessian_rr * s.hessian_aa - s.hessian_ra * s.hessian_ra;
  NbdParameters step = {.r = s.gradient_r, .alpha = s.gradient_alpha};
  if (s.hessian_rr < 0 && determinant > 0) {
    step.r = -(s.hessian_aa * s.gradient_r - s.hessian_ra * s.gradient_alpha) / determinant;
    step.alpha = -(s.hessian_rr * s.gradient_alpha - s.hessian_ra * s.gradient_r) / determinant;
  }
  const double longest = std::max(std::abs(step.r), std::abs(step.alpha));
  if (longest > kLogStepMax) {
    step.r *= kLogStepMax / longest;
    step.alpha *= kLogStepMax / longest;
  }
  return step;
}

}  // namespace

NbdFit fit_nbd(std::span<const std::uint32_t> repeat_counts, std::span<const double> ages,
               const NbdParameters& start) {
  const Likelihood likelihood(repeat_counts, ages);
  NbdParameters at = start.r > 0 ? start : likelihood.default_start();
  at = {.r = bounded(at.r), .alpha = bounded(at.alpha)};
  NbdFit fit;
  fit.log_likelihood = likelihood.value(at.r, at.alpha);
  for (int iteration = 0; iteration < kIterationsMax; ++iteration) {
    NbdParameters step = direction(likelihood.slope(at.r, at.alpha));
    double moved = 0;
    for (int halving = 0; halving < kHalvingsMax; ++halving) {
      const NbdParameters next = {.r = bounded(at.r * det_exp(step.r)),
                                  .alpha = bounded(at.alpha * det_exp(step.alpha))};
      const double value = likelihood.value(next.r, next.alpha);
      if (value >= fit.log_likelihood) {
        moved = std::max(std::abs(next.r / at.r - 1), std::abs(next.alpha / at.alpha - 1));
        at = next;
        fit.log_likelihood = value;
        break;
      }
      step.r *= .5;
      step.alpha *= .5;
    }
    if (moved <= kLogStepDone) break;
  }
  fit.parameters = at;
  return fit;
}

}  // namespace rfm
