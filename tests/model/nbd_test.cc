#include "model/nbd.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace rfm {
namespace {

struct Purchases {
  std::vector<std::uint32_t> repeat_counts;
  std::vector<double> ages;
};

double uniform(std::mt19937_64& rng) { return (static_cast<double>(rng() >> 11) + .5) * 0x1p-53; }

// Customers of an NBD with r = 1.
Purchases simulated(std::uint64_t seed, int count, double alpha) {
  std::mt19937_64 rng(seed);
  Purchases data;
  for (int i = 0; i < count; ++i) {
    const double rate = -std::log(uniform(rng)) / alpha;
    const double age = 10 + 300 * uniform(rng);
    std::uint32_t x = 0;
    for (double t = -std::log(uniform(rng)) / rate; t < age; t -= std::log(uniform(rng)) / rate)
      ++x;
    data.repeat_counts.push_back(x);
    data.ages.push_back(age);
  }
  return data;
}

TEST(Nbd, RecoversSimulatedParametersFromAnyStart) {
  const Purchases data = simulated(1, 20000, 60);
  const NbdFit fit = fit_nbd(data.repeat_counts, data.ages, {});
  EXPECT_NEAR(fit.parameters.r, 1, .05);
  EXPECT_NEAR(fit.parameters.alpha, 60, 3);
  for (const NbdParameters& start : {NbdParameters{.r = 1e-3, .alpha = 1},
                                     NbdParameters{.r = 300, .alpha = 2}, fit.parameters}) {
    const NbdFit other = fit_nbd(data.repeat_counts, data.ages, start);
    EXPECT_NEAR(other.parameters.r, fit.parameters.r, 1e-7);
    EXPECT_NEAR(other.parameters.alpha, fit.parameters.alpha, 1e-5);
  }
}

TEST(Nbd, IsTheMaximum) {
  const Purchases data = simulated(2, 2000, 30);
  const NbdFit fit = fit_nbd(data.repeat_counts, data.ages, {});
  const auto log_likelihood = [&data](double r, double alpha) {
    double sum = 0;
    for (std::size_t i = 0; i < data.ages.size(); ++i) {
      const double x = data.repeat_counts[i];
      sum += std::lgamma(r + x) - std::lgamma(r) + r * std::log(alpha) -
             (r + x) * std::log(alpha + data.ages[i]);
    }
    return sum;
  };
  const auto [r, alpha] = fit.parameters;
  EXPECT_NEAR(fit.log_likelihood, log_likelihood(r, alpha), 1e-6);
  for (const double factor : {.99, 1.01}) {
    EXPECT_LT(log_likelihood(r * factor, alpha), fit.log_likelihood);
    EXPECT_LT(log_likelihood(r, alpha * factor), fit.log_likelihood);
    EXPECT_LT(log_likelihood(r * factor, alpha * factor), fit.log_likelihood);
  }
}

TEST(Nbd, DataWithoutAMaximumGiveABound) {
  const std::vector<double> ages(50, 100.0);
  for (const std::uint32_t x : {0U, 1U, 7U}) {
    const NbdFit fit = fit_nbd(std::vector<std::uint32_t>(50, x), ages, {});
    EXPECT_TRUE(std::isfinite(fit.log_likelihood));
    EXPECT_GE(fit.parameters.r, 1e-4);
    EXPECT_LE(fit.parameters.r, 1e6);
    EXPECT_GE(fit.parameters.alpha, 1e-4);
    EXPECT_LE(fit.parameters.alpha, 1e6);
  }
}

}  // namespace
}  // namespace rfm
