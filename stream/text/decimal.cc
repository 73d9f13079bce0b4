#include "stream/text/decimal.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

#include "stream/text/number_text.h"

namespace rfm {
namespace {

__extension__ using Wide = __int128;

constexpr std::size_t kDigitsMax = 19;  // Of an int64.
constexpr std::size_t kScaleMax = 18;
constexpr int kMoneyScale = 4;
static_assert(Money::kUnitsPerCurrencyUnit == 10'000);

constexpr std::array<std::int64_t, kMoneyScale + 1> kPowersOfTen = {1, 10, 100, 1'000, 10'000};

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t count_digits(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  return count;
}

std::uint64_t append_digits(std::uint64_t value, std::string_view digits) {
  for (const char digit : digits) value = value * 10 + static_cast<std::uint64_t>(digit - '0');
  return value;
}

constexpr Wide power_of_ten(int exponent) {
  Wide power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

// value * 10^-scale.
std::optional<Money> rounded(Wide value, int scale) {
  constexpr Wide kLimit = std::numeric_limits<std::int64_t>::max();
  const auto fits = [](Wide units) { return units <= kLimit && units >= -kLimit; };
  if (scale <= kMoneyScale) {
    if (!fits(value)) return std::nullopt;  // Also keeps the product below within its type.
    value *= power_of_ten(kMoneyScale - scale);
  } else {
    const Wide divisor = power_of_ten(scale - kMoneyScale);
    const Wide twice_remainder = value % divisor * 2;
    value /= divisor;
    if (twice_remainder >= divisor) ++value;
    if (twice_remainder <= -divisor) --value;
  }
  if (!fits(value)) return std::nullopt;
  return Money{static_cast<std::int64_t>(value)};
}

// The usual number, which is of so few characters that it cannot be too large or too precise.
// Absent: another one.
std::optional<Decimal> parse_short(std::string_view text) {
  if (text.size() > kScaleMax) return std::nullopt;
  const bool negative = !text.empty() && text.front() == '-';
  const char* const first = text.data() + (negative ? 1 : 0);
  const char* end = text.data() + text.size();
  const char* point = end;  // None.
  if (first == end) return std::nullopt;
  std::int64_t value = 0;
  for (const char* next = first; next != end; ++next) {
    if (is_digit(*next)) {
      value = value * 10 + (*next - '0');
    } else if (*next == '.' && point == end && next != first && next + 1 != end) {
      point = next;
    } else {
      return std::nullopt;
    }
  }
  int scale = 0;
  if (point != end) {
    for (; end[-1] == '0'; --end) value /= 10;
    scale = static_cast<int>(end - point) - 1;
  }
  return Decimal{negative ? -value : value, scale};
}

}  // namespace

ParsedDecimal parse_decimal(std::string_view text) {
  if (const auto decimal = parse_short(text)) return {*decimal, DecimalError::kNone};
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);

  std::string_view whole = text.substr(0, count_digits(text));
  text.remove_prefix(whole.size());
  std::string_view fraction;
  if (!text.empty()) {
    if (text.front() != '.') return {{}, DecimalError::kNotDecimal};
    fraction = text.substr(1);
    if (fraction.empty() || count_digits(fraction) != fraction.size())
      return {{}, DecimalError::kNotDecimal};
  }
  if (whole.empty()) return {{}, DecimalError::kNotDecimal};

  while (!whole.empty() && whole.front() == '0') whole.remove_prefix(1);
  while (!fraction.empty() && fraction.back() == '0') fraction.remove_suffix(1);
  if (fraction.size() > kScaleMax) return {{}, DecimalError::kTooPrecise};
  constexpr std::uint64_t kLimit = std::numeric_limits<std::int64_t>::max();
  const bool fits = whole.size() + fraction.size() <= kDigitsMax;  // An uint64 holds any 19 digits.
  const std::uint64_t magnitude =
      fits ? append_digits(append_digits(0, whole), fraction) : kLimit + 1;
  if (magnitude > kLimit) {
    const bool has_money_scale = fraction.size() <= kMoneyScale;
    return {{},
            has_money_scale || whole.size() > kDigitsMax ? DecimalError::kTooLarge
                                                         : DecimalError::kTooPrecise};
  }
  const auto coefficient = static_cast<std::int64_t>(magnitude);
  return {{negative ? -coefficient : coefficient, static_cast<int>(fraction.size())},
          DecimalError::kNone};
}

ParsedDecimal parse_json_decimal(std::string_view text) {
  const std::size_t mark = text.find_first_of("eE");
  if (mark == std::string_view::npos) return parse_decimal(text);
  const ParsedDecimal mantissa = parse_decimal(text.substr(0, mark));
  if (mantissa.error != DecimalError::kNone) return mantissa;
  std::string_view digits = text.substr(mark + 1);
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  if (digits.empty() || count_digits(digits) != digits.size())
    return {{}, DecimalError::kNotDecimal};
  auto [coefficient, scale] = mantissa.value;
  if (coefficient == 0) return {};
  constexpr int kExponentMax = 100;  // Beyond it nothing fits.
  int exponent = 0;
  for (const char digit : digits) exponent = std::min(exponent * 10 + (digit - '0'), kExponentMax);
  for (scale += negative ? exponent : -exponent; scale < 0; ++scale) {
    if (__builtin_mul_overflow(coefficient, 10, &coefficient)) return {{}, DecimalError::kTooLarge};
  }
  for (; scale > 0 && coefficient % 10 == 0; --scale) coefficient /= 10;
  if (scale > static_cast<int>(kScaleMax)) return {{}, DecimalError::kTooPrecise};
  return {{coefficient, scale}, DecimalError::kNone};
}

ParsedDecimal parse_decimal(std::string_view text, const NumberForm& form) {
  if (form == NumberForm{}) return parse_decimal(text);
  constexpr ParsedDecimal kNone = {{}, DecimalError::kNotDecimal};
  constexpr std::size_t kBytesMax = 64;
  constexpr std::size_t kGroup = 3;
  if (text.size() > kBytesMax) return kNone;
  std::array<char, kBytesMax> plain;
  std::size_t size = 0;
  const auto take_thousands_mark = [&] {
    if (form.thousands_mark == '\0') return false;
    std::string_view mark(&form.thousands_mark, 1);
    if (form.thousands_mark == ' ') {
      for (const std::string_view space : {"\xc2\xa0", "\xe2\x80\xaf"}) {
        if (text.starts_with(space)) mark = space;
      }
    }
    if (!text.starts_with(mark)) return false;
    text.remove_prefix(mark.size());
    return true;
  };
  const auto take_digits = [&] {
    const std::size_t count = count_digits(text);
    text.copy(plain.data() + size, count);
    size += count;
    text.remove_prefix(count);
    return count;
  };
  if (text.starts_with('-')) {
    plain[size++] = '-';
    text.remove_prefix(1);
  }
  std::size_t digits = take_digits();
  const bool may_be_grouped = digits <= kGroup;
  while (digits > 0 && take_thousands_mark()) {
    if (take_digits() != kGroup || !may_be_grouped) return kNone;
  }
  if (text.starts_with(form.decimal_mark)) {
    plain[size++] = '.';
    text.remove_prefix(1);
    take_digits();
  }
  if (!text.empty()) return kNone;
  return parse_decimal(std::string_view(plain.data(), size));
}

std::string to_text(const Decimal& decimal) {
  if (decimal.scale == 0) return std::to_string(decimal.coefficient);
  return std::string(NumberText(decimal.coefficient, decimal.scale).view());
}

std::optional<Money> to_money(const Decimal& amount) {
  return rounded(amount.coefficient, amount.scale);
}

std::optional<Money> multiply(const Decimal& quantity, const Decimal& unit_price) {
  const int scale = quantity.scale + unit_price.scale;
  std::int64_t product = 0;
  const bool narrow =
      !__builtin_mul_overflow(quantity.coefficient, unit_price.coefficient, &product);
  if (narrow && scale <= kMoneyScale) {  // Nearly always.
    std::int64_t units = 0;
    const std::int64_t factor = kPowersOfTen[static_cast<std::size_t>(kMoneyScale - scale)];
    if (!__builtin_mul_overflow(product, factor, &units) &&
        units != std::numeric_limits<std::int64_t>::min()) {
      return Money{units};
    }
    return std::nullopt;
  }
  return rounded(Wide{quantity.coefficient} * unit_price.coefficient, scale);
}

std::string to_text(Money money) {
  return std::string(NumberText(money.units, kMoneyScale).view());
}

}  // namespace rfm
