#include "config/quantity_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "config/setting_value.h"

namespace rfm {

namespace {

constexpr int kDecimalsMax = 9;

int decimals_of(Quantity quantity) {
  switch (quantity) {
    case Quantity::kMonetary:
    case Quantity::kOrderValue:
    case Quantity::kValue:
      return 4;
    case Quantity::kOverdue:
      return 3;
    case Quantity::kRisk:
      return kDecimalsMax;
    case Quantity::kRecency:
    case Quantity::kFrequency:
      break;
  }
  return 0;
}

std::int64_t power_of_ten(int exponent) {
  std::int64_t power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

// "12.5" with 4 decimals is 125'000.
std::optional<std::int64_t> parse_scaled(std::string_view text, int decimals) {
  // A TOML number that is not whole may come in this notation.
  if (text.find('e') != std::string_view::npos) {
    const std::optional<double> real = parse_real(text);
    const double scaled = real ? *real * static_cast<double>(power_of_ten(decimals)) : -1;
    if (scaled < 0 || scaled > 0x1p53 || scaled != std::round(scaled)) return std::nullopt;
    return static_cast<std::int64_t>(scaled);
  }
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string digits(text.substr(0, point));
  std::string_view fraction = text.substr(std::min(point + 1, text.size()));
  while (fraction.ends_with('0')) fraction.remove_suffix(1);
  if (fraction.size() > static_cast<std::size_t>(decimals)) return std::nullopt;
  digits += fraction;
  digits.append(static_cast<std::size_t>(decimals) - fraction.size(), '0');
  if (!std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  if (text.empty() || text == ".") return std::nullopt;
  return parse_integer(digits);
}

std::string format_scaled(std::int64_t value, int decimals) {
  const std::int64_t unit = power_of_ten(decimals);
  std::string text = fmt::format("{}", value / unit);
  if (value % unit == 0) return text;
  text += fmt::format(".{:0{}}", value % unit, decimals);
  text.resize(text.find_last_not_of('0') + 1);
  return text;
}

}  // namespace

std::optional<Quantity> find_quantity(std::string_view text) {
  for (int i = 0; i < kQuantityCount; ++i) {
    if (name(static_cast<Quantity>(i)) == text) return static_cast<Quantity>(i);
  }
  return std::nullopt;
}

std::string quantity_names() {
  std::vector<std::string_view> names;
  for (int i = 0; i < kQuantityCount; ++i) names.push_back(name(static_cast<Quantity>(i)));
  return fmt::format("{}", fmt::join(names, ", "));
}

std::optional<std::int64_t> parse_quantity(Quantity quantity, std::string_view text) {
  if (quantity == Quantity::kRecency) {
    const auto duration = parse_duration(text);
    return duration ? std::optional(duration->count()) : std::nullopt;
  }
  return parse_scaled(text, decimals_of(quantity));
}

std::string format_quantity(Quantity quantity, std::int64_t value) {
  if (quantity == Quantity::kRecency) return format_duration(std::chrono::milliseconds{value});
  return format_scaled(value, decimals_of(quantity));
}

std::string_view quantity_notation(Quantity quantity) {
  switch (quantity) {
    case Quantity::kRecency:
      return "a duration such as \"30d\"";
    case Quantity::kFrequency:
      return "a whole number";
    case Quantity::kMonetary:
    case Quantity::kOrderValue:
    case Quantity::kValue:
      return "an amount such as 99.99, with at most 4 decimals";
    case Quantity::kOverdue:
      return "a number such as 1.5, with at most 3 decimals";
    case Quantity::kRisk:
      break;
  }
  return "a number from 0 to 1 such as 0.33";
}

std::optional<CutBounds> parse_bounds(Quantity quantity, std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto low = parse_quantity(quantity, text.substr(0, dash));
  const auto high = parse_quantity(quantity, text.substr(dash + 1));
  if (!low || !high) return std::nullopt;
  return CutBounds{*low, *high};
}

std::string format_bounds(Quantity quantity, const CutBounds& bounds) {
  return fmt::format("{}-{}", format_quantity(quantity, bounds.low),
                     format_quantity(quantity, bounds.high));
}

}  // namespace rfm
