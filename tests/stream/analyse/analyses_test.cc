// Goal: the rules of each analysis where they are least obvious.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "stream/analyse/census.h"
#include "stream/analyse/churn_forecasts.h"
#include "stream/text/time_text.h"
#include "tests/stream/analyse/census_cases.h"

namespace rfm {
namespace {

EventTime at(const std::string& text) { return *TimeReader(std::chrono::minutes{0}).read(text); }

class OneCustomer {
 public:
  void buys(const std::string& time, std::int64_t units) {
    put({.number_hash = ++number_, .amount = {units}, .time = at(time)});
  }
  void gives_back(const std::string& time, std::int64_t units) {
    put({.number_hash = ++number_,
         .amount = {units},
         .time = at(time),
         .type = InvoiceType::kCredit});
  }
  Census census(const std::string& as_of) {
    row_.segments.resize(rules_.segmentations.size());
    Census census(rules_, {});
    census.add(row_, facts_of(row_, rules_, &version_, at(as_of)), rules_);
    return census;
  }
  Rules& rules() { return rules_; }
  CustomerRow& row() { return row_; }

 private:
  void put(const LedgerInvoice& invoice) {
    EXPECT_EQ(row_.ledger.put(invoice, rules_, invoice.time), LedgerOutcome::kApplied);
  }

