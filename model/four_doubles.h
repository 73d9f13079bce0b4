// Four doubles at once: one AVX2 register, or two of SSE2 where a function is compiled without it.
// Every operation gives the bits of its scalar form, so both give the same. Pass them to inlined
// functions only (the calling convention differs between the two, of which -Wpsabi
// warns). Inside model/ only.
//
// Beside Eigen, whose vectors are as wide as the compiler's flags say, which is SSE2: without AVX2
// a churn outlook takes .60 us, with it .27 us.
#pragma once

#include <cstdint>
#include <cstring>

#include "model/deterministic_math.h"

namespace rfm {

#ifdef __x86_64__
// Whether to call what is compiled for AVX2, by [[gnu::target("avx2")]].
inline const bool kHasAvx2 = __builtin_cpu_supports("avx2") != 0;
#endif

using Four [[gnu::vector_size(32)]] = double;
using FourBits [[gnu::vector_size(32)]] = std::uint64_t;

namespace math_detail {
template <>
struct BitsOf<Four> {
  using Type = FourBits;
};
}  // namespace math_detail

[[gnu::always_inline]] inline Four load_four(const double* from) {
  Four value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

[[gnu::always_inline]] inline void store_four(double* to, Four value) {
  std::memcpy(to, &value, sizeof value);
}

// a < b ? a : b.
[[gnu::always_inline]] inline Four smaller(Four a, Four b) { return a < b ? a : b; }

// a > b ? a : b.
[[gnu::always_inline]] inline Four larger(Four a, Four b) { return a > b ? a : b; }

}  // namespace rfm
