// Sums of money that come out the same in any order.
#pragma once

#include <cstdint>

#include "state/money.h"

namespace rfm {

// Modulo 2^64, so that nothing on the way overflows: exact as long as the sum itself fits.
inline void add_to(std::int64_t& sum, std::int64_t amount) {
  sum = static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) +
                                  static_cast<std::uint64_t>(amount));
}
inline void add_to(Money& sum, Money amount) { add_to(sum.units, amount.units); }

inline double currency_units(Money money) {
  return static_cast<double>(money.units) / Money::kUnitsPerCurrencyUnit;
}

// 0 where there is nothing to divide by.
inline double ratio(double part, double whole) { return whole == 0 ? 0 : part / whole; }

}  // namespace rfm
