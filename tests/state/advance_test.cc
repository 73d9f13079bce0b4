// Goal: time changes a customer at exact instants, however often and in whatever steps it is asked.
// Method: random customers and random models. One long `advance` against many short ones, and every
// span between two transitions against `segment_for` at sampled instants and both of its ends.
#include "state/advance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>

#include "model/nearest_centroid.h"
#include "state/epoch.h"
#include "state/evaluation.h"

namespace rfm {
namespace {

using std::chrono::hours;

constexpr std::int64_t kFirstEpoch = 15'000;
constexpr int kEpochs = 40;
constexpr Duration kMs{1};

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

ScoreCuts random_cuts(Random& random) {
  ScoreCuts cuts;
  cuts.absolute = random.happens(.2);
  const auto fill = [&](AxisCuts& axis, std::int64_t high) {
    for (std::int64_t& cut : axis) cut = random.between(0, high);
    std::sort(axis.begin(), axis.end());
  };
  fill(cuts.recency_ms, kEpoch.count() * 30);
  fill(cuts.frequency, 4);
  fill(cuts.monetary, 5'000'000);
  return cuts;
}

ClusterModel random_clusters(Random& random) {
  ClusterModel clusters;
  clusters.cluster_count = static_cast<int>(random.between(1, 6));
  for (double& w : clusters.weight) w = random.real(.2, 4);
  for (int c = 0; c < clusters.cluster_count; ++c) {
    clusters.centroids[static_cast<std::size_t>(c)] = {random.real(0, 4), random.real(.5, 2.5),
                                                       random.real(0, 7)};
    clusters.names.push_back("Cluster " + std::to_string(c + 1));
  }
  return clusters;
}

ChurnModel random_churn(Random& random) {
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
void fill_timeline(Random& random, ModelTimeline& models) {
  models.start_at(kFirstEpoch + random.between(0, 5));
  ModelVersion last;
  const double move = random.happens(.3) ? .3 : .005;
  for (std::int64_t epoch = models.start_epoch(); epoch < kFirstEpoch + kEpochs; ++epoch) {
    ModelVersion next = last;
    next.trained_epoch = epoch;
    next.cuts_changed = random.happens(.08);
    if (next.cuts_changed) next.cuts = random_cuts(random);
    next.cluster_change = ClusterChange::kNone;
    if (!next.clusters ? random.happens(.4) : random.happens(.05)) {
      const bool first = !next.clusters;
      const int count = first ? 0 : next.clusters->cluster_count;
      next.clusters = random_clusters(random);
      if (!first) next.clusters->cluster_count = std::min(count, next.clusters->cluster_count);
      while (!first && next.clusters->cluster_count < count) {
        next.clusters->centroids[static_cast<std::size_t>(next.clusters->cluster_count++)] = {
            random.real(0, 4), random.real(.5, 2.5), random.real(0, 7)};
        next.clusters->names.emplace_back("more");
      }
      next.cluster_change = first                ? ClusterChange::kFirstFit
                            : random.happens(.5) ? ClusterChange::kRefitWarm
                                                 : ClusterChange::kRefitChallenger;
    } else if (next.clusters && random.happens(.7)) {
      for (FeatureVector& c : next.clusters->centroids)
        for (double& x : c) x += random.real(-move, move);
      next.cluster_change = ClusterChange::kMoved;
    }
    next.churn_changed = !next.churn ? random.happens(.3) : random.happens(.05);
    if (next.churn_changed) next.churn = random_churn(random);
    next.unchanged =
        !next.cuts_changed && !next.churn_changed && next.cluster_change == ClusterChange::kNone;
    if (!next.unchanged) ++next.number;
    last = next;
    models.append(std::make_shared<const ModelVersion>(std::move(next)));
  }
}

Rules random_rules(Random& random) {
  Rules rules;
  if (random.happens(.3))
    rules.window = hours{24 * random.between(3, 20)} + Duration{random.between(0, 999)};
  if (random.happens(.3)) rules.cluster_hysteresis = random.real(0, .5);
  for (Duration& dwell : rules.dwell) {
    if (random.happens(.3)) dwell = Duration{random.between(1, kEpoch.count() * 6)};
  }
  return rules;
}

CustomerRow random_row(Random& random, EventTime at, const TimeContext& context) {
  CustomerRow row;
  row.id = "c";
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

CustomerRow copy_of(const CustomerRow& row) {
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
  copy.feature_f = row.feature_f;
  copy.feature_m = row.feature_m;
  copy.cache = row.cache;
  return copy;
}

struct Seen {
  Segmentation segmentation{};
  Reason reason{};
  SegmentCode from = 0;
  SegmentCode to = 0;
  EventTime at{};
  EventTime since{};
  std::uint32_t seq = 0;
  std::array<SegmentCode, kSegmentationCount> segments{};
  const ModelVersion* version = nullptr;

  friend bool operator==(const Seen&, const Seen&) = default;
};

void collect(TransitionBuffer& buffer, std::vector<Seen>& seen) {
  for (const Transition& t : buffer.transitions)
    seen.push_back({t.segmentation, t.reason, t.from, t.to, t.effective_at(), t.from_since, t.seq,
                    t.segments, t.after.version});
  buffer.clear();
}

// Facts from the ledger's definition, not from the maintained sums.
CustomerFacts plain_facts(const CustomerRow& row, EventTime at, const ModelVersion* version,
                          const Rules& rules) {
  const InvoiceSums sums = row.ledger.recompute(rules, at);
  return {.at = at,
          .first_purchase = sums.first_purchase,
          .last_purchase = sums.last_purchase,
          .frequency = sums.frequency,
          .monetary = sums.purchases - sums.credits,
          .version = version};
}

// Between two transitions the segment is the one that is called for, or dwell holds it; at a
// transition it was not.
class Checker {
 public:
  Checker(const CustomerRow& row, const TimeContext& context, std::vector<Seen> seen)
      : row_(row), context_(context), seen_(std::move(seen)) {}

  void check(Segmentation segmentation, EventTime t) const {
    const auto index = static_cast<std::size_t>(segmentation);
    SegmentState state = row_.segments[index];
    for (const Seen& s : seen_) {
      if (s.segmentation != segmentation || s.at > t) continue;
      state = {.since = s.at, .seq = s.seq, .segment = s.to};
    }
    const CustomerFacts facts =
        plain_facts(row_, t, context_.models.effective_in(epoch_of(t)), context_.rules);
    const SegmentCode wanted = segment_for(segmentation, facts, state.segment, context_.rules);
    if (wanted == state.segment) return;
    const Duration dwell = context_.rules.dwell[index];
    const bool held =
        wanted >= kFirstSegment && state.segment >= kFirstSegment && t < state.since + dwell;
    EXPECT_TRUE(held) << kSegmentationNames[index] << " is " << int{state.segment} << " since "
                      << to_ms(state.since) << ", called for at " << to_ms(t) << ": "
                      << int{wanted};
  }

  // It must not have been called for just before, except at boundaries, where the model changes,
  // and where dwell has held it back until then.
  void check_not_late(const Seen& s) const {
    const auto index = static_cast<std::size_t>(s.segmentation);
    const Duration dwell = context_.rules.dwell[index];
    if (boundary_of(epoch_of(s.at)) == s.at || (dwell.count() > 0 && s.at <= s.since + dwell))
      return;
    const CustomerFacts facts =
        plain_facts(row_, s.at - kMs, context_.models.effective_in(epoch_of(s.at)), context_.rules);
    if (s.segmentation == Segmentation::kChurn) return;
    EXPECT_EQ(segment_for(s.segmentation, facts, s.from, context_.rules), s.from) << to_ms(s.at);
  }

 private:
  const CustomerRow& row_;
  const TimeContext& context_;
  std::vector<Seen> seen_;
};

TEST(AdvanceProperty, AnyStepsGiveTheTransitionsThatBruteForceCallsFor) {
  std::size_t transition_count = 0;
  for (std::uint64_t seed = 0; seed < 500 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    Random random(seed);
    ModelTimeline models;
    fill_timeline(random, models);
    const Rules rules = random_rules(random);
    const TimeContext context{rules, models};
    const EventTime from = random.time(boundary_of(kFirstEpoch + 2), boundary_of(kFirstEpoch + 20));
    const EventTime to = random.time(from, boundary_of(kFirstEpoch + kEpochs) - kMs);
    const CustomerRow start = random_row(random, from, context);

    CustomerRow whole = copy_of(start);
    TransitionBuffer buffer;
    std::vector<Seen> expected;
    advance(whole, from, to, context, buffer);
    collect(buffer, expected);
    transition_count += expected.size();

    CustomerRow stepping = copy_of(start);
    std::vector<Seen> stepped;
    for (EventTime now = from; now < to;) {
      const Duration longest = random.happens(.3) ? Duration{3} : Duration{kEpoch * 3};
      const EventTime next =
          std::min(to, random.happens(.2) ? boundary_of(epoch_of(now) + 1)
                                          : now + Duration{random.between(1, longest.count())});
      if (random.happens(.2)) rebuild_cache(stepping, now, context);  // A restart.
      advance(stepping, now, next, context, buffer);
      collect(buffer, stepped);
      now = next;
    }
    ASSERT_EQ(expected, stepped);
    ASSERT_TRUE(same_state(whole, stepping));
    ASSERT_EQ(whole.ledger.sums(), whole.ledger.recompute(rules, to));

    const Checker checker(start, context, expected);
    for (const Segmentation s : {Segmentation::kCluster, Segmentation::kRfm}) {
      for (int i = 0; i < 60; ++i) checker.check(s, random.time(from, to));
      for (std::int64_t e = epoch_of(from) + 1; boundary_of(e) <= to; ++e) {
        checker.check(s, boundary_of(e));
        if (boundary_of(e) > from) checker.check(s, boundary_of(e) - kMs);
      }
    }
    for (std::int64_t e = epoch_of(from) + 1; boundary_of(e) <= to; ++e)
      checker.check(Segmentation::kChurn, boundary_of(e));
    for (const Seen& s : expected) {
      checker.check(s.segmentation, s.at);
      checker.check_not_late(s);
    }
  }
  EXPECT_GT(transition_count, 1000U);
}

TEST(AdvanceProperty, ARowThatIsQuietAtABoundaryDoesNotChangeUntilTheNext) {
  int quiet_count = 0;
  int loud_count = 0;
  for (std::uint64_t seed = 1000; seed < 1250 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    Random random(seed);
    ModelTimeline models;
    fill_timeline(random, models);
    Rules rules = random_rules(random);
    if (random.happens(.8)) rules.window.reset();
    const TimeContext context{rules, models};
    EventTime now = random.time(boundary_of(kFirstEpoch + 2), boundary_of(kFirstEpoch + 10));
    CustomerRow row = random_row(random, now, context);
    TransitionBuffer buffer;
    for (std::int64_t epoch = epoch_of(now) + 1; epoch < kFirstEpoch + kEpochs - 1; ++epoch) {
      const EventTime boundary = boundary_of(epoch);
      if (row.cache.deadline <= boundary) advance(row, now, boundary - kMs, context, buffer);
      if (row.cache.deadline > boundary && is_quiet_at(row, boundary_step(epoch, context), rules)) {
        ++quiet_count;
        // The row itself goes on without a look, as in a sweep; a copy is taken over the boundary.
        CustomerRow looked_at = copy_of(row);
        TransitionBuffer found;
        advance(looked_at, boundary - kMs, boundary_of(epoch + 1) - kMs, context, found);
        ASSERT_TRUE(found.transitions.empty()) << "epoch " << epoch;
      } else {
        ++loud_count;
        advance(row, boundary - kMs, boundary, context, buffer);
      }
      now = boundary;
      buffer.clear();
    }
  }
  EXPECT_GT(quiet_count, 1000);
  EXPECT_GT(loud_count, 1000);
}

// The facts of one sale, without any model: absolute cuts.
struct OneSale {
  explicit OneSale(Rules r) : rules(std::move(r)) { models.start_at(kFirstEpoch); }

  void buy(EventTime at) {
    apply_invoice(row, {.invoice = {.number_hash = 1, .amount = {500'000}, .time = at}}, at,
                  {rules, models}, buffer);
    bought_at = at;
    buffer.clear();
  }
  std::vector<Seen> advance_to(EventTime to) {
    for (std::int64_t e = models.trained_through() + 1; e <= epoch_of(to); ++e) {
      ModelVersion version;
      version.trained_epoch = e;
      version.unchanged = true;
      models.append(std::make_shared<const ModelVersion>(version));
    }
    advance(row, bought_at, to, {rules, models}, buffer);
    std::vector<Seen> seen;
    collect(buffer, seen);
    return seen;
  }

  Rules rules;
  ModelTimeline models;
  CustomerRow row;
  TransitionBuffer buffer;
  EventTime bought_at{};
};

TEST(Advance, RecencyFallsOneMillisecondAfterTheCut) {
  OneSale customer{Rules{}};
  const EventTime sale = boundary_of(kFirstEpoch) + hours{13} + Duration{17};
  customer.buy(sale);
  const std::vector<Seen> seen = customer.advance_to(sale + hours{24 * 200});
  // R 5: New; 4: Promising; 3: About to Sleep; 2 and 1: Hibernating.
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0].at, sale + hours{24 * 14} + kMs);
  EXPECT_EQ(seen[1].at, sale + hours{24 * 30} + kMs);
  EXPECT_EQ(seen[2].at, sale + hours{24 * 60} + kMs);
  for (const Seen& s : seen) {
    EXPECT_EQ(s.segmentation, Segmentation::kRfm);
    EXPECT_EQ(s.reason, Reason::kInactivity);
  }
}

TEST(Advance, DwellPutsAChangeOffToItsEnd) {
  Rules rules;
  rules.dwell[static_cast<std::size_t>(Segmentation::kRfm)] = hours{24 * 40} + Duration{5};
  OneSale customer{rules};
  const EventTime sale = boundary_of(kFirstEpoch) + hours{1};
  customer.buy(sale);
  const std::vector<Seen> seen = customer.advance_to(sale + hours{24 * 100});
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].at, sale + hours{24 * 40} + Duration{5});
  EXPECT_EQ(seen[1].at, seen[0].at + hours{24 * 40} + Duration{5});
}

TEST(Advance, TheLastInvoiceThatLeavesTheWindowTakesTheCustomerOutOfAllSegments) {
  Rules rules;
  rules.window = hours{24 * 10};
  OneSale customer{rules};
  const EventTime sale = boundary_of(kFirstEpoch) + hours{1};
  customer.buy(sale);
  const std::vector<Seen> seen = customer.advance_to(sale + hours{24 * 20});
  ASSERT_EQ(seen.size(), 3U);
  for (const Seen& s : seen) {
    EXPECT_EQ(s.at, sale + hours{24 * 10} + kMs);
    EXPECT_EQ(s.to, kNoSegmentCode);
  }
}

TEST(Advance, AnInstantOnABoundaryBelongsToTheTimeBeforeIt) {
  OneSale customer{Rules{}};
  // R falls exactly at a boundary: as a deadline, so by inactivity and under the old version.
  const EventTime sale = boundary_of(kFirstEpoch + 1) - kMs;
  customer.buy(sale);
  const std::vector<Seen> seen = customer.advance_to(sale + hours{24 * 14} + kMs);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].at, boundary_of(kFirstEpoch + 15));
  EXPECT_EQ(seen[0].reason, Reason::kInactivity);
}

TEST(Advance, ALateInvoiceIsEvaluatedAtTheClockOfItsRow) {
  OneSale customer{Rules{}};
  const EventTime sale = boundary_of(kFirstEpoch) + hours{1};
  customer.buy(sale);
  customer.advance_to(sale + hours{24 * 2});
  const EventTime now = sale + hours{24 * 2};
  TransitionBuffer buffer;
  const InvoiceFact late{
      .invoice = {.number_hash = 2, .amount = {90'000'000}, .time = sale - hours{1}}};
  EXPECT_EQ(apply_invoice(customer.row, late, now, {customer.rules, customer.models}, buffer),
            LedgerOutcome::kApplied);
  ASSERT_EQ(buffer.transitions.size(), 1U);
  EXPECT_EQ(buffer.transitions[0].reason, Reason::kLateEvent);
  EXPECT_EQ(buffer.transitions[0].effective_at(), now);
  EXPECT_EQ(customer.row.clock, now);
}

}  // namespace
}  // namespace rfm
