// Goal: a generated history is the same for the same seed, in order, and looks like a shop's.
#include "stream/generate/generator.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>

#include "stream/generate/generated_records.h"

namespace rfm {
namespace {

struct KeptEvent {
  GeneratedEvent event;
  std::vector<GeneratedLine> lines;
};

std::vector<KeptEvent> history(const GeneratorOptions& options) {
  std::vector<KeptEvent> events;
  Generator generator(options);
  while (const std::optional<GeneratedEvent> event = generator.next()) {
    events.push_back({*event, {event->lines.begin(), event->lines.end()}});
  }
  return events;
}

std::vector<std::string> texts(const GeneratorOptions& options, const RecordTextOptions& text) {
  std::vector<std::string> out;
  GeneratedRecords records(options, text);
  while (const std::optional<GeneratedRecord> record = records.next()) {
    out.push_back(std::string(record->key) + "=" + std::string(record->value.value_or("null")));
  }
  return out;
}

TEST(Generator, GivesTheSameBytesForASeed) {
  const std::vector<std::string> lines = texts({.customers = 50}, {});
  EXPECT_EQ(lines, texts({.customers = 50}, {}));
  EXPECT_NE(lines, texts({.customers = 50, .seed = 2}, {}));
  // Fixed for all machines and versions: histories are named by their seed.
  EXPECT_EQ(
      lines.front(),
      "10043={\"InvoiceNo\":\"500001\",\"StockCode\":\"20784\",\"Description\":\"LARGE SPOTTED "
      "CANDLE "
      "HOLDER\",\"Quantity\":3,\"UnitPrice\":3.95,\"InvoiceDate\":\"2024-01-02T18:11:51.000Z\","
      "\"CustomerID\":\"10043\",\"Country\":\"United Kingdom\"}");
}

TEST(Generator, EveryCustomerBuysAndJoinsOverTime) {
  const std::vector<KeptEvent> events = history({.customers = 2'000});
  std::map<std::uint32_t, EventTime> first;
  for (const KeptEvent& kept : events) first.try_emplace(kept.event.customer, kept.event.time);
  EXPECT_EQ(first.size(), 2'000U);
  const EventTime middle = from_ms(1'704'067'200'000) + std::chrono::days{182};
  const auto late_joiners = std::count_if(
      first.begin(), first.end(), [&](const auto& customer) { return customer.second > middle; });
  EXPECT_GT(late_joiners, 500);
  EXPECT_LT(late_joiners, 1'200);
}

TEST(Generator, RatesAndSpendDifferBetweenCustomers) {
  std::map<std::uint32_t, int> invoices;
  std::map<std::uint8_t, int> countries;
  std::size_t line_count = 0;
  int sales = 0;
  for (const KeptEvent& kept : history({.customers = 3'000})) {
    if (kept.event.kind != GeneratedKind::kSale) continue;
    ++sales;
    ++invoices[kept.event.customer];
    ++countries[kept.event.country];
    line_count += kept.lines.size();
  }
  const auto once =
      std::count_if(invoices.begin(), invoices.end(), [](const auto& c) { return c.second == 1; });
  const auto often =
      std::count_if(invoices.begin(), invoices.end(), [](const auto& c) { return c.second >= 10; });
  EXPECT_GT(once, 600);
  EXPECT_LT(once, 1'500);
  EXPECT_GT(often, 150);
  EXPECT_GT(line_count, static_cast<std::size_t>(sales) * 5);
  EXPECT_GT(countries[0], sales * 3 / 4);  // Mostly at home,
  EXPECT_GT(countries.size(), 10U);        // but not only.
}

TEST(Generator, ShopHoursAndChristmasShow) {
  std::array<int, 24> hours{};
  std::array<int, 13> months{};
  for (const KeptEvent& kept : history({.customers = 5'000})) {
    const auto day = std::chrono::floor<std::chrono::days>(kept.event.time);
    ++hours[static_cast<std::size_t>((kept.event.time - day) / std::chrono::hours{1})];
    ++months[static_cast<unsigned>(std::chrono::year_month_day{day}.month())];
  }
  EXPECT_GT(hours[12], 20 * std::max(1, hours[3]));
  EXPECT_GT(months[11], 3 * months[6] / 2);

  std::array<int, 24> round_the_clock{};
  for (const KeptEvent& kept :
       history({.customers = 5'000, .hours = TradingHours::kRoundTheClock})) {
    const auto day = std::chrono::floor<std::chrono::days>(kept.event.time);
    ++round_the_clock[static_cast<std::size_t>((kept.event.time - day) / std::chrono::hours{1})];
  }
  const auto [least, most] = std::minmax_element(round_the_clock.begin(), round_the_clock.end());
  EXPECT_LT(*most, *least * 5 / 4);
}

RC_GTEST_PROP(GeneratorProperty, TheLogIsInOrderAndReturnsFollowTheirSales, ()) {
  GeneratorOptions options;
  options.customers = *rc::gen::inRange<std::uint32_t>(1, 60);
  options.days = *rc::gen::inRange(1, 500);
  options.seed = *rc::gen::arbitrary<std::uint64_t>();
  options.late_share = *rc::gen::element(0.0, .2);
  options.return_share = .3;
  options.tombstones = *rc::gen::inRange<std::uint32_t>(0, options.customers + 1);
  const std::vector<KeptEvent> events = history(options);
  const EventTime end = Generator(options).end();

  std::map<std::uint64_t, const KeptEvent*> sales;
  std::set<std::uint64_t> numbers;
  std::set<std::uint32_t> erased;
  EventTime last = kBeforeAll;
  for (const KeptEvent& kept : events) {
    const GeneratedEvent& event = kept.event;
    RC_ASSERT(event.emitted_at >= last);
    last = event.emitted_at;
    RC_ASSERT(event.time <= event.emitted_at);
    RC_ASSERT(event.time < end);
    if (options.late_share == 0) RC_ASSERT(event.time == event.emitted_at);
    if (event.kind == GeneratedKind::kErasure) {
      RC_ASSERT(erased.insert(event.customer).second);
      continue;
    }
    RC_ASSERT(numbers.insert(event.number).second);
    RC_ASSERT(!kept.lines.empty());
    if (event.kind == GeneratedKind::kSale) sales[event.number] = &kept;
  }
  RC_ASSERT(erased.size() == options.tombstones);
  RC_ASSERT(numbers.empty() || *numbers.rbegin() == numbers.size());
  for (const KeptEvent& kept : events) {
    if (kept.event.kind != GeneratedKind::kReturn) continue;
    const KeptEvent& sale = *sales.at(kept.event.original);
    RC_ASSERT(sale.event.customer == kept.event.customer);
    RC_ASSERT(sale.event.time < kept.event.time);
    // No more of a product comes back than was bought.
    std::map<std::uint32_t, std::int64_t> left;
    for (const GeneratedLine& line : sale.lines) left[line.product] += line.quantity;
    for (const GeneratedLine& line : kept.lines)
      RC_ASSERT((left[line.product] -= line.quantity) >= 0);
  }
}

TEST(GeneratedRecords, BadRecordsAreOnTopOfTheGoodOnes) {
  const GeneratorOptions options{.customers = 100, .days = 100, .tombstones = 5};
  for (const InputFormat format :
       {InputFormat::kLines, InputFormat::kInvoices, InputFormat::kCsv}) {
    const std::vector<std::string> good = texts(options, {.format = format});
    const std::vector<std::string> mixed = texts(options, {.format = format, .bad_share = .1});
    std::size_t next_good = 0;
    for (const std::string& text : mixed) {
      if (next_good < good.size() && text == good[next_good]) ++next_good;
    }
    EXPECT_EQ(next_good, good.size());
    const double bad =
        static_cast<double>(mixed.size() - good.size()) / static_cast<double>(good.size());
    EXPECT_GT(bad, .05);
    EXPECT_LT(bad, .2);
  }
}

TEST(GeneratedRecords, OnlyCreditsDifferWithoutTheirReference) {
  const GeneratorOptions options{.customers = 100, .days = 200, .return_share = .5};
  const std::vector<std::string> named = texts(options, {.format = InputFormat::kInvoices});
  const std::vector<std::string> unnamed =
      texts(options, {.format = InputFormat::kInvoices, .credits = CreditReference::kUnnamed});
  ASSERT_EQ(named.size(), unnamed.size());
  int credits = 0;
  for (std::size_t i = 0; i < named.size(); ++i) {
    const bool credit = named[i].find("\"type\":\"credit\"") != std::string::npos;
    credits += credit ? 1 : 0;
    EXPECT_EQ(named[i] != unnamed[i], credit);
    EXPECT_EQ(unnamed[i].find("original_invoice_no"), std::string::npos);
  }
  EXPECT_GT(credits, 20);
}

TEST(GeneratedRecords, ErasuresAreTombstones) {
  const GeneratorOptions options{.customers = 20, .tombstones = 7};
  const auto erasures = [&](InputFormat format) {
    const std::vector<std::string> all = texts(options, {.format = format});
    return std::count_if(all.begin(), all.end(),
                         [](const std::string& text) { return text.ends_with("=null"); });
  };
  EXPECT_EQ(erasures(InputFormat::kLines), 7);
  EXPECT_EQ(erasures(InputFormat::kInvoices), 7);
  EXPECT_EQ(erasures(InputFormat::kCsv), 0);
}

}  // namespace
}  // namespace rfm
