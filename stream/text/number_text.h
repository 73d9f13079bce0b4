// Numbers with a fixed count of decimals as text, without allocations or floating point, so that
// equal values have equal bytes.
#pragma once

#include <fmt/compile.h>

#include <array>
#include <cstdint>
#include <string_view>

namespace rfm {

// At most 20 digits, a sign and a point.
class NumberText {
 public:
  // `scaled` * 10^-digits: (-12345, 2) is "-123.45". `digits` in [1, 18].
  NumberText(std::int64_t scaled, int digits) {
    // Unsigned, since the smallest int64 has no positive counterpart.
    auto magnitude = static_cast<std::uint64_t>(scaled);
    char* at = text_.data();
    if (scaled < 0) {
      magnitude = 0 - magnitude;
      *at++ = '-';
    }
    std::uint64_t power = 1;
    for (int i = 0; i < digits; ++i) power *= 10;
    char* const point = fmt::format_to(at, FMT_COMPILE("{}"), magnitude / power);
    *point = '.';
    std::uint64_t fraction = magnitude % power;
    for (char* digit = point + digits; digit > point; --digit, fraction /= 10)
      *digit = static_cast<char>('0' + fraction % 10);
    size_ = static_cast<std::size_t>(point + digits + 1 - text_.data());
  }

  // The nearest with that many decimals, halves up. 0 <= `value`, far below 2^53 / 10^digits.
  NumberText(double value, int digits) : NumberText(scaled(value, digits), digits) {}

  std::string_view view() const { return {text_.data(), size_}; }

 private:
  static std::int64_t scaled(double value, int digits) {
    std::int64_t power = 1;
    for (int i = 0; i < digits; ++i) power *= 10;
    return static_cast<std::int64_t>(value * static_cast<double>(power) + .5);
  }

  std::array<char, 40> text_;
  std::size_t size_ = 0;
};

}  // namespace rfm
