// Random numbers whose bits are the same with every standard library.
#pragma once

#include <random>

namespace rfm {

// In [low, high).
inline double uniform(std::mt19937_64& rng, double low, double high) {
  return low + (high - low) * (static_cast<double>(rng() >> 11) * 0x1p-53);
}

}  // namespace rfm
