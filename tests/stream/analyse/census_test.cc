// Goal: a census is what adding up the customers' invoices by hand gives, in whatever order and in
// however many parts they are counted.
// Method: random customers; the definitions once more, over the invoices as they were given.
#include "stream/analyse/census.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "state/segmenter.h"
#include "stream/analyse/churn_forecasts.h"
#include "stream/analyse/cluster_sample.h"
#include "stream/analyse/customer_view.h"
#include "tests/stream/analyse/census_cases.h"

namespace rfm {
namespace {

constexpr int kCustomers = 60;

struct Oracle {
  std::vector<Purchase> purchases;  // By time.
  std::vector<BookedAmount> bookings;
};

Oracle oracle_of(const std::vector<LedgerInvoice>& invoices) {
  Oracle oracle;
  for (const LedgerInvoice& invoice : invoices) {
    if (invoice.is_void) continue;
    if (invoice.type == InvoiceType::kCredit) {
      const bool of_void = std::ranges::any_of(invoices, [&](const LedgerInvoice& other) {
        return other.type == InvoiceType::kInvoice && other.is_void &&
               other.number_hash == invoice.original_hash;
      });
      if (!of_void) oracle.bookings.push_back({invoice.time, -magnitude(invoice.amount)});
      continue;
    }
    oracle.bookings.push_back({invoice.time, invoice.amount});
    Money named;
    bool any = false;
    for (const LedgerInvoice& credit : invoices) {
      if (credit.type != InvoiceType::kCredit || credit.is_void ||
          credit.original_hash != invoice.number_hash)
        continue;
      named = named + magnitude(credit.amount);
      any = true;
    }
    if (invoice.amount >= Money{} && (!any || named < invoice.amount))
      oracle.purchases.push_back({invoice.time, invoice.amount - named});
  }
  std::ranges::sort(oracle.purchases, {},
                    [](const Purchase& p) { return std::pair(p.time, p.value); });
  return oracle;
}

Money year_spend(const Oracle& oracle) {
  Money sum;
  for (const BookedAmount& booking : oracle.bookings) {
    if (booking.time > kCensusAt - std::chrono::hours{24 * 365} && booking.time <= kCensusAt)
      sum = sum + booking.amount;
  }
  return sum;
}

Census counted(const CensusCases& cases, const CensusOptions& options = {}) {
  Census census(cases.rules(), options);
  for (const CensusCustomer& customer : cases.all()) cases.add_to(census, customer);
  return census;
}

// Everything that a census tells, as text.
std::string told(const Census& census, const ModelVersion& version) {
  std::string text = fmt::format("as of {}\n", to_ms(census.as_of()));
  const auto out = std::back_inserter(text);
  const Rules& rules = census.rules();
  for (std::size_t s = 0; s < rules.segmentations.size(); ++s) {
    for (const auto& [code, sums] : census.segments().of(rules, s)) {
      fmt::format_to(out, "{} {}: {} {} {} {} {} {} {} {}\n", s, code, sums.customers,
                     sums.monetary.units, sums.orders, sums.buyers, sums.recency_ms, sums.scored,
                     sums.risk, sums.value_at_risk.units);
    }
    for (const SegmentCountry& row : census.segments().countries(rules, s)) {
      fmt::format_to(out, "{} {} {}: {} {}\n", s, row.segment, row.country, row.customers,
                     row.monetary.units);
    }
    for (const GridCell& cell : census.grid(s, version).cells) {
      fmt::format_to(out, "cell {} {}: {} {} {}\n", fmt::join(cell.scores, " "),
                     fmt::join(cell.segments, " "), cell.customers, cell.monetary.units,
                     cell.monetary_median.units);
    }
  }
  for (const Cohort& cohort : census.cohorts().all()) {
    fmt::format_to(out, "cohort {} {}\n", month_text(cohort.month), cohort.customers);
    for (const CohortMonth& month : cohort.months)
      fmt::format_to(out, " {} {} {}\n", month.month, month.buyers, month.revenue.units);
  }
  fmt::format_to(out, "without purchase {}\n", census.cohorts().without_purchase().units);
  for (const LostMonth& month : census.lost().all())
    fmt::format_to(out, "{} lost {} regained {}\n", month.month, month.lost, month.regained);
  for (const SpendsLess& less : census.spends_less().sorted()) {
    fmt::format_to(out, "{} less {} {} {} {}\n", less.customer_id, less.frequency, less.newer,
                   less.value_before.units, less.value.units);
  }
  fmt::format_to(out, "less {} {}\n", census.spends_less().customers(),
                 census.spends_less().missing().units);
  for (const RiskBin& bin : census.risk())
    fmt::format_to(out, "risk {} {}\n", bin.customers, bin.value_at_risk.units);
  for (const RiskOutcome& bin : census.calibration())
    fmt::format_to(out, "calibrated {} {} {}\n", bin.customers, bin.risk, bin.gone);
  for (const TopCustomers* top :
       {&census.best_by_monetary(), &census.best_by_frequency(), &census.most_at_risk()}) {
    for (const ListedCustomer& customer : top->sorted())
      fmt::format_to(out, "top {} {}\n", customer.id, fmt::join(customer.segments, " "));
  }
  for (const ConcentrationPoint& point : census.population().concentration(7))
    fmt::format_to(out, "first {} bring {}\n", point.customers, point.monetary.units);
  for (const OverallScoreRow& row : census.population().natural_tables(4).overall) {
    fmt::format_to(out, "overall {} {} {:a} {:a} {:a}\n", row.score, row.customers,
                   row.recency_days, row.frequency, row.monetary);
  }
  return text;
}

TEST(Census, IsTheSameInAnyOrderAndInAnyParts) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    const CensusCases cases(seed, kCustomers);
    const CensusOptions options{.top_max = 7,
                                .spends_less = {.orders_min = 3, .listed_max = 5},
                                .past_model = &cases.version()};
    const Census whole = counted(cases, options);
    std::vector<const CensusCustomer*> order;
    for (const CensusCustomer& customer : cases.all()) order.push_back(&customer);
    std::mt19937_64 random(seed);
    std::ranges::shuffle(order, random);
    std::vector<Census> parts(3, Census(cases.rules(), options));
    for (const CensusCustomer* customer : order) cases.add_to(parts[random() % 3], *customer);
    std::ranges::shuffle(parts, random);
    Census merged(cases.rules(), options);
    for (const Census& part : parts) merged.merge(part);
    ASSERT_EQ(told(merged, cases.version()), told(whole, cases.version()));
  }
}