  Rules rules_;
  ModelVersion version_;
  CustomerRow row_;
  std::uint64_t number_ = 0;
};

using LostMonths = std::vector<LostMonth>;

TEST(LostCustomers, AreBookedOnTheir90thDayAndRegainedByThePurchaseAfterIt) {
  OneCustomer customer;
  customer.buys("2011-01-01T10:00:00Z", 10'000);
  EXPECT_EQ(customer.census("2011-04-01T09:59:59Z").lost().all(), LostMonths{});
  EXPECT_EQ(customer.census("2011-04-01T10:00:00Z").lost().all(),
            (LostMonths{{calendar_month_of(at("2011-04-01T00:00:00Z")), 1, 0}}));
  customer.buys("2011-06-03T00:00:00Z", 10'000);
  const CalendarMonth april = calendar_month_of(at("2011-04-01T00:00:00Z"));
  EXPECT_EQ(customer.census("2011-06-04T00:00:00Z").lost().all(),
            (LostMonths{{april, 1, 0}, {april + 1, 0, 0}, {april + 2, 0, 1}}));
}

TEST(LostCustomers, AreNotThoseWhoBuyOnThe90thDay) {
  OneCustomer customer;
  customer.buys("2011-01-01T10:00:00Z", 10'000);
  customer.buys("2011-04-01T10:00:00Z", 10'000);
  EXPECT_EQ(customer.census("2011-05-01T00:00:00Z").lost().all(), LostMonths{});
}

TEST(Cohorts, TakeACreditBeforeTheFirstPurchaseIntoTheFirstMonth) {
  OneCustomer customer;
  customer.gives_back("2011-01-10T00:00:00Z", 3'000);
  customer.buys("2011-02-10T00:00:00Z", 10'000);
  customer.gives_back("2011-04-10T00:00:00Z", 1'000);
  const std::vector<Cohort> cohorts = customer.census("2011-05-01T00:00:00Z").cohorts().all();
  ASSERT_EQ(cohorts.size(), 1U);
  const CalendarMonth february = calendar_month_of(at("2011-02-01T00:00:00Z"));
  EXPECT_EQ(cohorts[0], (Cohort{.month = february,
                                .customers = 1,
                                .months = {{february, 1, {7'000}}, {february + 2, 0, {-1'000}}}}));
}

TEST(LedgerHistory, KeepsTheSumOfWhatWasFolded) {
  OneCustomer customer;
  customer.rules().ledger_entries_max = 4;
  for (int month = 1; month <= 9; ++month)
    customer.buys("2011-0" + std::to_string(month) + "-05T00:00:00Z", 10'000 * month);
  ASSERT_GT(customer.row().ledger.folded().count, 0U);
  const Census census = customer.census("2011-09-10T00:00:00Z");
  const std::vector<Cohort> cohorts = census.cohorts().all();
  ASSERT_EQ(cohorts.size(), 1U);
  EXPECT_EQ(month_text(cohorts[0].month), "2011-01");
  Money revenue;
  for (const CohortMonth& month : cohorts[0].months) {
    EXPECT_EQ(month.buyers, 1);
    revenue = revenue + month.revenue;
  }
  EXPECT_EQ(cohorts[0].months.size(), 9U);
  EXPECT_EQ(revenue, Money{450'000});
  EXPECT_EQ(census.lost().all(), LostMonths{});
}

TEST(SegmentProfiles, FindASegmentOfOlderRulesByItsName) {
  Rules older;
  SegmentationSpec spec = *find_preset("churn");
  spec.name = "before";
  older.segmentations = *Segmentations::create({*find_preset("churn"), spec});
  Rules rules;
  const std::size_t churn = rules.segmentations.find("churn");
  CustomerRow row;
  row.segments.resize(2);
  row.segments[older.segmentations.find("churn")].segment = kFirstSegment + 1;
  const ModelVersion version;
  Census census(rules, {});
  census.add(row, facts_of(row, older, &version, kCensusAt), older);
  const std::vector<SegmentProfile> profiles = census.segments().of(rules, churn);
  ASSERT_EQ(profiles.size(), 1U);
  EXPECT_EQ(segment_info(rules.segmentations[churn], profiles[0].segment).name,
            find_preset("churn")->segments[1].name);
  EXPECT_EQ(census.segments().of(rules, rules.segmentations.find("rfm"))[0].segment,
            kNoSegmentCode);
}

TEST(Population, ScoresByNaturalClasses) {
  Rules rules;
  const ModelVersion version;
  Census census(rules, {});
  for (int i = 0; i < 8; ++i) {
    CustomerRow row;
    row.id = std::to_string(i);
    row.segments.resize(rules.segmentations.size());
    const bool good = i % 2 == 0;
    const EventTime time = kCensusAt - std::chrono::hours{24 * (good ? 1 : 300)};
    row.ledger.put({.number_hash = 1, .amount = {good ? 900'000 + i : 10 + i}, .time = time}, rules,
                   kCensusAt);
    if (good) row.ledger.put({.number_hash = 2, .amount = {}, .time = time}, rules, kCensusAt);
    census.add(row, facts_of(row, rules, &version, kCensusAt), rules);
  }
  const NaturalTables tables = census.population().natural_tables(2);
  ASSERT_EQ(tables.recency.size(), 2U);
  EXPECT_EQ(tables.recency[1].customers, 4);
  EXPECT_EQ(tables.recency[1].most, kDayMs);
  EXPECT_EQ(tables.monetary[0].most, 17);
  EXPECT_EQ(tables.monetary[1].least, 900'000);
  ASSERT_EQ(tables.overall.size(), 2U);
  EXPECT_EQ(tables.overall[0].score, 0);
  EXPECT_EQ(tables.overall[1].score, 3);
  EXPECT_EQ(tables.overall[1].customers, 4);
  EXPECT_DOUBLE_EQ(tables.overall[1].recency_days, 1);
  EXPECT_DOUBLE_EQ(tables.overall[1].frequency, 2);
}

TEST(Population, TellsHowFewBringHowMuch) {
  Rules rules;
  const ModelVersion version;
  Census census(rules, {});
  for (int i = 0; i < 10; ++i) {
    CustomerRow row;
    row.id = std::to_string(i);
    row.segments.resize(rules.segmentations.size());
    row.ledger.put({.number_hash = 1, .amount = {i < 2 ? 40'000 : 2'500}, .time = kCensusAt}, rules,
                   kCensusAt);
    census.add(row, facts_of(row, rules, &version, kCensusAt), rules);
  }
  EXPECT_EQ(census.population().customers_for(.8), 2);
  EXPECT_EQ(census.population().customers_for(1), 10);
  const std::vector<ConcentrationPoint> curve = census.population().concentration(5);
  ASSERT_EQ(curve.size(), 6U);
  EXPECT_EQ(curve[1].customers, 2);
  EXPECT_EQ(curve[1].monetary, Money{80'000});
  EXPECT_EQ(curve[5].monetary, Money{100'000});
  EXPECT_EQ(census.population().medians()->monetary, Money{2'500});
}

TEST(ChurnForecasts, LookAtASampleOfManyCustomersAndAtTheNewestModels) {
  const CensusCases cases(1, 400);
  std::vector<PastChurnModel> models;
  for (int days = 160; days > 90; --days)
    models.push_back(
        {kCensusAt - std::chrono::days{days}, ChurnModel{.nbd_r = 1, .nbd_alpha_days = 60}});
  ChurnForecasts all(models, ChurnForecasts::kCustomersMax);
  ChurnForecasts sample(models, ChurnForecasts::kCustomersMax * 4);
  for (const auto& [row, invoices] : cases.all()) {
    all.add(row, cases.facts(row), cases.rules());
    sample.add(row, cases.facts(row), cases.rules());
  }
  ASSERT_EQ(all.figures().size(), ChurnForecasts::kModelsMax);
  EXPECT_EQ(all.figures().back().at, models.back().at);
  EXPECT_NEAR(static_cast<double>(sample.figures().back().customers),
              static_cast<double>(all.figures().back().customers) / 4, 30);
}

TEST(CustomerList, PagesHoldEveryCustomerOnceInOrder) {
  for (int sort = 0; sort < kCustomerSortCount; ++sort) {
    const CensusCases cases(3, 50);
    std::vector<std::string> ids;
    for (std::size_t page = 0; page < 8; ++page) {
      CustomerQuery query;
      query.sort = static_cast<CustomerSort>(sort);
      query.page = page;
      query.size = 7;
      CustomerList list(cases.rules(), query);
      for (const CensusCustomer& customer : cases.all())
        list.add(customer.row, cases.facts(customer.row), cases.rules());
      EXPECT_EQ(list.total(), 50U);
      for (const ListedCustomer& customer : list.page()) ids.push_back(customer.id);
    }
    EXPECT_EQ(ids.size(), 50U);
    EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 50U);
  }
}

TEST(CustomerList, TakesThoseOfASegmentInACountry) {
  const CensusCases cases(5, 80);
  CustomerQuery query;
  const Segmentation& segmentation = cases.rules().segmentations[0];
  query.segment = CustomerQuery::Segment{segmentation.name(), segmentation.info(0).name};
  query.country = "country 2";
  query.size = 100;
  CustomerList first(cases.rules(), query);
  CustomerList second(cases.rules(), query);
  std::set<std::string> expected;
  for (const CensusCustomer& customer : cases.all()) {
    CustomerList& list = expected.size() % 2 == 0 ? first : second;
    list.add(customer.row, cases.facts(customer.row), cases.rules());
    if (customer.row.segments[0].segment == kFirstSegment && customer.row.country == "country 2")
      expected.insert(customer.row.id);
  }
  first.merge(second);
  std::set<std::string> found;
  for (const ListedCustomer& customer : first.page()) found.insert(customer.id);
  EXPECT_EQ(found, expected);
  EXPECT_EQ(first.total(), expected.size());
}

// As where lanes are under different rules.
TEST(CustomerList, NobodyIsInWhatTheRulesDoNotKnow) {
  const CensusCases cases(5, 80);
  const std::string& known = cases.rules().segmentations[0].name();
  for (const CustomerQuery::Segment& segment :
       {CustomerQuery::Segment{"of other rules", "Champions"},
        CustomerQuery::Segment{known, "of other rules"}}) {
    CustomerQuery query;
    query.segment = segment;
    CustomerList list(cases.rules(), query);
    for (const CensusCustomer& customer : cases.all())
      list.add(customer.row, cases.facts(customer.row), cases.rules());
    EXPECT_EQ(list.total(), 0U);
  }
}

}  // namespace
}  // namespace rfm
