// Random numbers that are the same on every machine: SplitMix64 (Steele, Lea, Flood, 2014) and
// distributions made from it with deterministic mathematics. 8 bytes, so that every customer can
// have one.
#pragma once

#include <cmath>
#include <cstdint>

#include "model/deterministic_math.h"

namespace rfm {

class SeededRandom {
 public:
  explicit SeededRandom(std::uint64_t state) : state_(state) {}
  // Streams of one seed are independent.
  SeededRandom(std::uint64_t seed, std::uint64_t stream)
      : state_(mix(seed + kStep) ^ mix(stream * kStep + 1)) {}

  std::uint64_t next() {
    state_ += kStep;
    return mix(state_);
  }

  // [0, 1)
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

  // [0, count), count below 2^32.
  std::uint64_t below(std::uint64_t count) { return ((next() >> 32) * count) >> 32; }

  // Mean 1.
  double exponential() { return -det_log(1.0 - uniform()); }

  // Mean 0, standard deviation 1 (Marsaglia's polar method).
  double normal() {
    for (;;) {
      const double u = 2 * uniform() - 1;
      const double v = 2 * uniform() - 1;
      const double s = u * u + v * v;
      if (s > 0 && s < 1) return u * std::sqrt(-2 * det_log(s) / s);
    }
  }

  // Median 1.
  double log_normal(double sigma) { return det_exp(sigma * normal()); }

  // Mean `shape` (Marsaglia and Tsang, 2000).
  double gamma(double shape) {
    if (shape < 1) return gamma(shape + 1) * det_exp(-exponential() / shape);
    const double d = shape - 1.0 / 3;
    const double c = 1 / std::sqrt(9 * d);
    for (;;) {
      const double x = normal();
      const double t = 1 + c * x;
      if (t <= 0) continue;
      const double v = t * t * t;
      if (det_log(1.0 - uniform()) < x * x / 2 + d - d * v + d * det_log(v)) return d * v;
    }
  }

 private:
  static constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15ULL;

  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  std::uint64_t state_;
};

}  // namespace rfm