TEST(Census, AddsUpEachSegment) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    const CensusCases cases(seed, kCustomers);
    const Census census = counted(cases);
    for (std::size_t s = 0; s < cases.rules().segmentations.size(); ++s) {
      std::map<SegmentCode, ProfileSums> expected;
      std::map<std::pair<std::string, SegmentCode>, std::int64_t> countries;
      for (const auto& [row, invoices] : cases.all()) {
        const CustomerFacts facts = cases.facts(row);
        ProfileSums& sums = expected[row.segments[s].segment];
        ++sums.customers;
        sums.monetary = sums.monetary + facts.monetary;
        const Oracle oracle = oracle_of(invoices);
        sums.orders += static_cast<std::int64_t>(oracle.purchases.size());
        if (!oracle.purchases.empty()) {
          ++sums.buyers;
          sums.recency_ms += (kCensusAt - oracle.purchases.back().time).count();
        }
        if (const std::optional<double> risk = churn_risk_of(facts)) {
          ++sums.scored;
          const auto units = static_cast<std::int64_t>(*risk * 1e9 + .5);
          sums.risk += units;
          sums.value_at_risk = sums.value_at_risk + value_at_risk_of(units, year_spend(oracle));
        }
        ++countries[{row.country, row.segments[s].segment}];
      }
      const std::vector<SegmentProfile> profiles = census.segments().of(cases.rules(), s);
      ASSERT_EQ(profiles.size(), expected.size());
      for (const SegmentProfile& profile : profiles)
        ASSERT_EQ(profile.sums, expected[profile.segment]);
      for (const SegmentCountry& row : census.segments().countries(cases.rules(), s))
        ASSERT_EQ(row.customers, (countries[{row.country, row.segment}]));
    }
  }
}

