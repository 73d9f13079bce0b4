// Goal: what an axis measures is exact, and its cuts are known ahead to the millisecond.
// Method: every quantity by hand, absent ones and extremes; silence_at_cut against axis_value by
// bisection.
#include "model/axis_value.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

namespace rfm {
namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kDay = 86'400'000;

TEST(AxisValue, EveryQuantityIsAsItsUnitSays) {
  // Five purchases in 40 days: one in ten days on average. 25 days of silence.
  const AxisInput input{.silence_ms = 25 * kDay,
                        .history_ms = 40 * kDay,
                        .frequency = 5,
                        .monetary = 1'000'004,
                        .risk = .25};
  EXPECT_EQ(axis_value(Quantity::kRecency, input), 25 * kDay);
  EXPECT_EQ(axis_value(Quantity::kFrequency, input), 5);
  EXPECT_EQ(axis_value(Quantity::kMonetary, input), 1'000'004);
  EXPECT_EQ(axis_value(Quantity::kOrderValue, input), 200'000);
  EXPECT_EQ(axis_value(Quantity::kOverdue, input), 2'500);
  EXPECT_EQ(axis_value(Quantity::kRisk, input), 250'000'000);
  EXPECT_EQ(axis_value(Quantity::kValue, input), static_cast<std::int64_t>(200'000 * std::log(4)));
}

TEST(AxisValue, WhatCannotBeMeasuredIsAbsent) {
  const AxisInput one_purchase{.silence_ms = kDay, .history_ms = kDay, .monetary = 10'000};
  EXPECT_EQ(axis_value(Quantity::kOverdue, one_purchase), std::nullopt);
  EXPECT_EQ(axis_value(Quantity::kRisk, one_purchase), std::nullopt);
  EXPECT_EQ(axis_value(Quantity::kValue, one_purchase), std::nullopt);
  // Two purchases at one instant.
  EXPECT_EQ(axis_value(Quantity::kOverdue, {.silence_ms = kDay, .frequency = 2}), std::nullopt);
}

TEST(AxisValue, ExtremesStayInRange) {
  AxisInput input{.silence_ms = kLargest,
                  .history_ms = 1,
                  .frequency = 4'000'000'000,
                  .monetary = kLargest,
                  .risk = 0};
  EXPECT_EQ(axis_value(Quantity::kOverdue, input), kLargest);
  EXPECT_EQ(silence_at_cut(Quantity::kOverdue, kLargest, {.history_ms = kLargest, .frequency = 2}),
            kLargest);
  input.frequency = 1;
  EXPECT_EQ(axis_value(Quantity::kValue, input), kLargest);
  input.monetary = -5;
  EXPECT_EQ(axis_value(Quantity::kMonetary, input), -5);
  EXPECT_EQ(axis_value(Quantity::kOrderValue, input), 0);
  EXPECT_EQ(axis_value(Quantity::kValue, input), 0);
  EXPECT_EQ(risk_at_cut(Quantity::kValue, 7, input), 0) << "no risk brings any value";
  input = {.monetary = 10'000, .risk = 1};
  EXPECT_EQ(axis_value(Quantity::kValue, input), 0);
  EXPECT_EQ(axis_value(Quantity::kRisk, input), 1'000'000'000);
}

// The largest silence whose value does not exceed the cut.
std::int64_t last_silence(Quantity quantity, std::int64_t cut, AxisInput input) {
  std::int64_t low = 0;
  std::int64_t high = std::int64_t{1} << 50;
  while (low < high) {
    const std::int64_t middle = low + (high - low + 1) / 2;
    input.silence_ms = middle;
    if (*axis_value(quantity, input) <= cut) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

TEST(AxisValue, TheSilenceAtACutIsTheLastBeforeIt) {
  std::mt19937_64 random(1);
  const auto below = [&](std::int64_t limit) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(limit));
  };
  for (int round = 0; round < 20'000; ++round) {
    const std::int64_t span = std::int64_t{1} << (1 + below(36));
    const AxisInput input{.history_ms = 1 + below(span), .frequency = 2 + below(round % 40 + 1)};
    const std::int64_t cut = below(round % 3 == 0 ? 5 : 10'000);
    ASSERT_EQ(silence_at_cut(Quantity::kOverdue, cut, input),
              last_silence(Quantity::kOverdue, cut, input))
        << cut << " of " << input.history_ms << " / " << input.frequency;
    ASSERT_EQ(silence_at_cut(Quantity::kRecency, cut, input),
              last_silence(Quantity::kRecency, cut, input));
  }
}

TEST(AxisValue, TheRiskAtACutIsWhereTheScoreChanges) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 5'000; ++round) {
    AxisInput input{.frequency = 1,
                    .monetary = 1'000 + static_cast<std::int64_t>(random() % 999'000)};
    const auto cut =
        static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(5 * input.monetary));
    const double risk = risk_at_cut(Quantity::kValue, cut, input);
    input.risk = risk * (1 + 1e-9);
    ASSERT_EQ(axis_value(Quantity::kValue, input), cut);
    input.risk = risk * (1 - 1e-9);
    ASSERT_EQ(axis_value(Quantity::kValue, input), cut + 1);
  }
  EXPECT_EQ(risk_at_cut(Quantity::kRisk, 250'000'000, {}), .25);
}

}  // namespace
}  // namespace rfm
