// Goal: the closed-form instant of the next cluster change is the one that decide() gives, to the
// millisecond. Method: where the window is small, ask decide() at every millisecond; where it is
// long, at 5,000 instants evenly spread in log recency, and at the millisecond before the answer.
#include "model/nearest_centroid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <random>

#include "model/deterministic_math.h"
#include "tests/model/uniform.h"

namespace rfm {
namespace {

constexpr std::int64_t kDay = 86400000;
constexpr std::int64_t kStart = 15000 * kDay;

ClusterModel random_model(std::mt19937_64& rng, double recency_max) {
  ClusterModel model;
  model.cluster_count = 2 + static_cast<int>(rng() % 6);
  model.weight = {uniform(rng, .3, 2), uniform(rng, .5, 4), uniform(rng, .3, 2)};
  for (int j = 0; j < model.cluster_count; ++j) {
    model.centroids[static_cast<std::size_t>(j)] = {uniform(rng, 0, recency_max),
                                                    uniform(rng, .7, .7 + recency_max / 2),
                                                    uniform(rng, 5, 5 + recency_max)};
  }
  return model;
}

int decide_at(const ClusterModel& model, const SilentCustomer& customer, double hysteresis,
              std::int64_t t) {
  return decide(model, {recency_feature(customer.last_purchase_ms, t), customer.f, customer.m},
                customer.current, hysteresis);
}

double random_hysteresis(std::mt19937_64& rng) {
  constexpr std::array<double, 4> kValues = {0, .05, .1, .3};
  return kValues[rng() % kValues.size()];
}

TEST(NearestCentroid, TiesGoToTheLowestId) {
  ClusterModel model;
  model.cluster_count = 3;
  model.weight = {1, 1, 1};
  model.centroids[0] = {5, 0, 0};
  model.centroids[1] = {1, 0, 0};
  model.centroids[2] = {3, 0, 0};
  EXPECT_EQ(nearest(model, {2, 0, 0}), 1);
  EXPECT_EQ(decide(model, {2, 0, 0}, -1, .1), 1);
  EXPECT_EQ(decide(model, {2, 0, 0}, 2, 0), 2);
}

TEST(NearestCentroid, HysteresisKeepsTheCurrentCluster) {
  ClusterModel model;
  model.cluster_count = 2;
  model.weight = {1, 1, 1};
  model.centroids[0] = {0, 0, 0};
  model.centroids[1] = {2, 0, 0};
  EXPECT_EQ(decide(model, {1.01, 0, 0}, 0, .1), 0);  // .9801 is not below .9 * 1.0201.
  EXPECT_EQ(decide(model, {1.01, 0, 0}, 0, 0), 1);
  EXPECT_EQ(decide(model, {1.1, 0, 0}, 0, .1), 1);
}

TEST(NearestCentroid, NextSwitchEqualsEveryMillisecond) {
  int switches = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    std::mt19937_64 rng(seed);
    constexpr std::int64_t kWindow = 8000;  // Milliseconds.
    const double recency_max = 1.5 * det_log1p(static_cast<double>(kWindow) / kDayMs);
    const ClusterModel model = random_model(rng, recency_max);
    const double hysteresis = random_hysteresis(rng);
    SilentCustomer customer{.f = uniform(rng, .7, .7 + recency_max / 2),
                            .m = uniform(rng, 5, 5 + recency_max),
                            .last_purchase_ms = kStart,
                            .current = 0};
    const std::int64_t after = kStart - 100 + static_cast<std::int64_t>(rng() % 800);
    const std::int64_t until = after + kWindow;
    customer.current = decide_at(model, customer, 0, after);
    std::optional<std::int64_t> expected;
    for (std::int64_t t = after + 1; t <= until && !expected; ++t) {
      if (decide_at(model, customer, hysteresis, t) != customer.current) expected = t;
    }
    switches += expected ? 1 : 0;
    EXPECT_EQ(next_switch_ms(model, customer, hysteresis, after, until), expected);
  }
  EXPECT_GT(switches, 100);
}

TEST(NearestCentroid, NextSwitchIsTheFirstOfALongSilence) {
  int switches = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    std::mt19937_64 rng(seed);
    const ClusterModel model = random_model(rng, 6);
    const double hysteresis = random_hysteresis(rng);
    SilentCustomer customer{.f = uniform(rng, .7, 3.7),
                            .m = uniform(rng, 5, 11),
                            .last_purchase_ms = kStart + static_cast<std::int64_t>(rng() % kDay),
                            .current = 0};
    const std::int64_t after =
        customer.last_purchase_ms +
        static_cast<std::int64_t>(rng() % static_cast<std::uint64_t>(30 * kDay));
    const std::int64_t until =
        after + static_cast<std::int64_t>(rng() % static_cast<std::uint64_t>(500 * kDay));
    customer.current = static_cast<int>(
        rng() % 4 == 0 ? rng() % static_cast<std::uint64_t>(model.cluster_count)
                       : static_cast<std::uint64_t>(decide_at(model, customer, 0, after)));
    const std::optional<std::int64_t> found =
        next_switch_ms(model, customer, hysteresis, after, until);
    const std::int64_t quiet_until = found ? *found - 1 : until;
    if (found) {
      ++switches;
      ASSERT_GT(*found, after);
      ASSERT_LE(*found, until);
      EXPECT_NE(decide_at(model, customer, hysteresis, *found), customer.current);
    }
    if (quiet_until <= after) continue;
    EXPECT_EQ(decide_at(model, customer, hysteresis, quiet_until), customer.current);
    const double low = recency_feature(customer.last_purchase_ms, after + 1);
    const double high = recency_feature(customer.last_purchase_ms, quiet_until);
    for (int i = 0; i < 5000; ++i) {
      const double x = low + (high - low) * i / 5000;
      ASSERT_EQ(decide(model, {x, customer.f, customer.m}, customer.current, hysteresis),
                customer.current);
    }
    // Asked again from any moment before, the answer is the same.
    const std::int64_t later =
        after +
        static_cast<std::int64_t>(rng() % static_cast<std::uint64_t>(quiet_until - after + 1));
    EXPECT_EQ(next_switch_ms(model, customer, hysteresis, later, until), found);
  }
  EXPECT_GT(switches, 130);
}

