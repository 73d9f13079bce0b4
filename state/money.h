// Money as an integer in 10^-4 of the currency unit (one currency per application).
#pragma once

#include <compare>
#include <cstdint>

namespace rfm {

struct Money {
  static constexpr std::int64_t kUnitsPerCurrencyUnit = 10'000;

  std::int64_t units = 0;

  friend constexpr auto operator<=>(const Money&, const Money&) = default;
  friend constexpr Money operator+(Money a, Money b) { return {a.units + b.units}; }
  friend constexpr Money operator-(Money a, Money b) { return {a.units - b.units}; }
  friend constexpr Money operator-(Money a) { return {-a.units}; }
};

constexpr Money magnitude(Money amount) { return amount.units < 0 ? -amount : amount; }

}  // namespace rfm