TEST(Census, PutsCustomersIntoTheMonthOfTheirFirstPurchase) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    const CensusCases cases(seed, kCustomers);
    std::map<CalendarMonth, std::int64_t> customers;
    std::map<std::pair<CalendarMonth, CalendarMonth>, std::set<std::string>> buyers;
    std::map<std::pair<CalendarMonth, CalendarMonth>, Money> revenue;
    Money without;
    for (const auto& [row, invoices] : cases.all()) {
      const Oracle oracle = oracle_of(invoices);
      if (oracle.purchases.empty()) {
        for (const BookedAmount& booking : oracle.bookings) without = without + booking.amount;
        continue;
      }
      const CalendarMonth first = calendar_month_of(oracle.purchases.front().time);
      ++customers[first];
      for (const Purchase& purchase : oracle.purchases)
        buyers[{first, calendar_month_of(purchase.time)}].insert(row.id);
      for (const BookedAmount& booking : oracle.bookings) {
        Money& sum = revenue[{first, std::max(first, calendar_month_of(booking.time))}];
        sum = sum + booking.amount;
      }
    }
    const Census census = counted(cases);
    EXPECT_EQ(census.cohorts().without_purchase(), without);
    std::size_t cells = 0;
    for (const Cohort& cohort : census.cohorts().all()) {
      ASSERT_EQ(cohort.customers, customers[cohort.month]);
      customers.erase(cohort.month);
      for (const CohortMonth& month : cohort.months) {
        ASSERT_EQ(month.buyers,
                  static_cast<std::int64_t>(buyers[{cohort.month, month.month}].size()));
        ASSERT_EQ(month.revenue, (revenue[{cohort.month, month.month}]));
        ++cells;
      }
    }
    EXPECT_TRUE(customers.empty());
    EXPECT_EQ(cells, std::max(buyers.size(), revenue.size()));
  }
}

TEST(Census, FindsThoseWhoSpendLess) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    const CensusCases cases(seed, kCustomers);
    std::set<std::string> expected;
    for (const auto& [row, invoices] : cases.all()) {
      const std::vector<Purchase> purchases = oracle_of(invoices).purchases;
      if (purchases.size() < 6) continue;
      double before = 0;
      double after = 0;
      const std::size_t half = purchases.size() / 2;
      for (std::size_t i = 0; i < purchases.size(); ++i)
        (i < half ? before : after) += static_cast<double>(purchases[i].value.units);
      const double rest = static_cast<double>(purchases.size() - half);
      if (after / rest < before / static_cast<double>(half) - 1) expected.insert(row.id);
    }
    std::set<std::string> found;
    for (const SpendsLess& less : counted(cases).spends_less().sorted()) {
      EXPECT_LT(less.order_value(), less.order_value_before());
      found.insert(less.customer_id);
    }
    EXPECT_EQ(found, expected);
  }
}

