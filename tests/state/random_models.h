// Random segmentations, models and customers for the tests of time.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "model/cluster_names.h"
#include "state/advance.h"
#include "state/epoch.h"

namespace rfm {

inline constexpr std::int64_t kFirstEpoch = 15'000;
inline constexpr int kEpochs = 40;
inline constexpr Duration kMs{1};

struct Random {
  explicit Random(std::uint64_t seed) : engine(seed) {}

  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(high - low + 1));
  }
  double real(double low, double high) {
    return low + (high - low) * (static_cast<double>(engine() >> 11) * 0x1p-53);
  }
  bool happens(double share) { return real(0, 1) < share; }
  EventTime time(EventTime low, EventTime high) {
    return from_ms(between(to_ms(low), to_ms(high)));
  }

  std::mt19937_64 engine;
};

// Three axes, all of them with silence in some; cuts that the model may have or not.
inline Axis random_axis(Random& random, std::string name, Quantity quantity) {
  Axis axis;
  axis.name = std::move(name);
  axis.cuts.quantity = quantity;
  axis.cuts.bins = static_cast<int>(random.between(2, 5));
  if (random.happens(.3)) axis.cuts.method = CutMethod::kFixed;
  const std::int64_t high = quantity == Quantity::kRecency     ? kEpoch.count() * 30
                            : quantity == Quantity::kFrequency ? 4
                            : quantity == Quantity::kOverdue   ? 8'000
                            : quantity == Quantity::kRisk      ? 1'000'000'000
                                                               : 5'000'000;
  for (int i = 1; i < axis.cuts.bins; ++i) axis.cuts.fixed.push_back(random.between(0, high));
  std::ranges::sort(axis.cuts.fixed);
  const auto twice = std::ranges::unique(axis.cuts.fixed);
  axis.cuts.fixed.erase(twice.begin(), twice.end());
  axis.cuts.bins = static_cast<int>(axis.cuts.fixed.size()) + 1;
  return axis;
}

inline std::vector<TrainedCuts> random_cuts(Random& random, const Segmentations& segmentations) {
  std::vector<TrainedCuts> trained;
  if (random.happens(.2)) return trained;
  for (const CutSpec& spec : segmentations.cut_specs()) {
    Axis axis = random_axis(random, "", spec.quantity);
    axis.cuts.fixed.resize(static_cast<std::size_t>(spec.bins) - 1, axis.cuts.fixed.back());
    trained.push_back({spec.quantity, spec.method, spec.bins, axis.cuts.fixed});
  }
  return trained;
}

inline ClusterModel random_clusters(Random& random) {
  ClusterModel clusters;
  clusters.cluster_count = static_cast<int>(random.between(1, 6));
  for (double& w : clusters.weight) w = random.real(.2, 4);
  for (int c = 0; c < clusters.cluster_count; ++c) {
    clusters.centroids[static_cast<std::size_t>(c)] = {random.real(0, 4), random.real(.5, 2.5),
                                                       random.real(0, 7)};
    clusters.names.push_back(static_cast<ClusterNameCode>(c % 5));
  }
  return clusters;
}

inline ChurnModel random_churn(Random& random) {
  ChurnModel churn{.nbd_r = random.real(.3, 3),
                   .nbd_alpha_days = random.real(10, 150),
                   .intercept = random.real(-.5, .5)};
  for (std::size_t i = 0; i < kHazardFeatureCount; ++i) {
    churn.coefficient[i] = random.real(-.6, .6);
    churn.mean[i] = random.real(0, 4);
    churn.sd[i] = random.real(.3, 2);
  }
  return churn;
}

// One version per epoch: mostly unchanged or moved a little, sometimes another one altogether.
inline void fill_timeline(Random& random, const Rules& rules, ModelTimeline& models) {
  models.start_at(kFirstEpoch + random.between(0, 5));
  ModelVersion last;
  const double move = random.happens(.3) ? .3 : .005;
  for (std::int64_t epoch = models.start_epoch(); epoch < kFirstEpoch + kEpochs; ++epoch) {
    ModelVersion next = last;
    next.trained_epoch = epoch;
    next.cuts_changed = random.happens(.08);
    if (next.cuts_changed) next.cuts = random_cuts(random, rules.segmentations);
    next.cluster_change = ClusterChange::kNone;
    if (!next.clusters ? random.happens(.4) : random.happens(.05)) {
      const bool first = !next.clusters;
      const int count = first ? 0 : next.clusters->cluster_count;
      next.clusters = random_clusters(random);
      if (!first) next.clusters->cluster_count = std::min(count, next.clusters->cluster_count);
      while (!first && next.clusters->cluster_count < count) {
        next.clusters->centroids[static_cast<std::size_t>(next.clusters->cluster_count++)] = {
            random.real(0, 4), random.real(.5, 2.5), random.real(0, 7)};
        next.clusters->names.push_back(0);
      }
      next.cluster_change = first                ? ClusterChange::kFirstFit
                            : random.happens(.5) ? ClusterChange::kRefitWarm
                                                 : ClusterChange::kRefitChallenger;
    } else if (next.clusters && random.happens(.7)) {
      for (FeatureVector& c : next.clusters->centroids)
        for (double& x : c) x += random.real(-move, move);
      next.cluster_change = ClusterChange::kMoved;
    }
    if (next.cluster_change == ClusterChange::kRefitWarm && random.happens(.5))
      std::swap(next.clusters->names.front(), next.clusters->names.back());
    next.churn_changed = !next.churn ? random.happens(.3) : random.happens(.05);
    if (next.churn_changed) next.churn = random_churn(random);
    next.unchanged =
        !next.cuts_changed && !next.churn_changed && next.cluster_change == ClusterChange::kNone;
    if (!next.unchanged) ++next.number;
    last = next;
    models.append(std::make_shared<const ModelVersion>(std::move(next)));
  }
}

