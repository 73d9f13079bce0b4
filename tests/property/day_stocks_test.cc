// Goal: the books' stock of a day is that of its end, whoever else bought when, under a window that
// purchases leave and with invoices that settle after midnight.
// Method: random purchases in order of time; money from them, segments from what was published.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "model/day.h"
#include "state/moves_book.h"
#include "stream/text/time_text.h"
#include "tests/fake/memory_pipeline.h"

namespace rfm {
namespace {

constexpr int kDays = 60;
constexpr std::int64_t kWindowMs = 15 * kDayMs;
constexpr std::int64_t kBegin = 19'000 * kDayMs;

struct Purchase {
  std::string customer;
  std::int64_t at = 0;
  std::int64_t pence = 0;
};

// Many of them in the minute before midnight, which lines settle after.
std::vector<Purchase> random_purchases(std::mt19937_64& random) {
  std::vector<Purchase> purchases;
  for (int day = 0; day < kDays; ++day) {
    std::map<std::int64_t, Purchase> of_day;  // No two at the same time.
    for (std::uint64_t count = random() % 4; count > 0; --count) {
      const std::int64_t end = kBegin + (day + 1) * kDayMs;
      const std::int64_t at =
          end - 1 - static_cast<std::int64_t>(random() % (random() % 3 == 0 ? 60'000U : kDayMs));
      of_day[at] = {fmt::format("c{}", random() % 9), at,
                    static_cast<std::int64_t>(1 + random() % 9'999)};
    }
    for (const auto& [at, purchase] : of_day) purchases.push_back(purchase);
  }
  return purchases;
}

MemoryInput input_of(const std::vector<Purchase>& purchases, InputFormat format) {
  std::vector<MemoryRecord> records;
  for (const Purchase& purchase : purchases) {
    const std::string price = fmt::format("{}.{:02}", purchase.pence / 100, purchase.pence % 100);
    const std::string time = to_rfc3339(from_ms(purchase.at));
    records.push_back(
        {.key = purchase.customer,
         .value = format == InputFormat::kLines
                      ? fmt::format(R"({{"InvoiceNo":"{}","Quantity":1,"UnitPrice":{},)"
                                    R"("InvoiceDate":"{}","CustomerID":"{}"}})",
                                    records.size(), price, time, purchase.customer)
                      : fmt::format(R"({{"type":"invoice","invoice_no":"{}","customer_id":"{}",)"
                                    R"("invoice_time":"{}","currency":"GBP","total":{}}})",
                                    records.size(), purchase.customer, time, price),
         .received_ms = purchase.at + 5'000});
  }
  return {records};
}

// By segmentation, segment and day: customers and money in 10^-4.
using Stocks = std::map<std::tuple<std::string, std::string, int>, std::pair<int, std::int64_t>>;

Stocks booked_stocks(const Partition& partition, int last_day) {
  Stocks stocks;
  partition.books().cells().for_each([&](std::string_view key, const Book::Cell& cell) {
    const std::optional<MovesCell> found = moves_cell(key);
    if (!found || found->kind != MovesCell::Kind::kStock) return;
    const auto from = static_cast<int>(found->day - kBegin / kDayMs);
    for (int day = from; day <= last_day; ++day) {
      auto& [customers, money] =
          stocks[{std::string(partition.books().name_of(found->segmentation)),
                  std::string(partition.books().name_of(found->to)), day}];
      customers += static_cast<int>(cell.sums[0]);
      money += cell.sums[1];
    }
  });
  std::erase_if(stocks, [](const auto& s) { return s.second == std::pair<int, std::int64_t>{}; });
  return stocks;
}

Stocks true_stocks(const MemoryWorld& world, const std::vector<Purchase>& purchases, int last_day) {
  // By customer and segmentation: the segment at the end of each day.
  std::map<std::pair<std::string, std::string>, std::map<int, std::string>> segments;
  for (const OutputRecord& record : world.topics.records) {
    if (record.topic != OutputTopic::kTransitions) continue;
    rapidjson::Document body;
    body.Parse(record.value->c_str());
    const auto at = TimeReader(std::chrono::minutes{0}).read(body["effective_at"].GetString());
    const auto day = static_cast<int>((to_ms(*at) - kBegin) / kDayMs);
    segments[{*record.key, body["segmentation"].GetString()}][day] = body["to"].GetString();
  }
  Stocks stocks;
  for (const auto& [of, by_day] : segments) {
    for (int day = by_day.begin()->first; day <= last_day; ++day) {
      const std::string& segment = std::prev(by_day.upper_bound(day))->second;
      if (segment == "none") continue;
      const std::int64_t end = kBegin + (day + 1) * kDayMs - 1;
      auto& [customers, money] = stocks[{of.second, segment, day}];
      ++customers;
      for (const Purchase& p : purchases) {
        if (p.customer == of.first && p.at <= end && p.at >= end - kWindowMs)
          money += p.pence * 100;
      }
    }
  }
  return stocks;
}

void run_history(std::uint64_t seed, InputFormat format) {
  std::mt19937_64 random(seed);
  const std::vector<Purchase> purchases = random_purchases(random);
  MemoryWorld world(input_of(purchases, format));
  PipelineOptions options;
  options.decoder.format = format;
  options.rules.window = Duration{kWindowMs};
  options.training = {.cluster_count = 2,
                      .cluster_history_ms = 0,
                      .challenger_count = 1,
                      .population_on = 4,
                      .population_off = 3,
                      .churn_weeks = 4};
  options.random_batches = seed;
  MemoryPipeline pipeline(world, options);
  ASSERT_TRUE(pipeline.restore().ok());
  ASSERT_TRUE(pipeline.run_to_end(std::nullopt).ok());
  // The last day may not have ended.
  const auto last_day = static_cast<int>((purchases.back().at - kBegin) / kDayMs) - 1;
  const Stocks booked = booked_stocks(*pipeline.partitions().front(), last_day);
  const Stocks expected = true_stocks(world, purchases, last_day);
  ASSERT_GT(expected.size(), 100U);
  for (const auto& [of, sums] : expected) {
    const auto found = booked.find(of);
    ASSERT_TRUE(found != booked.end() && found->second == sums)
        << std::get<0>(of) << " " << std::get<1>(of) << " day " << std::get<2>(of) << ": "
        << sums.first << " " << sums.second << ", not "
        << (found == booked.end() ? 0 : found->second.first) << " "
        << (found == booked.end() ? 0 : found->second.second);
  }
  ASSERT_EQ(booked, expected);
}

TEST(DayStocks, AreThoseAtTheEndOfTheDay) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (const InputFormat format : {InputFormat::kInvoices, InputFormat::kLines}) {
      SCOPED_TRACE(fmt::format("seed={} format={}", seed, static_cast<int>(format)));
      ASSERT_NO_FATAL_FAILURE(run_history(seed, format));
    }
  }
}

}  // namespace
}  // namespace rfm