TEST(Census, PutsEveryBuyerIntoOneCellAndOneRiskBin) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    const CensusCases cases(seed, kCustomers);
    const Census census = counted(cases);
    for (std::size_t s = 0; s < cases.rules().segmentations.size(); ++s) {
      const Segmentation& segmentation = cases.rules().segmentations[s];
      std::map<std::vector<int>, std::vector<std::int64_t>> expected;
      for (const auto& [row, invoices] : cases.all()) {
        const CustomerFacts facts = cases.facts(row);
        const std::optional<AxisScores> scores = Segmenter(cases.rules(), s).scores(facts);
        if (!scores) continue;
        expected[{scores->begin(), scores->begin() + std::ssize(segmentation.axes())}].push_back(
            facts.monetary.units);
      }
      for (const GridCell& cell : census.grid(s, cases.version()).cells) {
        std::vector<std::int64_t> money = expected[cell.scores];
        std::ranges::sort(money);
        ASSERT_EQ(cell.customers, std::ssize(money));
        ASSERT_EQ(cell.segments.size(), 1U);
        expected.erase(cell.scores);
        if (money.size() % 2 == 1) {
          ASSERT_EQ(cell.monetary_median.units, money[money.size() / 2]);
        }
      }
      EXPECT_TRUE(expected.empty());
    }
    std::int64_t scored = 0;
    for (const RiskBin& bin : census.risk()) scored += bin.customers;
    EXPECT_EQ(scored, census.segments().all().scored);
  }
}

TEST(Census, TellsWhatCameOfTheRiskThatWasForetold) {
  const EventTime then = kCensusAt - std::chrono::days{90};
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    const CensusCases cases(seed, kCustomers);
    const Census census = counted(cases, {.spends_less = {}, .past_model = &cases.version()});
    std::int64_t known = 0;
    std::int64_t gone = 0;
    for (const auto& [row, invoices] : cases.all()) {
      const std::vector<Purchase> purchases = oracle_of(invoices).purchases;
      if (!cases.version().churn || purchases.empty() || purchases.front().time >= then) continue;
      ++known;
      if (purchases.back().time < then) ++gone;
    }
    RiskOutcome all;
    for (std::size_t i = 0; i < census.calibration().size(); ++i) {
      const RiskOutcome& bin = census.calibration()[i];
      all.customers += bin.customers;
      all.gone += bin.gone;
      const double low = static_cast<double>(i) / kOutcomeBins * kRiskUnits;
      EXPECT_GE(static_cast<double>(bin.risk) + 1, low * static_cast<double>(bin.customers));
      EXPECT_LE(static_cast<double>(bin.risk),
                (low + kRiskUnits / kOutcomeBins) * static_cast<double>(bin.customers) + 1);
    }
    EXPECT_EQ(all.customers, known);
    EXPECT_EQ(all.gone, gone);
    EXPECT_EQ(counted(cases).calibration(), RiskOutcomes{});
  }
}