enum class Damping : std::uint8_t { kOff, kRandom };

inline SegmentationSpec random_segmentation(
    Random& random, std::string name, const std::vector<std::pair<std::string, Quantity>>& axes,
    Damping damping) {
  SegmentationSpec spec;
  spec.name = std::move(name);
  for (const auto& [axis, quantity] : axes) {
    spec.axes.push_back(random_axis(random, axis, quantity));
    if (damping == Damping::kRandom && random.happens(.6))
      spec.axes.back().margin = random.real(0, .4);
  }
  // Every cell its own segment but for some that it shares with the one before.
  std::vector<int> scores(spec.axes.size(), 1);
  int last = 0;
  while (true) {
    MapRule rule;
    if (last == 0 || (last < 30 && random.happens(.6))) ++last;
    rule.segment = "s" + std::to_string(last);
    for (std::size_t a = 0; a < scores.size(); ++a) {
      const int low =
          spec.axes[a].cuts.quantity == Quantity::kOverdue && scores[a] == 1 ? 0 : scores[a];
      rule.ranges.push_back({spec.axes[a].name, low, scores[a]});
    }
    spec.map.push_back(rule);
    std::size_t a = 0;
    while (a < scores.size() && ++scores[a] > spec.axes[a].cuts.bins) scores[a++] = 1;
    if (a == scores.size()) break;
  }
  for (int i = 1; i <= last; ++i) {
    SegmentInfo info;
    info.name = "s" + std::to_string(i);
    info.rank = static_cast<int>(random.between(1, 9));
    info.lost = random.happens(.3);
    spec.segments.push_back(info);
  }
  spec.guard = damping == Damping::kRandom && random.happens(.7);
  if (damping == Damping::kRandom && random.happens(.7))
    spec.stay_ms = random.between(1, kEpoch.count() * 6);
  return spec;
}

inline Segmentations random_segmentations(Random& random, Damping damping) {
  std::vector<SegmentationSpec> specs = {
      random_segmentation(
          random, "one",
          {{"r", Quantity::kRecency}, {"f", Quantity::kFrequency}, {"m", Quantity::kMonetary}},
          damping),
      random_segmentation(random, "two", {{"risk", Quantity::kRisk}}, damping),
      random_segmentation(random, "three",
                          {{"overdue", Quantity::kOverdue}, {"v", Quantity::kValue}}, damping)};
  SegmentationSpec cluster = *find_preset("cluster");
  cluster.hysteresis = random.happens(.3) ? random.real(0, .5) : .1;
  cluster.recency_min_ms = random.happens(.5) ? random.between(0, kEpoch.count() * 15) : 0;
  cluster.guard = specs.front().guard;
  cluster.stay_ms = specs.front().stay_ms;
  specs.push_back(cluster);
  absl::StatusOr<Segmentations> made = Segmentations::create(specs);
  EXPECT_TRUE(made.ok()) << made.status();
  return *std::move(made);
}

inline Rules random_rules(Random& random, Damping damping) {
  Rules rules;
  if (random.happens(.3))
    rules.window =
        std::chrono::hours{24 * random.between(3, 20)} + Duration{random.between(0, 999)};
  rules.segmentations = random_segmentations(random, damping);
  rules.precedence = precedence_of({}, rules.segmentations);
  return rules;
}

inline CustomerRow random_row(Random& random, EventTime at, const TimeContext& context) {
  CustomerRow row;
  row.id = "c";
  row.segments.resize(context.rules.segmentations.size());
  TransitionBuffer buffer;
  for (std::int64_t n = random.between(1, 5); n > 0; --n) {
    const InvoiceFact fact{
        .invoice = {.number_hash = random.engine(),
                    .amount = {random.between(0, 9'000'000)},
                    .time = at - Duration{random.between(0, kEpoch.count() * 25)},
                    .type = random.happens(.1) ? InvoiceType::kCredit : InvoiceType::kInvoice}};
    apply_invoice(row, fact, at, context, buffer);
  }
  return row;
}

inline CustomerRow copy_of(const CustomerRow& row) {
  CustomerRow copy;
  copy.id = row.id;
  copy.id_hash = row.id_hash;
  copy.birth = row.birth;
  copy.clock = row.clock;
  copy.ledger = row.ledger;
  copy.newest_at = row.newest_at;
  copy.country = row.country;
  copy.consent = row.consent;
  copy.segments = row.segments;
  copy.quiet_until = row.quiet_until;
  copy.member = row.member;
  copy.feature_f = row.feature_f;
  copy.feature_m = row.feature_m;
  copy.cache = row.cache;
  return copy;
}

}  // namespace rfm
