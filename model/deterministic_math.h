// Elementary functions that give the same bits on every IEEE 754 machine: only + - * / and bit
// operations, never libm and never a fused multiply-add (the build sets -ffp-contract=off). libm
// differs between machines and versions, and a model trained from the log must not.
//
// Largest error against long double (tests/model/deterministic_math_test.cc): 1 unit in the last
// place for det_log and det_log1p, 1.1 for det_exp, 2.5 for det_expm1. NaN gives NaN; infinities,
// zeros and domain errors give what C gives (but +0 for -0), without errno. No branches, so that
// loops over arrays of constant length vectorise; the polynomials are our own Chebyshev fits.
#pragma once

#include <cstdint>
#include <limits>

#include "model/two_doubles.h"

namespace rfm {

namespace math_detail {

inline constexpr double kLn2High =
    0x1.62e42p-1;  // 21 bits, so that a product with an exponent is exact.
inline constexpr double kLn2Low = 0x1.fdf473de6af28p-22;
inline constexpr double kLog2E = 0x1.71547652b82fep+0;
inline constexpr double kRoundToInteger =
    0x1.8p52;  // Adding it puts the nearest integer into the low bits.
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

template <typename V>
struct BitsOf;
template <>
struct BitsOf<double> {
  using Type = std::uint64_t;
};
template <>
struct BitsOf<Two> {
  using Type = TwoBits;
};

// Not std::bit_cast: a vector may be passed to what is always inlined only.
template <typename V>
[[gnu::always_inline]] inline typename BitsOf<V>::Type bits_of(V v) {
  return __builtin_bit_cast(typename BitsOf<V>::Type, v);
}

// ln(u + error) for normal u > 0 and |error| below a unit in the last place of u. u = 2^k m with m
// in [sqrt(1/2), sqrt(2)), f = m - 1, s = f / (2 + f), ln m = 2 atanh(s) = f - f^2/2 + s (f^2/2 + 2
// atanh(s)/s - 2). `relative_error` = error / u, `exponent_offset` is added to k.
template <typename V>
[[gnu::always_inline]] inline V log_with_error(V u, V relative_error, V exponent_offset) {
  constexpr std::uint64_t kSqrtHalfBits = 0x3fe6a09e667f3bcdULL;
  constexpr std::uint64_t kOneBits = 0x3ff0000000000000ULL;
  constexpr std::uint64_t kTwo52Bits = 0x4330000000000000ULL;
  const auto bits = bits_of(u) + (kOneBits - kSqrtHalfBits);
  const V k =
      __builtin_bit_cast(V, (bits >> 52) | kTwo52Bits) - (0x1p52 + 1023.0) + exponent_offset;
  const V m = __builtin_bit_cast(V, (bits & 0x000fffffffffffffULL) + kSqrtHalfBits);
  const V f = m - 1.0;
  const V s = f / (2.0 + f);
  const V z = s * s;
  const V w = z * z;
  const V even =
      z * (0x1.5555555555558p-1 +
           w * (0x1.2492492df6947p-2 + w * (0x1.7462b69705382p-3 + w * 0x1.2b5b5fb2eac92p-3)));
  const V odd = w * (0x1.99999999952b2p-2 + w * (0x1.c71c62debf86bp-3 + w * 0x1.39fe208c33457p-3));
  const V half_square = 0.5 * f * f;
  const V tail = s * (half_square + (even + odd)) + (k * kLn2Low + relative_error);
  return k * kLn2High - ((half_square - tail) - f);
}

// exp(x) = 2^n (1 + r + r^2 P(r)), |r| <= ln(2)/2. Returns r^2 P(r).
template <typename V>
[[gnu::always_inline]] inline V exp_tail(V r) {
  const V r2 = r * r;
  const V r4 = r2 * r2;
  const V p01 = 0x1.0000000000001p-1 + r * 0x1.5555555555556p-3;
  const V p23 = 0x1.5555555553d2bp-5 + r * 0x1.11111111109a2p-7;
  const V p45 = 0x1.6c16c178a18c1p-10 + r * 0x1.a01a01a7d176dp-13;
  const V p67 = 0x1.a019b8b8f8697p-16 + r * 0x1.71de0d7a972efp-19;
  const V p89 = 0x1.2891e963ab1f9p-22 + r * 0x1.af3924be99a57p-26;
  return r2 * ((p01 + r2 * p23) + r4 * ((p45 + r2 * p67) + r4 * p89));
}

// 2^n for an integer n in [-1022, 1023], given n + kRoundToInteger.
template <typename V>
[[gnu::always_inline]] inline V power_of_two(V shifted_n) {
  return __builtin_bit_cast(V, (bits_of(shifted_n) + 1023) << 52);
}

}  // namespace math_detail

// ln(x) for normal, positive, finite x; anything else is the caller's error.
template <typename V>
[[gnu::always_inline]] inline V det_log_positive(V x) {
  return math_detail::log_with_error(x, V{}, V{});
}

inline double det_log(double x) {
  using namespace math_detail;
  const bool is_small = x < std::numeric_limits<double>::min();
  const double scaled = is_small ? x * 0x1p54 : x;
  const double y = log_with_error(scaled, 0.0, is_small ? -54.0 : 0.0);
  const double high = x < kInfinity ? y : x;  // Infinity and NaN.
  return x > 0.0 ? high : (x == 0.0 ? -kInfinity : kNan);
}

// ln(1 + x) for finite x > -1; anything else is the caller's error.
inline double det_log1p_finite(double x) {
  const double u = 1.0 + x;
  const double rounded = u - 1.0;
  const double error = (1.0 - (u - rounded)) + (x - rounded);  // 1 + x = u + error exactly (Knuth).
  return math_detail::log_with_error(u, error / u, 0.0);
}

inline double det_log1p(double x) {
  using namespace math_detail;
  const double y = det_log1p_finite(x);
  const double high = x < kInfinity ? y : x;
  return x > -1.0 ? high : (x == -1.0 ? -kInfinity : kNan);
}

// exp(x) for x in [-708, 709]; anything else is the caller's error.
template <typename V>
[[gnu::always_inline]] inline V det_exp_finite(V x) {
  using namespace math_detail;
  const V shifted = x * kLog2E + kRoundToInteger;
  const V n = shifted - kRoundToInteger;
  const V r = (x - n * kLn2High) - n * kLn2Low;
  return power_of_two(shifted) * (1.0 + (r + exp_tail(r)));
}

inline double det_exp(double x) {
  using namespace math_detail;
  const double below = x > 710.0 ? 710.0 : x;
  const double clamped = below < -746.0 ? -746.0 : below;
  const double n = (clamped * kLog2E + kRoundToInteger) - kRoundToInteger;
  const double r = (clamped - n * kLn2High) - n * kLn2Low;
  const double half =
      0.5 * n + kRoundToInteger;  // Two factors: one alone may overflow or be subnormal.
  const double rest = (n - (half - kRoundToInteger)) + kRoundToInteger;
  return (1.0 + (r + exp_tail(r))) * power_of_two(half) * power_of_two(rest);
}

// exp(x) - 1 for x in [-40, 709]; anything else is the caller's error.
template <typename V>
[[gnu::always_inline]] inline V det_expm1_finite(V x) {
  using namespace math_detail;
  const V n = (x * kLog2E + kRoundToInteger) - kRoundToInteger;
  const V high = x - n * kLn2High;
  const V low = n * kLn2Low;
  const V r = high - low;
  const V error = (high - r) - low;
  const V e = r + (exp_tail(r) + (error + error * r));        // expm1 of the reduced argument.
  const V scale = power_of_two((n - 1.0) + kRoundToInteger);  // 2^n may overflow, half of it not.
  return 2.0 * (scale * e + (scale - 0.5));
}

inline double det_expm1(double x) {
  const double below = x > 710.0 ? 710.0 : x;
  return det_expm1_finite(below < -40.0 ? -40.0 : below);
}

// ln Gamma(x), x > 0. Absolute error <= 1e-14 + 1e-15 |result| + 4e-16 x.
double det_lgamma(double x);

// round(log1p(v) * 2^20), halves up: the fixed-point features of contribution.h. v >= 0, finite.
inline std::int32_t fixed_log1p(double v) {
  return static_cast<std::int32_t>(det_log1p_finite(v) * 0x1p20 + 0.5);
}

}  // namespace rfm
