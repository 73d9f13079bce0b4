#include "state/sales_book.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "state/epoch.h"
#include "state/hashes.h"

namespace rfm {
namespace {

constexpr std::int64_t kDay = 15'000;  // 2011-01-26, a Wednesday.

class SalesBookTest : public testing::Test {
 protected:
  SalesBookTest() {
    rules_.sales_products_max = 2;
    rules_.sales_countries_max = 2;
    open();
  }

  void open() { sales_.emplace(book_, rules_); }
  // What a restart does: the cells come back, all else is told from them.
  void reopen() {
    open();
    sales_->read_names();
  }

  static EventTime at(std::int64_t day, int hour = 0) {
    return boundary_of(day) + std::chrono::hours{hour};
  }
  BookedLine introduce(std::string_view product, std::string_view description = "x",
                       std::int64_t day = kDay) {
    return sales_->introduce(
        {.product = product, .description = description, .units = 20'000, .amount = {30'000}},
        at(day));
  }
  void book(std::string_view country, std::int64_t amount, std::vector<BookedLine> lines,
            InvoiceType type = InvoiceType::kInvoice, Booking booking = Booking::kAdd) {
    sales_->book(
        {.time = at(kDay, 9), .country = country, .type = type, .amount = {amount}, .lines = lines},
        Buyer::kKnown, booking);
  }
  // By kind and name; only what is not zero.
  std::map<std::string, Book::Sums> cells() const {
    std::map<std::string, Book::Sums> cells;
    book_.for_each([&](std::string_view key, const Book::Cell& cell) {
      const std::optional<SalesCell> of = sales_cell(key);
      if (!of || of->kind == SalesCell::Kind::kProductName) return;
      constexpr std::array kNames = {"day", "unnamed", "hour", "product"};
      cells[fmt::format("{} {}", kNames[static_cast<std::size_t>(of->kind)],
                        of->kind == SalesCell::Kind::kHour ? std::to_string(of->hour_of_week)
                                                           : std::string(of->name))] = cell.sums;
    });
    return cells;
  }
  std::string description(std::string_view product) const {
    std::string text = "(none)";
    book_.for_each([&](std::string_view key, const Book::Cell& cell) {
      const std::optional<SalesCell> of = sales_cell(key);
      if (of && of->kind == SalesCell::Kind::kProductName && of->name == product) text = *cell.text;
    });
    return text;
  }

