// Goal: a wrong clock, here or at the broker, never makes it later than it is.
#include "stream/record/broker_time.h"

#include <gtest/gtest.h>

#include "tests/fake/manual_clock.h"

namespace rfm {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr std::int64_t kNow = 1'800'000'000'000;
constexpr hours kThreeYears{24 * 365 * 3};

std::int64_t ms(std::chrono::milliseconds span) { return span.count(); }

TEST(BrokerTime, IsUnknownUntilTheBrokerHasSpoken) {
  const ManualClock clock(kNow);
  BrokerTime time(clock);
  EXPECT_EQ(time.believed_ms(), std::nullopt);
  EXPECT_EQ(time.broker_ms(), std::nullopt);
  EXPECT_FALSE(time.take_disagreement().has_value());
}

TEST(BrokerTime, GoesOnWithASteadyClock) {
  ManualClock clock(kNow);
  BrokerTime time(clock);
  time.observe(kNow - 20);
  clock.pass(hours{3});
  EXPECT_EQ(time.broker_ms(), kNow - 20 + ms(hours{3}));
  EXPECT_EQ(time.believed_ms(), kNow - 20 + ms(hours{3}));
}

TEST(BrokerTime, IsTheEarlierOfTwoClocks) {
  ManualClock clock(kNow);
  BrokerTime time(clock);
  time.observe(kNow);
  clock.set_wrong(kThreeYears);
  EXPECT_EQ(time.believed_ms(), kNow);
  clock.set_wrong(-kThreeYears);
  EXPECT_EQ(time.believed_ms(), kNow - ms(kThreeYears));
  clock.set_wrong({});
  time.observe(kNow + ms(kThreeYears));
  EXPECT_EQ(time.believed_ms(), kNow) << "the broker's clock is the wrong one";
  time.observe(kNow);
  EXPECT_EQ(time.broker_ms(), kNow) << "and was set right";
}

TEST(BrokerTime, EachJumpIsToldAndCountedOnce) {
  ManualClock clock(kNow);
  BrokerTime time(clock);
  time.observe(kNow);
  clock.set_wrong(seconds{9});
  EXPECT_FALSE(time.take_disagreement().has_value());
  clock.set_wrong(kThreeYears);
  const auto jump = time.take_disagreement();
  ASSERT_TRUE(jump.has_value());
  EXPECT_EQ(jump->wall_ms - jump->broker_ms, ms(kThreeYears));
  clock.pass(hours{1});
  EXPECT_FALSE(time.take_disagreement().has_value());
  clock.set_wrong({});
  ASSERT_TRUE(time.take_disagreement().has_value()) << "that it is right again is told too";
  EXPECT_EQ(time.disagreements(), 2U);
}

}  // namespace
}  // namespace rfm
