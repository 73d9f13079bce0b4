// Goal: the elementary functions are accurate to a unit or two in the last place, and their bits
// never change. Method: compare with long double libm over wide ranges; hash the bits of many
// results against a stored value.
#include "model/deterministic_math.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include "tests/model/uniform.h"

namespace rfm {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

// Error in units of the last place of the exact value.
double error_ulp(double got, long double exact) {
  const auto rounded = static_cast<double>(exact);
  const double unit = std::nextafter(std::abs(rounded), kInf) - std::abs(rounded);
  return static_cast<double>(std::abs(static_cast<long double>(got) - exact) /
                             static_cast<long double>(unit));
}

template <typename Function, typename Exact>
double worst_error(Function function, Exact exact, double low, double high, std::uint64_t seed) {
  std::mt19937_64 rng(seed);
  double worst = 0;
  for (int i = 0; i < 50000; ++i) {
    const double x = uniform(rng, low, high);
    worst = std::max(worst, error_ulp(function(x), exact(static_cast<long double>(x))));
  }
  return worst;
}

TEST(DeterministicMath, LogIsWithinOneUnit) {
  const auto exact = [](long double x) { return std::log(x); };
  EXPECT_LE(worst_error(det_log, exact, 0.3, 3, 1), 1);
  EXPECT_LE(worst_error(det_log, exact, 0.99, 1.01, 2), 1);
  EXPECT_LE(worst_error(det_log, exact, 1, 1e6, 3), 1);
  EXPECT_LE(worst_error(det_log, exact, 1e-300, 1e-290, 4), 1);
  EXPECT_LE(worst_error(det_log, exact, 1e300, 1.7e308, 5), 1);
  EXPECT_LE(worst_error(det_log, exact, 5e-324, 2e-308, 6), 1);
}

TEST(DeterministicMath, Log1pIsWithinOneUnit) {
  const auto exact = [](long double x) { return std::log1p(x); };
  EXPECT_LE(worst_error(det_log1p, exact, -0.5, 1, 1), 1);
  EXPECT_LE(worst_error(det_log1p, exact, -1e-3, 1e-3, 2), 1);
  EXPECT_LE(worst_error(det_log1p, exact, -1e-12, 1e-12, 3), 1);
  EXPECT_LE(worst_error(det_log1p, exact, 0, 1000, 4), 1);
  EXPECT_LE(worst_error(det_log1p, exact, 0, 1e17, 5), 1);
  EXPECT_LE(worst_error(det_log1p, exact, -0.9999999, -0.5, 6), 1);
}

TEST(DeterministicMath, ExpIsWithinElevenTenthsOfAUnit) {
  const auto exact = [](long double x) { return std::exp(x); };
  EXPECT_LE(worst_error(det_exp, exact, -1, 1, 1), 1.1);
  EXPECT_LE(worst_error(det_exp, exact, -50, 50, 2), 1.1);
  EXPECT_LE(worst_error(det_exp, exact, -708, 709.7, 3), 1.1);
  EXPECT_LE(worst_error(det_exp, exact, -745, -708, 4), 1.1);
  EXPECT_LE(worst_error(det_exp, exact, -1e-9, 1e-9, 5), 1.1);
}

TEST(DeterministicMath, Expm1IsWithinTwoAndAHalfUnits) {
  const auto exact = [](long double x) { return std::expm1(x); };
  EXPECT_LE(worst_error(det_expm1, exact, -1, 1, 1), 2.5);
  EXPECT_LE(worst_error(det_expm1, exact, -1e-6, 1e-6, 2), 2.5);
  EXPECT_LE(worst_error(det_expm1, exact, -45, 45, 3), 2.5);
  EXPECT_LE(worst_error(det_expm1, exact, 0, 709.7, 4), 2.5);
}

TEST(DeterministicMath, FiniteVariantsGiveTheSameBits) {
  std::mt19937_64 rng(7);
  for (int i = 0; i < 100000; ++i) {
    const double x = uniform(rng, 1e-9, 700);
    ASSERT_EQ(det_log_positive(x), det_log(x));
    ASSERT_EQ(det_log1p_finite(x), det_log1p(x));
    ASSERT_EQ(det_exp_finite(x), det_exp(x));
    ASSERT_EQ(det_exp_finite(-x), det_exp(-x));
    ASSERT_EQ(det_expm1_finite(x), det_expm1(x));
  }
}

TEST(DeterministicMath, TwoAtOnceGiveTheSameBits) {
  std::mt19937_64 rng(8);
  for (int i = 0; i < 100000; ++i) {
    const double a = uniform(rng, 1e-9, 700);
    const double b = uniform(rng, 1e-9, 1);
    const Two log = det_log_positive(Two{a, b});
    const Two exp = det_exp_finite(Two{a, -b});
    const Two expm1 = det_expm1_finite(Two{a, -b});
    ASSERT_EQ(log[0], det_log(a));
    ASSERT_EQ(log[1], det_log(b));
    ASSERT_EQ(exp[0], det_exp(a));
    ASSERT_EQ(exp[1], det_exp(-b));
    ASSERT_EQ(expm1[0], det_expm1(a));
    ASSERT_EQ(expm1[1], det_expm1(-b));
  }
}

TEST(DeterministicMath, SpecialValuesAreThoseOfC) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(det_log(1), 0);
  EXPECT_EQ(det_log(0), -kInf);
  EXPECT_EQ(det_log(kInf), kInf);
  EXPECT_TRUE(std::isnan(det_log(-1)));
  EXPECT_TRUE(std::isnan(det_log(nan)));
  EXPECT_EQ(det_log1p(0), 0);
  EXPECT_EQ(det_log1p(-1), -kInf);
  EXPECT_EQ(det_log1p(kInf), kInf);
  EXPECT_TRUE(std::isnan(det_log1p(-2)));
  EXPECT_TRUE(std::isnan(det_log1p(nan)));
  EXPECT_EQ(det_exp(0), 1);
  EXPECT_EQ(det_exp(710), kInf);
  EXPECT_EQ(det_exp(kInf), kInf);
  EXPECT_EQ(det_exp(-kInf), 0);
  EXPECT_TRUE(std::isnan(det_exp(nan)));
  EXPECT_EQ(det_expm1(0), 0);
  EXPECT_EQ(det_expm1(kInf), kInf);
  EXPECT_EQ(det_expm1(-kInf), -1);
  EXPECT_TRUE(std::isnan(det_expm1(nan)));
}

