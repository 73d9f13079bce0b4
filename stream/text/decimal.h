// Decimal numbers as written, exactly: money and quantities never pass through floating point.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "state/money.h"

namespace rfm {

// coefficient * 10^-scale. |coefficient| < 2^63, scale in [0, 18].
struct Decimal {
  std::int64_t coefficient = 0;
  int scale = 0;

  friend bool operator==(const Decimal&, const Decimal&) = default;
};

enum class DecimalError : std::uint8_t {
  kNone,
  kNotDecimal,  // Not `-?\d+(\.\d+)?`: exponents, signs, spaces, separators and empty text are
                // refused.
  kTooLarge,    // The digits do not fit, and with at most four decimals (or twenty digits before
                // them).
  kTooPrecise,  // The digits do not fit, and would with fewer decimals.
};

struct ParsedDecimal {
  Decimal value;
  DecimalError error = DecimalError::kNone;
};
ParsedDecimal parse_decimal(std::string_view text);

// The same with an exponent that JSON numbers may have: "1.25E+3".
ParsedDecimal parse_json_decimal(std::string_view text);
// How a sheet writes numbers. The two marks differ.
struct NumberForm {
  char decimal_mark = '.';
  char thousands_mark = '\0';  // '\0': none. ' ' stands for no-break spaces too.

  friend bool operator==(const NumberForm&, const NumberForm&) = default;
};
// Thousands are marked everywhere in a number or nowhere.
ParsedDecimal parse_decimal(std::string_view text, const NumberForm& form);

// "-12.5": `parse_decimal` reads the same again.
std::string to_text(const Decimal& decimal);

// Rounded half away from zero to 10^-4; absent when |result| is more than an int64 holds.
std::optional<Money> to_money(const Decimal& amount);
std::optional<Money> multiply(const Decimal& quantity, const Decimal& unit_price);

// "941.9400", always with four decimals.
std::string to_text(Money money);

}  // namespace rfm
