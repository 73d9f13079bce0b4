// Goal: what the books hold comes out by day, month, hour, country and product, over partitions.
#include "stream/analyse/sales_summary.h"

#include <gtest/gtest.h>

#include "state/rules.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

EventTime at(const std::string& text) { return *TimeReader(std::chrono::minutes{0}).read(text); }

// One partition's sales.
class Shop {
 public:
  void sells(const std::string& time, std::string_view country, std::int64_t money,
             std::string_view product, Buyer buyer = Buyer::kKnown) {
    book(time, country, {money}, product, InvoiceType::kInvoice, buyer);
  }
  void takes_back(const std::string& time, std::string_view country, std::int64_t money,
                  std::string_view product) {
    book(time, country, {-money}, product, InvoiceType::kCredit, Buyer::kKnown);
  }
  void add_to(SalesSummary& summary) const {
    book_.for_each([&](std::string_view key, const Book::Cell& cell) { summary.add(key, cell); });
  }

 private:
  void book(const std::string& time, std::string_view country, Money amount,
            std::string_view product, InvoiceType type, Buyer buyer) {
    const SoldLine line{.product = product,
                        .description = product == "A" ? "Mug" : "",
                        .units = amount.units < 0 ? -10'000 : 20'000,
                        .amount = amount};
    const BookedLine booked = sales_.introduce(line, at(time));
    sales_.book({.time = at(time),
                 .country = country,
                 .type = type,
                 .amount = amount,
                 .lines = {&booked, 1}},
                buyer, Booking::kAdd);
  }

  Rules rules_;
  Book book_;
  SalesBook sales_{book_, rules_};
};

class SalesSummaryOfTwo : public testing::Test {
 protected:
  SalesSummaryOfTwo() {
    Shop first;
    first.sells("2011-01-03T10:30:00Z", "France", 50'000, "A");  // A Monday.
    first.takes_back("2011-03-01T09:00:00Z", "France", 20'000, "A");
    Shop second;
    second.sells("2011-01-03T10:59:00Z", "France", 70'000, "B");
    second.sells("2011-01-09T23:00:00Z", "Spain", 30'000, "B", Buyer::kUnnamed);  // A Sunday.
    first.add_to(summary_);
    second.add_to(summary_);
  }

  SalesSummary summary_;
};

TEST_F(SalesSummaryOfTwo, AddsUpDays) {
  const std::vector<DaySales> days = summary_.days();
  ASSERT_EQ(days.size(), 3U);
  EXPECT_EQ(days[0].country, "France");
  EXPECT_EQ(days[0].sums.gross, Money{120'000});
  EXPECT_EQ(days[0].sums.invoices, 2);
  EXPECT_EQ(days[0].sums.units, 40'000);
  EXPECT_EQ(days[1].buyer, Buyer::kUnnamed);
  EXPECT_EQ(days[1].sums.invoices, 0);
  EXPECT_EQ(days[1].sums.unnamed_records, 1);
  EXPECT_EQ(days[2].sums.net(), Money{-20'000});
  EXPECT_EQ(days[2].sums.credit_notes, 1);
  EXPECT_EQ(summary_.all().net(), Money{130'000});
  EXPECT_EQ(summary_.unnamed().gross, Money{30'000});
}

TEST_F(SalesSummaryOfTwo, AddsUpCountriesAndMonthsWithoutGaps) {
  const std::vector<NamedSales> countries = summary_.countries();
  ASSERT_EQ(countries.size(), 2U);
  EXPECT_EQ(countries[0].name, "France");
  EXPECT_EQ(countries[0].sums.net(), Money{100'000});
  const std::vector<NamedSales> months = summary_.months();
  ASSERT_EQ(months.size(), 3U);
  EXPECT_EQ(months[0].name, "2011-01");
  EXPECT_EQ(months[0].sums.net(), Money{150'000});
  EXPECT_EQ(months[1].sums, SalesSums{});
  EXPECT_EQ(months[2].sums.credits, Money{20'000});
}

TEST_F(SalesSummaryOfTwo, AddsUpTheHoursOfTheWeek) {
  const auto week = summary_.week();
  EXPECT_EQ(week[10].net(), Money{120'000});
  EXPECT_EQ(week[10].invoices_and_unnamed_sales, 2);
  EXPECT_EQ(week[6 * 24 + 23].net(), Money{30'000});
  EXPECT_EQ(week[6 * 24 + 23].invoices_and_unnamed_sales, 1);
  EXPECT_EQ(week[24 + 9].net(), Money{-20'000});
}

TEST_F(SalesSummaryOfTwo, AddsUpProductsWithTheirNames) {
  const std::vector<ProductSales> products = summary_.products_in_all();
  ASSERT_EQ(products.size(), 2U);
  EXPECT_EQ(products[0].product, "B");
  EXPECT_EQ(products[0].sums.net(), Money{100'000});
  EXPECT_EQ(products[0].lines, 2);
  EXPECT_EQ(products[1].description, "Mug");
  EXPECT_EQ(products[1].sums.net(), Money{30'000});
  EXPECT_EQ(products[1].sums.units, 10'000);
}

}  // namespace
}  // namespace rfm