TEST(NearestCentroid, TouchingParabolasDoNotConfuseTheSearch) {
  // With hysteresis the gap may dip to about zero and rise again. Moves a third coordinate until it
  // just touches.
  ClusterModel model;
  model.cluster_count = 2;
  model.weight = {1, 1, 1};
  model.centroids[0] = {0, 0, 0};
  model.centroids[1] = {.3, 2, 0};
  SilentCustomer customer{.f = 1.1, .m = 0, .last_purchase_ms = kStart, .current = 0};
  // x = 3 is the vertex for hysteresis .1; the gap there is linear in f.
  double low = 0;
  double high = .9;
  for (int i = 0; i < 200; ++i) {
    customer.f = (low + high) / 2;
    const auto found = next_switch_ms(model, customer, .1, kStart, kStart + 3000 * kDay);
    if (found) {
      EXPECT_EQ(decide_at(model, customer, .1, *found), 1);
      EXPECT_EQ(decide_at(model, customer, .1, *found - 1), 0);
      high = customer.f;
    } else {
      low = customer.f;
    }
  }
  EXPECT_GT(low, 0);
  EXPECT_LT(high, .9);
}

TEST(NearestCentroid, MarginProvesThatNothingChanges) {
  int proofs = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    std::mt19937_64 rng(seed);
    const ClusterModel model = random_model(rng, 6);
    const double hysteresis = random_hysteresis(rng);
    const FeatureVector x = {uniform(rng, 0, 6), uniform(rng, .7, 3.7), uniform(rng, 5, 11)};
    const int current = decide(model, x, -1, hysteresis);
    ClusterModel moved = model;
    const double size = uniform(rng, 0, .5);
    for (auto& c : moved.centroids) {
      for (double& v : c) v += uniform(rng, -size, size);
    }
    const double span = uniform(rng, 0, 1);
    const double delta = centroid_move_max(model, moved);
    const SwitchMargin margin = switch_margin(model, x, current, hysteresis, span);
    for (const double share : {0.0, uniform(rng, 0, 1), 1.0}) {
      if (margin.now + share * (margin.at_span - margin.now) <= delta + 1e-9) continue;
      ++proofs;
      EXPECT_EQ(decide(moved, {x[0] + share * span, x[1], x[2]}, current, hysteresis), current);
    }
  }
  EXPECT_GT(proofs, 1500);
}

TEST(NearestCentroid, OneClusterNeverSwitches) {
  ClusterModel model;
  model.cluster_count = 1;
  model.weight = {1, 1, 1};
  EXPECT_EQ(next_switch_ms(model, {.last_purchase_ms = 0}, .1, 0, 1000 * kDay), std::nullopt);
  EXPECT_EQ(switch_margin(model, {1, 1, 1}, 0, .1, 1).now, std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace rfm