TEST(ChurnForecasts, JudgeEachModelByThe90DaysAfterIt) {
  constexpr std::chrono::days kHorizon{90};
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    CensusCases cases(seed, kCustomers);
    std::vector<PastChurnModel> models;
    for (const int days : {400, 200, 90, 89})
      models.push_back({kCensusAt - std::chrono::days{days}, random_churn(cases.random())});
    ChurnForecasts whole(models, kCustomers);
    // The second lane has not heard of the last models yet.
    std::vector<ChurnForecasts> parts{ChurnForecasts(models, kCustomers),
                                      ChurnForecasts(std::span(models).first(2), kCustomers)};
    for (const auto& [row, invoices] : cases.all()) {
      whole.add(row, cases.facts(row), cases.rules());
      parts[row.id_hash % 2].add(row, cases.facts(row), cases.rules());
    }
    parts[0].merge(parts[1]);
    const std::vector<ChurnForecast> figures = whole.figures();
    ASSERT_EQ(figures.size(), 3);  // The 90 days of the last one are not over.
    for (std::size_t i = 0; i < figures.size(); ++i) {
      const EventTime at = models[i].at;
      std::vector<ScoredOutcome> outcomes;
      double gone = 0;
      for (const auto& [row, invoices] : cases.all()) {
        const Oracle oracle = oracle_of(invoices);
        const auto in = [](EventTime from, EventTime to) {
          return [=](const Purchase& p) { return p.time >= from && p.time < to; };
        };
        const auto before = std::ranges::count_if(oracle.purchases, in(kBeforeAll, at));
        if (before == 0) continue;
        Money monetary;
        for (const BookedAmount& booking : oracle.bookings) {
          if (booking.time < at &&
              (cases.rules().monetary == MonetaryKind::kNet || booking.amount > Money{}))
            monetary = monetary + booking.amount;
        }
        const auto days = [&](EventTime time) {
          return static_cast<double>((at - time).count()) / static_cast<double>(kDayMs);
        };
        const auto newest = static_cast<std::size_t>(before) - 1;
        ChurnInput input{
            .recency_days = days(oracle.purchases[newest].time),
            .frequency = static_cast<double>(before),
            .monetary = static_cast<double>(monetary.units) / Money::kUnitsPerCurrencyUnit,
            .age_days = days(oracle.purchases.front().time)};
        input.gap_days = purchase_gap_days(input.age_days, input.recency_days, input.frequency);
        outcomes.push_back({churn_risk(models[i].model, input),
                            std::ranges::none_of(oracle.purchases, in(at, at + kHorizon))});
        gone += outcomes.back().happened ? 1 : 0;
      }
      EXPECT_EQ(figures[i].at, at);
      EXPECT_EQ(figures[i].customers, outcomes.size());
      EXPECT_DOUBLE_EQ(figures[i].gone_share, gone / static_cast<double>(outcomes.size()));
      EXPECT_EQ(figures[i].auc, area_under_roc(outcomes));
      EXPECT_NEAR(figures[i].brier, brier_score(outcomes), 1e-12);
      EXPECT_NEAR(figures[i].ece, expected_calibration_error(calibration_bins(outcomes, 10)),
                  1e-12);
      if (i < 2) {
        EXPECT_EQ(parts[0].figures()[i].customers, outcomes.size());
        EXPECT_EQ(parts[0].figures()[i].auc, figures[i].auc);
      }
    }
  }
}

TEST(ClusterSample, HasEachBuyerAsHeWas) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    const CensusCases cases(seed, kCustomers);
    ClusterSample whole(kCensusAt);
    std::vector<ClusterSample> parts(2, ClusterSample(kCensusAt));
    std::map<std::uint64_t, CustomerFacts> buyers;
    std::vector<std::size_t> earlier(ClusterSample::kWeeks);
    for (const auto& [row, invoices] : cases.all()) {
      const CustomerFacts facts = cases.facts(row);
      whole.add(row, facts, cases.rules());
      parts[row.id_hash % 2].add(row, facts, cases.rules());
      if (facts.frequency > 0) buyers[row.id_hash] = facts;
      const std::vector<Purchase> purchases = oracle_of(invoices).purchases;
      for (int week = 0; week < ClusterSample::kWeeks; ++week) {
        const EventTime at = kCensusAt - std::chrono::days{7 * (ClusterSample::kWeeks - week)};
        if (!purchases.empty() && purchases.front().time < at)
          ++earlier[static_cast<std::size_t>(week)];
      }
    }
    parts[0].merge(parts[1]);
    const std::vector<RefitSample> samples = whole.samples();
    for (std::size_t i = 0; i < samples.size(); ++i) {
      EXPECT_EQ(samples[i].rows, parts[0].samples()[i].rows);
      if (i < earlier.size()) {
        EXPECT_EQ(samples[i].rows.size(), earlier[i]);
      }
    }
    ASSERT_EQ(samples.back().rows.size(), buyers.size());
    for (const SampleRow& row : samples.back().rows) {
      const CustomerFacts& facts = buyers.at(row.id_hash);
      EXPECT_EQ(row.frequency, facts.frequency);
      EXPECT_EQ(row.monetary, facts.monetary.units);
      EXPECT_EQ(row.first_purchase_ms, to_ms(facts.first_purchase));
      EXPECT_EQ(row.last_purchase_ms, to_ms(facts.last_purchase));
    }
  }
}

}  // namespace
}  // namespace rfm