TEST(DeterministicMath, LgammaIsAccurate) {
  std::mt19937_64 rng(11);
  for (int i = 0; i < 50000; ++i) {
    const double x = det_exp(uniform(rng, -12, 12));
    const long double exact = std::lgamma(static_cast<long double>(x));
    const double bound = 1e-14 + 1e-15 * std::abs(static_cast<double>(exact)) + 4e-16 * x;
    ASSERT_LE(std::abs(det_lgamma(x) - static_cast<double>(exact)), bound) << x;
  }
}

TEST(DeterministicMath, FixedLog1pRoundsToTheNearest) {
  EXPECT_EQ(fixed_log1p(0), 0);
  EXPECT_EQ(fixed_log1p(1), 726817);  // ln 2 * 2^20 = 726817.498.
  EXPECT_EQ(fixed_log1p(99), 4828871);
  std::mt19937_64 rng(13);
  for (int i = 0; i < 100000; ++i) {
    const double v = det_exp(uniform(rng, -10, 25)) - 1e-5;
    const long double exact = std::log1p(static_cast<long double>(v)) * 0x1p20L;
    if (v >= 0) {
      ASSERT_LE(std::abs(static_cast<long double>(fixed_log1p(v)) - exact), 0.5000001L) << v;
    }
  }
}

// A change of these values changes stored features and models: it needs a new format version.
TEST(DeterministicMath, BitsNeverChange) {
  std::mt19937_64 rng(17);
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  const auto add = [&hash](double v) {
    hash = (hash ^ std::bit_cast<std::uint64_t>(v)) * 0x100000001b3ULL;
  };
  for (int i = 0; i < 100000; ++i) {
    const double x = uniform(rng, -40, 40);
    add(det_exp(x));
    add(det_expm1(x));
    add(det_log(x * x + 1e-9));
    add(det_log1p(x * x));
    add(det_lgamma(x * x + 1e-3));
  }
  EXPECT_EQ(hash, 4988534256080195030ULL);
}

}  // namespace
}  // namespace rfm
