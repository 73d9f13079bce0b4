// Goal: time changes a customer at exact instants, however often and in whatever steps it is asked.
// Method: random customers, segmentations and models. One long `advance` against many short ones
// with restarts in between; without damping every span between two transitions against what is
// called for at sampled instants and both of its ends; with it, what damping forbids must not be
// seen.
#include "state/advance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>

#include "model/cluster_names.h"
#include "model/nearest_centroid.h"
#include "state/damping.h"
#include "state/epoch.h"
#include "state/evaluation.h"
#include "state/segmenter.h"
#include "tests/state/random_models.h"

namespace rfm {
namespace {

using std::chrono::hours;

struct Seen {
  std::size_t segmentation = 0;
  Reason reason{};
  Direction direction{};
  SegmentCode from = 0;
  SegmentCode to = 0;
  EventTime at{};
  EventTime since{};
  std::uint32_t seq = 0;
  const ModelVersion* version = nullptr;

  friend bool operator==(const Seen&, const Seen&) = default;
};

void collect(TransitionBuffer& buffer, std::vector<Seen>& seen) {
  for (const Transition& t : buffer.transitions)
    seen.push_back({t.segmentation, t.reason, t.direction, t.from, t.to, t.effective_at(),
                    t.from_since, t.seq, t.after.version});
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

// Without damping, between two transitions the segment is the one that is called for; at a
// transition it was not.
class Checker {
 public:
  Checker(const CustomerRow& row, const TimeContext& context, std::vector<Seen> seen)
      : row_(row), context_(context), seen_(std::move(seen)) {}

  void check(std::size_t segmentation, EventTime t) const {
    SegmentCode segment = row_.segments[segmentation].segment;
    for (const Seen& s : seen_) {
      if (s.segmentation == segmentation && s.at <= t) segment = s.to;
    }
    // Between boundaries the risk is not asked.
    if (context_.rules.segmentations[segmentation].follows_risk() && t != boundary_of(epoch_of(t)))
      return;
    const ModelVersion* version = context_.models.effective_in(epoch_of(t));
    const CustomerFacts facts = plain_facts(row_, t, version, context_.rules);
    // A cluster's hysteresis is asked by what is next from it: all its path is in the transitions.
    const Segmenter segmenter(context_.rules, segmentation);
    if (segmenter.segmentation().is_cluster()) return;
    EXPECT_EQ(segmenter.segment_of(segmenter.call_at_change(facts, {}), *version), segment)
        << segmenter.segmentation().name() << " at " << to_ms(t);
  }

  // It must not have been called for just before, except at boundaries, where the model changes.
  void check_not_late(const Seen& s) const {
    const Segmenter segmenter(context_.rules, s.segmentation);
    if (boundary_of(epoch_of(s.at)) == s.at || segmenter.segmentation().follows_risk()) return;
    const ModelVersion* version = context_.models.effective_in(epoch_of(s.at));
    const CustomerFacts facts = plain_facts(row_, s.at - kMs, version, context_.rules);
    if (segmenter.segmentation().is_cluster()) return;
    EXPECT_EQ(segmenter.segment_of(segmenter.call_at_change(facts, {}), *version), s.from)
        << to_ms(s.at);
  }

 private:
  const CustomerRow& row_;
  const TimeContext& context_;
  std::vector<Seen> seen_;
};

// What damping promises of transitions that no event causes.
void check_damping(const std::vector<Seen>& seen, const Rules& rules) {
  for (const Seen& s : seen) {
    const SegmentationSpec& spec = rules.segmentations[s.segmentation].spec();
    if (s.from < kFirstSegment || s.to < kFirstSegment) continue;
    EXPECT_FALSE(spec.guard && s.reason == Reason::kInactivity && s.direction == Direction::kUp);
    const bool lost = segment_info(rules.segmentations[s.segmentation], s.to).lost;
    if (s.reason == Reason::kInactivity && lost) continue;
    EXPECT_GE(s.at, s.since + Duration{spec.stay_ms});
  }
}

void check_steps(std::uint64_t seed, Damping damping, std::size_t& transition_count) {
  Random random(seed);
  const Rules rules = random_rules(random, damping);
  ModelTimeline models;
  fill_timeline(random, rules, models);
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

  check_damping(expected, rules);
  if (damping != Damping::kOff) return;
  const Checker checker(start, context, expected);
  for (std::size_t s = 0; s < rules.segmentations.size(); ++s) {
    const bool follows_risk = rules.segmentations[s].follows_risk();
    for (int i = 0; i < 60 && !follows_risk; ++i) checker.check(s, random.time(from, to));
    for (std::int64_t e = epoch_of(from) + 1; boundary_of(e) <= to; ++e) {
      checker.check(s, boundary_of(e));
      if (boundary_of(e) > from && !follows_risk) checker.check(s, boundary_of(e) - kMs);
    }
  }
  for (const Seen& s : expected) {
    checker.check(s.segmentation, s.at);
    checker.check_not_late(s);
  }
}

TEST(AdvanceProperty, AnyStepsGiveTheTransitionsThatBruteForceCallsFor) {
  std::size_t transition_count = 0;
  for (std::uint64_t seed = 0; seed < 400 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    check_steps(seed, Damping::kOff, transition_count);
  }
  EXPECT_GT(transition_count, 1000U);
}

TEST(AdvanceProperty, AnyStepsGiveTheSameDampedTransitions) {
  std::size_t transition_count = 0;
  for (std::uint64_t seed = 0; seed < 600 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    check_steps(seed, Damping::kRandom, transition_count);
  }
  EXPECT_GT(transition_count, 1000U);
}

TEST(AdvanceProperty, ARowThatIsQuietAtABoundaryDoesNotChangeUntilTheNext) {
  int quiet_count = 0;
  int loud_count = 0;
  for (std::uint64_t seed = 1000; seed < 1250 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    Random random(seed);
    Rules rules = random_rules(random, random.happens(.5) ? Damping::kRandom : Damping::kOff);
    if (random.happens(.8)) rules.window.reset();
    ModelTimeline models;
    fill_timeline(random, rules, models);
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
        ASSERT_TRUE(same_state(row, looked_at)) << "epoch " << epoch;
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
  explicit OneSale(Rules r) : rules(std::move(r)) {
    models.start_at(kFirstEpoch);
    row.segments.resize(rules.segmentations.size());
  }

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

std::string name_of(const Rules& rules, std::size_t segmentation, SegmentCode code) {
  return segment_info(rules.segmentations[segmentation], code).name;
}

TEST(Advance, RecencyFallsOneMillisecondAfterTheCut) {
  OneSale customer{Rules{}};
  const EventTime sale = boundary_of(kFirstEpoch) + hours{13} + Duration{17};
  customer.buy(sale);
  const std::vector<Seen> seen = customer.advance_to(sale + hours{24 * 200});
  // R 5 and 4: New; 3: About to Sleep; 2 and 1: Hibernating.
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0].at, sale + hours{24 * 30} + kMs);
  EXPECT_EQ(name_of(customer.rules, seen[0].segmentation, seen[0].to), "Promising");
  EXPECT_EQ(seen[1].at, sale + hours{24 * 60} + kMs);
  EXPECT_EQ(seen[2].at, sale + hours{24 * 90} + kMs);
  for (const Seen& s : seen) {
    EXPECT_EQ(customer.rules.segmentations[s.segmentation].name(), "rfm");
    EXPECT_EQ(s.reason, Reason::kInactivity);
  }
}

// The rules with other damping of `rfm`.
template <class Change>
Rules rules_with(Change&& change) {
  SegmentationSpec spec = *find_preset("rfm");
  for (SegmentInfo& info : spec.segments) info.actions.clear();  // They look at `churn`.
  change(spec);
  Rules rules;
  rules.segmentations = *Segmentations::create({spec});
  rules.precedence = precedence_of({}, rules.segmentations);
  return rules;
}

TEST(Advance, AStayPutsAChangeOffToItsEndButNotAFallToALostSegment) {
  OneSale customer{rules_with([](SegmentationSpec& spec) {
    spec.stay_ms = Duration{hours{24 * 40} + Duration{5}}.count();
  })};
  const EventTime sale = boundary_of(kFirstEpoch) + hours{1};
  customer.buy(sale);
  const std::vector<Seen> seen = customer.advance_to(sale + hours{24 * 100});
  // Promising is called for after 30 days, About to Sleep after 60, Hibernating, lost, after 90.
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0].at, sale + hours{24 * 40} + Duration{5});
  EXPECT_EQ(seen[1].at, seen[0].at + hours{24 * 40} + Duration{5});
  EXPECT_EQ(seen[2].at, sale + hours{24 * 90} + kMs);
}

// R and M of two scores each; the model has the cuts.
Rules rules_of_two_axes() {
  SegmentationSpec spec;
  spec.name = "one";
  spec.axes = {{.name = "r",
                .cuts = {.quantity = Quantity::kRecency, .bins = 2, .bounds = {}, .fixed = {1}},
                .margin = .1},
               {.name = "m",
                .cuts = {.quantity = Quantity::kMonetary, .bins = 2, .bounds = {}, .fixed = {1}}}};
  const auto segment = [&](std::string name, int r, int m, bool lost) {
    spec.map.push_back({name, {{"r", r, r}, {"m", m, m}}});
    spec.segments.push_back({.name = std::move(name),
                             .rank = 2 * r + m,
                             .description = "",
                             .actions = {},
                             .lost = lost});
  };
  segment("gone", 1, 1, true);
  segment("slipping", 1, 2, false);
  segment("low", 2, 1, false);
  segment("high", 2, 2, false);
  spec.stay_ms = Duration{hours{24 * 60}}.count();
  Rules rules;
  rules.segmentations = *Segmentations::create({spec});
  rules.precedence = precedence_of({}, rules.segmentations);
  return rules;
}

struct TwoCuts {
  int recency_days = 0;
  std::int64_t spend = 0;
};

// What becomes within 100 days of one sale of 10.00 a day after `old` took effect, where `later`
// does 20 days after.
std::vector<Seen> seen_under(const TwoCuts& old, const TwoCuts& later) {
  OneSale customer{rules_of_two_axes()};
  const auto append = [&](std::int64_t epoch, const TwoCuts& cuts) {
    ModelVersion version;
    version.trained_epoch = epoch;
    version.cuts_changed = true;
    version.cuts = {
        {Quantity::kRecency, CutMethod::kQuantile, 2, {kEpoch.count() * cuts.recency_days}},
        {Quantity::kMonetary, CutMethod::kQuantile, 2, {cuts.spend}}};
    customer.models.append(std::make_shared<const ModelVersion>(version));
  };
  append(kFirstEpoch, old);
  const EventTime sale = boundary_of(kFirstEpoch + 1) + hours{1};
  apply_invoice(customer.row, {.invoice = {.number_hash = 1, .amount = {100'000}, .time = sale}},
                sale, {customer.rules, customer.models}, customer.buffer);
  customer.bought_at = sale;
  customer.buffer.clear();
  std::vector<Seen> seen = customer.advance_to(boundary_of(kFirstEpoch + 20) - kMs);
  append(kFirstEpoch + 20, later);
  customer.bought_at = boundary_of(kFirstEpoch + 20) - kMs;
  const std::vector<Seen> after = customer.advance_to(boundary_of(kFirstEpoch + 101));
  seen.insert(seen.end(), after.begin(), after.end());
  return seen;
}

TEST(Advance, ACutThatLetsASilentCustomerFallToALostSegmentIsInactivity) {
  // At the boundary silence is just below 20 days: past the earlier cut with its margin.
  const std::vector<Seen> seen =
      seen_under({.recency_days = 30, .spend = 200'000}, {.recency_days = 17, .spend = 200'000});
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].at, boundary_of(kFirstEpoch + 21)) << "no stay";
  EXPECT_EQ(seen[0].reason, Reason::kInactivity);
}

TEST(Advance, ACutOfSpendThatLetsASilentCustomerFallToALostSegmentIsNot) {
  const std::vector<Seen> seen =
      seen_under({.recency_days = 15, .spend = 50'000}, {.recency_days = 15, .spend = 200'000});
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].reason, Reason::kPopulationShift);
  EXPECT_EQ(seen[0].at, boundary_of(kFirstEpoch + 1) + hours{24 * 60 + 1}) << "after the stay";
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
  const std::vector<Seen> seen = customer.advance_to(sale + hours{24 * 30} + kMs);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].at, boundary_of(kFirstEpoch + 31));
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
