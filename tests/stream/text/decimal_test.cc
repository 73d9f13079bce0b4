#include "stream/text/decimal.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <string>
#include <string_view>

namespace rfm {
namespace {

constexpr std::int64_t kInt64Max = std::numeric_limits<std::int64_t>::max();

Decimal decimal(std::string_view text) {
  const ParsedDecimal parsed = parse_decimal(text);
  EXPECT_EQ(parsed.error, DecimalError::kNone) << text;
  return parsed.value;
}

Money product(std::string_view quantity, std::string_view unit_price) {
  const std::optional<Money> money = multiply(decimal(quantity), decimal(unit_price));
  EXPECT_TRUE(money.has_value()) << quantity << " * " << unit_price;
  return money.value_or(Money{});
}

TEST(Decimal, KeepsEveryDigit) {
  EXPECT_EQ(decimal("2.55"), (Decimal{255, 2}));
  EXPECT_EQ(decimal("-0.001"), (Decimal{-1, 3}));
  EXPECT_EQ(decimal("0"), (Decimal{0, 0}));
  EXPECT_EQ(decimal("-0"), (Decimal{0, 0}));
  EXPECT_EQ(decimal("999999999999999999"), (Decimal{999'999'999'999'999'999, 0}));
  EXPECT_EQ(decimal("0.999999999999999999"), (Decimal{999'999'999'999'999'999, 18}));
  EXPECT_EQ(decimal("922337203685477.5807"), (Decimal{kInt64Max, 4}));
  EXPECT_EQ(decimal("-9223372036854775807"), (Decimal{-kInt64Max, 0}));
}

TEST(Decimal, ZerosThatSayNothingDoNotCount) {
  EXPECT_EQ(decimal("007"), (Decimal{7, 0}));
  EXPECT_EQ(decimal("7.000000000000000000000000000"), (Decimal{7, 0}));
  EXPECT_EQ(decimal("0000000000000000000000000000.50"), (Decimal{5, 1}));
}

TEST(Decimal, RefusesWhatIsNotDecimal) {
  for (const std::string_view text :
       {"",      "-",    "+1",       ".5",  "5.",
        "1e2",   "1E2",  "1.5e-3",   "1,5", " 1",
        "1 ",    "--1",  "0x10",     "NaN", "Infinity",
        "1.2.3", "1.-2", "\xd9\xa1", "1\n", "12345678901234567890x"}) {
    EXPECT_EQ(parse_decimal(text).error, DecimalError::kNotDecimal) << text;
  }
  EXPECT_EQ(parse_decimal(std::string_view("1\0", 2)).error, DecimalError::kNotDecimal);
}

TEST(Decimal, SaysWhetherANumberIsTooLargeOrTooPrecise) {
  EXPECT_EQ(parse_decimal("9223372036854775808").error, DecimalError::kTooLarge);
  EXPECT_EQ(parse_decimal("922337203685477.5808").error, DecimalError::kTooLarge);
  EXPECT_EQ(parse_decimal("92233720368547758070.00001").error, DecimalError::kTooLarge);
  EXPECT_EQ(parse_decimal(std::string(10'000, '9')).error, DecimalError::kTooLarge);
  EXPECT_EQ(parse_decimal("0.0000000000000000001").error, DecimalError::kTooPrecise);
  EXPECT_EQ(parse_decimal("10.000000000000000001").error, DecimalError::kTooPrecise);
  EXPECT_EQ(parse_decimal("922337203685477.58074").error, DecimalError::kTooPrecise);
}

TEST(Decimal, ProductIsExact) {
  EXPECT_EQ(product("6", "2.55"), (Money{153'000}));
  EXPECT_EQ(product("-12", "0.001"), (Money{-120}));
  EXPECT_EQ(product("1.5", "0.3333"), (Money{5'000}));
  EXPECT_EQ(product("80995", "2.08"), (Money{1'684'696'000}));
}

TEST(Decimal, MoreThanFourDecimalsAreRoundedHalfAwayFromZero) {
  EXPECT_EQ(product("1", "0.00005"), (Money{1}));
  EXPECT_EQ(product("-1", "0.00005"), (Money{-1}));
  EXPECT_EQ(product("1", "0.000049999999999999"), (Money{0}));
  EXPECT_EQ(product("-3", "0.33335"), (Money{-10'001}));
  EXPECT_EQ(product("0.000000000000000001", "0.000000000000000001"), (Money{0}));
  EXPECT_EQ(to_money(decimal("12.34565")), (Money{123'457}));
  EXPECT_EQ(to_money(decimal("-12.34564")), (Money{-123'456}));
}

TEST(Decimal, AmountsBeyondAnInt64AreAbsent) {
  EXPECT_EQ(to_money(decimal("922337203685477.5807")), Money{kInt64Max});
  EXPECT_EQ(to_money(decimal("-922337203685477.5807")), Money{-kInt64Max});
  EXPECT_EQ(to_money(decimal("922337203685478")), std::nullopt);
  EXPECT_EQ(to_money(decimal("-922337203685478")), std::nullopt);
  EXPECT_EQ(multiply(decimal("1000000000"), decimal("1000000")), std::nullopt);
  EXPECT_EQ(multiply(decimal("9223372036854775807"), decimal("-9223372036854775807")),
            std::nullopt);
  EXPECT_EQ(multiply(decimal("9.223372036854775807"), decimal("9.223372036854775807")),
            (Money{850'706}));
  EXPECT_EQ(multiply(decimal("999999999999999999"), decimal("0.0001")),
            Money{999'999'999'999'999'999});
  EXPECT_EQ(multiply(decimal("-461168601842738.7904"), decimal("2")),
            std::nullopt);  // The smallest int64.
}

TEST(Decimal, MoneyAsTextHasFourDecimals) {
  EXPECT_EQ(to_text(Money{9'419'400}), "941.9400");
  EXPECT_EQ(to_text(Money{0}), "0.0000");
  EXPECT_EQ(to_text(Money{-1}), "-0.0001");
  EXPECT_EQ(to_text(Money{kInt64Max}), "922337203685477.5807");
  EXPECT_EQ(to_text(Money{std::numeric_limits<std::int64_t>::min()}), "-922337203685477.5808");
}

RC_GTEST_PROP(DecimalProperty, MoneySurvivesTheWayThroughText, (std::int64_t units)) {
  RC_PRE(units != std::numeric_limits<std::int64_t>::min());
  RC_ASSERT(to_money(parse_decimal(to_text(Money{units})).value) == Money{units});
}

RC_GTEST_PROP(DecimalProperty, ProductOfWholeUnitsIsTheIntegerProduct,
              (std::int32_t quantity, std::int32_t units)) {
  const Decimal price = parse_decimal(to_text(Money{units})).value;
  const Decimal count = parse_decimal(std::to_string(quantity)).value;
  RC_ASSERT(multiply(count, price) == Money{std::int64_t{quantity} * units});
  RC_ASSERT(multiply(price, count) == Money{std::int64_t{quantity} * units});
}

TEST(Decimal, JsonNumbersMayHaveExponents) {
  const auto value = [](std::string_view text) {
    const ParsedDecimal parsed = parse_json_decimal(text);
    EXPECT_EQ(parsed.error, DecimalError::kNone) << text;
    return parsed.value;
  };
  EXPECT_EQ(value("1.25E+3"), (Decimal{1'250, 0}));
  EXPECT_EQ(value("1.25e-3"), (Decimal{125, 5}));
  EXPECT_EQ(value("-100e-20"), (Decimal{-1, 18}));
  EXPECT_EQ(value("0e999999999999"), (Decimal{0, 0}));
  EXPECT_EQ(value("12.50"), (Decimal{125, 1}));
  EXPECT_EQ(parse_json_decimal("1e19").error, DecimalError::kTooLarge);
  EXPECT_EQ(parse_json_decimal("1e99999999999999999999").error, DecimalError::kTooLarge);
  EXPECT_EQ(parse_json_decimal("1e-19").error, DecimalError::kTooPrecise);
  for (const std::string_view text : {"1e", "e1", "1e+", "1ee1", "1e1.5", "1e 1"})
    EXPECT_EQ(parse_json_decimal(text).error, DecimalError::kNotDecimal) << text;
}

}  // namespace
}  // namespace rfm
