// Goal: the books say what a recomputation says: of sales from the records, of stocks from the
// rows, of flows and histories from the published transitions.
// Method: random histories (sales_oracle.h) on one or two partitions, under small and large limits
// of what is kept, in lives that end anywhere, some of which find no store and begin with the
// changelog alone; other code adds up what is true. RFM_HISTORIES says how many histories.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "model/day.h"
#include "state/moves_book.h"
#include "state/sales_book.h"
#include "tests/fake/memory_pipeline.h"
#include "tests/property/sales_oracle.h"

namespace rfm {
namespace {

std::string month_text(std::int64_t month) {
  return fmt::format("{:04}-{:02}", 1970 + month / 12, month % 12 + 1);
}

void read_sales(const Partition& partition, Sales& sales) {
  partition.books().cells().for_each([&](std::string_view key, const Book::Cell& cell) {
    const std::optional<SalesCell> of = sales_cell(key);
    if (!of) return;
    std::string text;
    switch (of->kind) {
      case SalesCell::Kind::kDay:
        text = fmt::format("day {} {}", day_text(of->day * kDayMs), of->name);
        break;
      case SalesCell::Kind::kUnnamedDay:
        text = fmt::format("unnamed {} {}", day_text(of->day * kDayMs), of->name);
        break;
      case SalesCell::Kind::kHour:
        text = fmt::format("hour {} {}", month_text(of->month), of->hour_of_week);
        break;
      case SalesCell::Kind::kProduct:
        text = fmt::format("product {} {}", month_text(of->month), of->name);
        break;
      case SalesCell::Kind::kProductName:
        sales.descriptions[fmt::format("{} {}", partition.id(), of->name)] = *cell.text;
        return;
    }
    add(sales.figures, text, cell.sums);
  });
}

void expect_same_figures(Figures expected, Figures actual) {
  std::erase_if(expected, [](const auto& entry) { return entry.second == Book::Sums{}; });
  std::erase_if(actual, [](const auto& entry) { return entry.second == Book::Sums{}; });
  for (const auto& [key, sums] : expected) {
    const auto found = actual.find(key);
    ASSERT_TRUE(found != actual.end()) << key << " is missing";
    ASSERT_EQ(found->second, sums) << key;
  }
  ASSERT_EQ(expected.size(), actual.size());
}

struct Moves {
  Figures stocks;  // Now.
  Figures flows;
  std::map<std::string, std::string> histories;
};

void read_moves(const Partition& partition, Moves& moves) {
  const PartitionBooks& books = partition.books();
  books.cells().for_each([&](std::string_view key, const Book::Cell& cell) {
    const std::optional<MovesCell> found = moves_cell(key);
    if (!found) return;
    const std::string segmentation(books.name_of(found->segmentation));
    if (found->kind == MovesCell::Kind::kStock) {
      add(moves.stocks, fmt::format("{} {}", segmentation, books.name_of(found->to)), cell.sums);
    } else {
      add(moves.flows,
          fmt::format("{} {} {}>{} {} {}", day_text(found->day * kDayMs), segmentation,
                      books.name_of(found->from), books.name_of(found->to), name(found->reason),
                      found->is_actionable),
          cell.sums);
    }
  });
  partition.rows().for_each([&](const CustomerRow& row) {
    for (const PastMove& move : past_moves(row.history)) {
      moves.histories[row.id] += fmt::format(
          "{} {}>{} {} {}\n", day_text(move.day * kDayMs), books.name_of(move.segmentation),
          books.name_of(move.to), name(move.reason), move.is_actionable);
    }
  });
}

std::int64_t units_of(const rapidjson::Value& money) {
  const std::string text = money.GetString();
  const std::size_t point = text.find('.');
  std::string digits = text.substr(0, point);
  std::string fraction = point == std::string::npos ? "" : text.substr(point + 1);
  fraction.resize(4, '0');
  return std::stoll(digits + fraction);
}

// From the rows.
void recompute_stocks(const Partition& partition, Moves& moves) {
  const Rules rules;
  partition.rows().for_each([&](const CustomerRow& row) {
    const InvoiceSums& sums = row.ledger.sums();
    for (std::size_t s = 0; s < row.segments.size(); ++s) {
      if (row.segments[s].segment == kNoSegmentCode) continue;
      const Segmentation& segmentation = rules.segmentations[s];
      add(moves.stocks,
          fmt::format("{} {}", segmentation.name(),
                      segment_info(segmentation, row.segments[s].segment).name),
          {1, sums.purchases.units - sums.credits.units});
    }
  });
}

// And histories, which an erasure ends; from what was published.
void recompute_flows(const MemoryWorld& world, Moves& moves) {
  for (const OutputRecord& record : world.topics.records) {
    if (record.topic != OutputTopic::kTransitions && record.topic != OutputTopic::kReceipts)
      continue;
    rapidjson::Document body;
    body.Parse(record.value->c_str());
    if (record.topic == OutputTopic::kReceipts) {
      const auto& partition = world.input[body["partition"].GetUint()];
      moves.histories.erase(*partition[body["offset"].GetUint()].key);
      continue;
    }
    const std::string day = std::string(body["effective_at"].GetString()).substr(0, 10);
    const std::string reason = body["reason"].GetString();
    const bool actionable = body["actionable"].GetBool();
    const std::int64_t money = body.HasMember("after") && body["after"].HasMember("monetary")
                                   ? units_of(body["after"]["monetary"])
                                   : 0;
    add(moves.flows,
        fmt::format("{} {} {}>{} {} {}", day, body["segmentation"].GetString(),
                    body["from"]["segment"].GetString(), body["to"].GetString(), reason,
                    actionable),
        {1, money});
    moves.histories[*record.key] +=
        fmt::format("{} {}>{} {} {}\n", day, body["segmentation"].GetString(),
                    body["to"].GetString(), reason, actionable);
  }
}

// What books are kept under.
Rules random_limits(std::mt19937_64& random) {
  constexpr std::array<int, 4> kUndoDays = {3650, 3650, 6, 0};
  Rules rules;
  rules.sales_undo = std::chrono::hours{24 * kUndoDays[random() % kUndoDays.size()]};
  if (random() % 3 == 0) rules.sales_products_max = 3;
  if (random() % 3 == 0) rules.sales_countries_max = 2;
  return rules;
}

PipelineOptions options_for(const Rules& rules, std::mt19937_64& random) {
  PipelineOptions options;
  options.decoder.format = InputFormat::kInvoices;
  options.decoder.types = "void if /type = void, credit if /type = credit, invoice";
  options.rules = rules;
  options.training = {.cluster_count = 2,
                      .cluster_history_ms = 0,
                      .challenger_count = 1,
                      .population_on = 4,
                      .population_off = 3,
                      .churn_weeks = 4};
  options.lanes = 1 + static_cast<int>(random() % 2);
  options.random_batches = random();
  options.piece_rows = 1 + random() % 20;
  options.commit_interval = std::chrono::milliseconds(1 + random() % 20);
  return options;
}

void lose_store(MemoryWorld& world) {
  for (PartitionId p = 0; p < static_cast<PartitionId>(world.input.size()); ++p)
    ASSERT_TRUE(world.store.drop_partition(p).ok());
}

// Lives that end anywhere, until one reaches the end.
void run_lives(MemoryWorld& world, const Rules& rules, std::mt19937_64& random) {
  for (int life = 0; life < 1'000; ++life) {
    if (random() % 4 == 0) {
      ASSERT_NO_FATAL_FAILURE(lose_store(world));
    }
    MemoryPipeline pipeline(world, options_for(rules, random));
    ASSERT_TRUE(pipeline.restore().ok());
    for (std::uint64_t steps = 1 + random() % 60; steps > 0; --steps) {
      const absl::StatusOr<Lane::Activity> activity = pipeline.step();
      ASSERT_TRUE(activity.ok()) << activity.status();
      if (*activity != Lane::Activity::kAtEnd) continue;
      ASSERT_TRUE(pipeline.run_to_end(std::nullopt).ok());
      return;
    }
  }
  FAIL() << "no life reached the end";
}

// What a set of histories must have had.
struct Seen {
  std::size_t erased = 0;
  std::size_t flows = 0;
  std::size_t left_lines = 0;
  std::size_t others = 0;  // Cells of names beyond a maximum.
};

Sales expected_sales(const std::vector<Event>& events, const Rules& rules, std::size_t partitions,
                     Seen& seen) {
  Sales sales;
  for (std::size_t p = 0; p < partitions; ++p) {
    SalesOracle oracle(rules);
    for (const Event& event : events)
      if (event.partition == p) oracle.apply(event);
    seen.left_lines += oracle.left_lines();
    const Sales mine = oracle.take();
    for (const auto& [key, sums] : mine.figures) add(sales.figures, key, sums);
    for (const auto& [product, description] : mine.descriptions)
      sales.descriptions.emplace(fmt::format("{} {}", p, product), description);
  }
  for (const auto& [key, sums] : sales.figures) seen.others += key.ends_with("(other)") ? 1U : 0U;
  return sales;
}

void run_history(std::uint64_t seed, Seen& seen) {
  std::mt19937_64 random(seed);
  const std::size_t partitions = 1 + random() % 2;
  const Rules rules = random_limits(random);
  const std::vector<Event> events = random_events(random, partitions);
  MemoryWorld world(input_of(events, partitions));
  ASSERT_NO_FATAL_FAILURE(run_lives(world, rules, random));
  if (random() % 2 == 0) {
    ASSERT_NO_FATAL_FAILURE(lose_store(world));
  }
  MemoryPipeline pipeline(world, options_for(rules, random));
  ASSERT_TRUE(pipeline.restore().ok());
  ASSERT_EQ(pipeline.counters().dead_lettered_total(), 0U);
  Sales sales;
  Moves booked;
  Moves expected;
  for (const Partition* partition : pipeline.partitions()) {
    read_sales(*partition, sales);
    read_moves(*partition, booked);
    recompute_stocks(*partition, expected);
  }
  recompute_flows(world, expected);
  const Sales true_sales = expected_sales(events, rules, partitions, seen);
  ASSERT_NO_FATAL_FAILURE(expect_same_figures(true_sales.figures, sales.figures));
  ASSERT_EQ(true_sales.descriptions, sales.descriptions);
  ASSERT_NO_FATAL_FAILURE(expect_same_figures(expected.stocks, booked.stocks));
  ASSERT_NO_FATAL_FAILURE(expect_same_figures(expected.flows, booked.flows));
  ASSERT_EQ(expected.histories, booked.histories);
  seen.erased += pipeline.counters().erased;
  seen.flows += booked.flows.size();
}

TEST(Books, EqualARecomputation) {
  const char* const asked = std::getenv("RFM_HISTORIES");  // NOLINT(concurrency-mt-unsafe)
  const std::uint64_t count = asked == nullptr ? 30 : std::strtoull(asked, nullptr, 10);
  Seen seen;
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    SCOPED_TRACE(fmt::format("seed={}", seed));
    ASSERT_NO_FATAL_FAILURE(run_history(seed, seen));
  }
  EXPECT_GT(seen.erased, count);
  EXPECT_GT(seen.flows, count * 20);
  EXPECT_GT(seen.left_lines, count);
  EXPECT_GT(seen.others, count);
}

}  // namespace
}  // namespace rfm