  Rules rules_;
  Book book_;
  std::optional<SalesBook> sales_;
};

using Cells = std::map<std::string, Book::Sums>;

TEST_F(SalesBookTest, AnInvoiceIsInItsDayItsHourAndItsProducts) {
  book("EIRE", 60'000, {introduce("a"), introduce("b")});
  EXPECT_EQ(cells(), (Cells{{"day EIRE", {60'000, 0, 1, 40'000}},
                            {"hour 57", {60'000, 0, 1, 40'000}},
                            {"product a", {30'000, 0, 20'000, 1}},
                            {"product b", {30'000, 0, 20'000, 1}}}));
}

TEST_F(SalesBookTest, ACreditTakesBackWhateverTheSignsOfItsLines) {
  for (const std::int64_t sign : {1, -1}) {
    BookedLine line = introduce("a");
    line.units *= sign;
    line.amount.units *= sign;
    book("EIRE", 30'000 * sign, {line}, InvoiceType::kCredit);
    EXPECT_EQ(cells(), (Cells{{"day EIRE", {0, 30'000, 0, -20'000, 0, 1}},
                              {"hour 57", {0, 30'000, 0, -20'000}},
                              {"product a", {0, 30'000, -20'000, 1}}}));
    book("EIRE", 30'000 * sign, {line}, InvoiceType::kCredit, Booking::kTakeBack);
    EXPECT_EQ(cells(), Cells{});
  }
}

TEST_F(SalesBookTest, WhatTheLinesDoNotExplainIsOfNoProduct) {
  book("EIRE", 35'000, {introduce("a")});
  book("EIRE", 28'000, {introduce("a")});
  EXPECT_EQ(cells().at("product "), (Book::Sums{5'000, 2'000}));
  EXPECT_EQ(cells().at("product a"), (Book::Sums{60'000, 0, 40'000, 2}));
}

TEST_F(SalesBookTest, AnOldCorrectionTakesBackByAmountDayAndCountryOnly) {
  book("EIRE", 30'000, {introduce("a")});
  book("EIRE", 30'000, {}, InvoiceType::kInvoice, Booking::kTakeBack);
  EXPECT_EQ(cells(), (Cells{{"day EIRE", {0, 0, 0, 20'000}},
                            {"hour 57", {0, 0, 0, 20'000}},
                            {"product ", {-30'000, 0}},
                            {"product a", {30'000, 0, 20'000, 1}}}));
}

TEST_F(SalesBookTest, ProductsBeyondTheMaximumAreTheOthersInTheOrderOfTheLog) {
  book("EIRE", 30'000, {introduce("b")});
  book("EIRE", 30'000, {introduce("a")});
  for (int life = 0; life < 2; ++life) {
    const BookedLine other = introduce("c");
    book("EIRE", 30'000, {other});
    EXPECT_EQ(cells().at("product (other)"), (Book::Sums{30'000, 0, 20'000, 1}));
    book("EIRE", 30'000, {other}, InvoiceType::kInvoice, Booking::kTakeBack);
    EXPECT_FALSE(cells().contains("product (other)"));
    EXPECT_NE(introduce("a"), introduce("b"));
    EXPECT_EQ(description("c"), "(none)");
    reopen();
  }
}

TEST_F(SalesBookTest, NumbersOfProductsOutliveARestart) {
  const BookedLine b = introduce("b");
  const BookedLine a = introduce("a");
  reopen();
  EXPECT_EQ(introduce("a"), a);
  EXPECT_EQ(introduce("b"), b);
}

TEST_F(SalesBookTest, CountriesBeyondTheMaximumAreTheOthersAlsoWhereOnlyTheLedgerKnowsThem) {
  for (const std::string_view country : {"EIRE", "France", "Japan", ""}) book(country, 10'000, {});
  const Cells found = cells();
  EXPECT_EQ(found.at("day (other)"), (Book::Sums{10'000, 0, 1}));
  EXPECT_EQ(found.at("day "), (Book::Sums{10'000, 0, 1}));
  for (int life = 0; life < 2; ++life) {
    EXPECT_EQ(sales_->country_of(country_bits("EIRE")), "EIRE");
    EXPECT_EQ(sales_->country_of(country_bits("Japan")), "(other)");
    EXPECT_EQ(sales_->country_of(country_bits("")), "");
    reopen();
  }
}

TEST_F(SalesBookTest, ADescriptionHoldsUntilALaterDayHasAnother) {
  introduce("a", "");
  EXPECT_EQ(description("a"), "");
  introduce("a", "first");
  introduce("a", "second");
  EXPECT_EQ(description("a"), "first");
  reopen();
  introduce("a", "second");
  EXPECT_EQ(description("a"), "first");
  introduce("a", "older", kDay - 1);
  introduce("a", "", kDay + 1);
  EXPECT_EQ(description("a"), "first");
  introduce("a", "second", kDay + 1);
  EXPECT_EQ(description("a"), "second");
}

TEST_F(SalesBookTest, AProductIsWrittenOnlyWhereItsDescriptionChanges) {
  introduce("a", "first");
  book_.mark_committed();
  introduce("a", "first", kDay + 1);
  EXPECT_EQ(book_.dirty_count(), 0U);
  introduce("a", "second", kDay + 2);
  EXPECT_EQ(book_.dirty_count(), 1U);
}

TEST(PackedLines, AreReadAsTheyWereOrNotAtAll) {
  const std::vector<BookedLine> lines = {{.product = 7, .units = -10'000, .amount = {-123}},
                                         {.product = 300, .units = 1, .amount = {1LL << 60}}};
  std::string packed;
  for (const BookedLine& line : lines) pack_line(line, packed);
  std::vector<BookedLine> read = {{}};
  unpack_lines(packed, read);
  EXPECT_EQ(read, lines);
  unpack_lines(packed.substr(0, packed.size() - 1), read);
  EXPECT_TRUE(read.empty());
}

}  // namespace
}  // namespace rfm
