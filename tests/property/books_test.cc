// Goal: the books say what a recomputation says: of sales from the records, of stocks from the
// rows, of flows and histories from the published transitions.
// Method: random histories with late events, revisions, credits, void invoices, erasures and sales
// of nobody, in lives that end anywhere; other code adds up what is true.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "model/day.h"
#include "state/moves_book.h"
#include "state/sales_book.h"
#include "stream/text/time_text.h"
#include "tests/fake/memory_pipeline.h"
#include "tests/property/pipeline_runs.h"

namespace rfm {
namespace {

constexpr std::int64_t kStartDay = 15'000;  // 2011-01-26, a Wednesday.
constexpr std::int64_t kWeekday = 2;        // Of it, from Monday 0.

struct Line {
  std::string product;
  std::int64_t quantity = 0;
  std::int64_t price = 0;  // 10^-2
};

struct Snapshot {
  std::string customer;  // Empty: nobody.
  std::string number;
  bool is_credit = false;
  std::int64_t revision = 0;
  std::int64_t time_ms = 0;
  std::string country;
  std::vector<Line> lines;

  std::int64_t amount() const {  // 10^-4, signed as written.
    std::int64_t sum = 0;
    for (const Line& line : lines) sum += line.quantity * line.price * 100;
    return sum;
  }
  // What decides between two of one number.
  auto rank() const { return std::tuple(revision, time_ms, is_credit ? -amount() : amount()); }
};

struct Event {
  std::optional<Snapshot> snapshot;  // Absent: the customer is erased.
  std::string customer;
};

std::string json_of(const Snapshot& snapshot) {
  std::string lines;
  for (const Line& line : snapshot.lines) {
    lines += fmt::format(
        R"({}{{"stock_code":"{}","description":"name of {}","quantity":{},"unit_price":{}.{:02}}})",
        lines.empty() ? "" : ",", line.product, line.product, line.quantity, line.price / 100,
        line.price % 100);
  }
  return fmt::format(
      R"({{"type":"{}","invoice_no":"{}",{}"invoice_time":"{}","currency":"GBP",)"
      R"("country":"{}","revision":{},"lines":[{}]}})",
      snapshot.is_credit ? "credit" : "invoice", snapshot.number,
      snapshot.customer.empty() ? "" : fmt::format(R"("customer_id":"{}",)", snapshot.customer),
      to_rfc3339(from_ms(snapshot.time_ms)), snapshot.country, snapshot.revision, lines);
}

std::vector<Event> random_events(std::mt19937_64& random) {
  const std::array<std::string, 3> countries = {"United Kingdom", "France", "EIRE"};
  std::vector<Event> events;
  std::int64_t now = kStartDay * kDayMs;
  for (int i = 0; i < 150; ++i) {
    now += static_cast<std::int64_t>(random() % (16 * 3'600'000));
    if (random() % 40 == 0) {
      events.push_back({.snapshot = std::nullopt, .customer = fmt::format("c{}", random() % 8)});
      continue;
    }
    Snapshot snapshot;
    if (random() % 8 != 0) snapshot.customer = fmt::format("c{}", random() % 8);
    snapshot.number = fmt::format("{}-{}", snapshot.customer, random() % 12);
    snapshot.is_credit = random() % 5 == 0;
    snapshot.revision = static_cast<std::int64_t>(random() % 3);
    snapshot.time_ms = now;
    if (random() % 4 == 0)
      snapshot.time_ms -= static_cast<std::int64_t>(random() % (20 * std::uint64_t{kDayMs}));
    snapshot.time_ms = std::max(snapshot.time_ms, kStartDay * kDayMs) / 1000 * 1000;
    snapshot.country = countries[random() % countries.size()];
    for (std::uint64_t n = 1 + random() % 4; n > 0; --n) {
      snapshot.lines.push_back({.product = fmt::format("p{}", random() % 6),
                                .quantity = 1 + static_cast<std::int64_t>(random() % 9),
                                .price = static_cast<std::int64_t>(random() % 2'000)});
      if (snapshot.is_credit) snapshot.lines.back().quantity *= -1;
    }
    events.push_back({.snapshot = snapshot, .customer = snapshot.customer});
  }
  return events;
}

MemoryInput input_of(const std::vector<Event>& events) {
  MemoryInput input(1);
  std::int64_t received = 0;
  for (const Event& event : events) {
    MemoryRecord record{.key = event.customer, .value = std::nullopt};
    if (event.customer.empty()) record.key = "nobody";
    if (event.snapshot) {
      record.value = json_of(*event.snapshot);
      received = std::max(received, event.snapshot->time_ms);
    }
    record.received_ms = received;
    input[0].push_back(record);
  }
  return input;
}

// By what it is of, as text.
using Figures = std::map<std::string, Book::Sums>;

void add(Figures& figures, const std::string& key, const Book::Sums& by) {
  Book::Sums& sums = figures[key];
  for (std::size_t i = 0; i < by.size(); ++i) sums[i] += by[i];
}

std::string month_text(std::int64_t month) {
  return fmt::format("{:04}-{:02}", 1970 + month / 12, month % 12 + 1);
}

// The text of a day begins with its month.
std::string day_text(std::int64_t time_ms) { return to_rfc3339(from_ms(time_ms)).substr(0, 10); }

void add_sale(Figures& figures, const Snapshot& sale) {
  const std::int64_t worth = std::abs(sale.amount());
  const std::int64_t gross = sale.is_credit ? 0 : worth;
  const std::int64_t credits = sale.is_credit ? worth : 0;
  const std::int64_t invoices = sale.is_credit ? 0 : 1;
  const std::string month = day_text(sale.time_ms).substr(0, 7);
  std::int64_t units = 0;
  for (const Line& line : sale.lines) {
    const std::int64_t amount = line.quantity * line.price * 100;
    units += line.quantity * 10'000;
    add(figures, fmt::format("product {} {}", month, line.product),
        {std::max<std::int64_t>(amount, 0), std::max<std::int64_t>(-amount, 0),
         line.quantity * 10'000, 1});
  }
  add(figures,
      fmt::format("{} {} {}", sale.customer.empty() ? "unnamed" : "day", day_text(sale.time_ms),
                  sale.country),
      {gross, credits, invoices, units, 0, 1 - invoices});
  const std::int64_t hour = sale.time_ms / 3'600'000 - kStartDay * 24;
  add(figures, fmt::format("hour {} {}", month, (hour + kWeekday * 24) % 168),
      {gross, credits, invoices, units});
}

// From the records alone: what wins of each number, of each life of a customer.
Figures recomputed_sales(const std::vector<Event>& events) {
  using Numbers = std::map<std::pair<std::string, bool>, Snapshot>;
  std::map<std::string, Numbers> living;
  std::vector<Numbers> ended;
  Figures figures;
  for (const Event& event : events) {
    if (!event.snapshot) {
      ended.push_back(std::exchange(living[event.customer], {}));
      continue;
    }
    const Snapshot& snapshot = *event.snapshot;
    if (snapshot.customer.empty()) {
      add_sale(figures, snapshot);
      continue;
    }
    const auto [known, is_new] =
        living[snapshot.customer].try_emplace({snapshot.number, snapshot.is_credit}, snapshot);
    if (!is_new && snapshot.rank() > known->second.rank()) known->second = snapshot;
  }
  for (auto& [customer, numbers] : living) ended.push_back(std::move(numbers));
  for (const Numbers& life : ended) {
    std::map<std::string, int> bought;
    for (const auto& [number, snapshot] : life) {
      add_sale(figures, snapshot);
      if (!snapshot.is_credit)
        bought[fmt::format("day {} {}", day_text(snapshot.time_ms), snapshot.country)] = 1;
    }
    for (const auto& [place, one] : bought) add(figures, place, {0, 0, 0, 0, one, 0});
  }
  return figures;
}

Figures booked_sales(const Partition& partition) {
  Figures figures;
  partition.books().cells().for_each([&](std::string_view key, const Book::Cell& cell) {
    const std::optional<SalesCell> sales = sales_cell(key);
    if (!sales) return;
    std::string text;
    switch (sales->kind) {
      case SalesCell::Kind::kDay:
        text = fmt::format("day {} {}", day_text(sales->day * kDayMs), sales->name);
        break;
      case SalesCell::Kind::kUnnamedDay:
        text = fmt::format("unnamed {} {}", day_text(sales->day * kDayMs), sales->name);
        break;
      case SalesCell::Kind::kHour:
        text = fmt::format("hour {} {}", month_text(sales->month), sales->hour_of_week);
        break;
      case SalesCell::Kind::kProduct:
        text = fmt::format("product {} {}", month_text(sales->month), sales->name);
        break;
      case SalesCell::Kind::kProductName:
        EXPECT_EQ(*cell.text, fmt::format("name of {}", sales->name));
        return;
    }
    add(figures, text, cell.sums);
  });
  return figures;
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

Moves booked_moves(const Partition& partition) {
  Moves moves;
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
  return moves;
}

std::int64_t units_of(const rapidjson::Value& money) {
  const std::string text = money.GetString();
  const std::size_t point = text.find('.');
  std::string digits = text.substr(0, point);
  std::string fraction = point == std::string::npos ? "" : text.substr(point + 1);
  fraction.resize(4, '0');
  return std::stoll(digits + fraction);
}

// Stocks from the rows; flows and histories from what was published.
Moves recomputed_moves(const Partition& partition, const MemoryWorld& world, const Rules& rules) {
  Moves moves;
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
  for (const OutputRecord& record : world.topics.of(OutputTopic::kTransitions)) {
    rapidjson::Document body;
    body.Parse(record.value->c_str());
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
    std::string& history = moves.histories[*record.key];
    history += fmt::format("{} {}>{} {} {}\n", day, body["segmentation"].GetString(),
                           body["to"].GetString(), reason, actionable);
    if (reason == "erasure") history.clear();  // What comes after it is another life.
  }
  std::erase_if(moves.histories, [](const auto& entry) { return entry.second.empty(); });
  return moves;
}

PipelineOptions options_for(std::mt19937_64& random) {
  PipelineOptions options;
  options.decoder.format = InputFormat::kInvoices;
  options.rules.sales_undo = std::chrono::hours{24 * 3650};
  options.training = {.cluster_count = 2,
                      .cluster_history_ms = 0,
                      .challenger_count = 1,
                      .population_on = 4,
                      .population_off = 3,
                      .churn_weeks = 4};
  options.random_batches = random();
  options.piece_rows = 1 + random() % 20;
  options.commit_interval = std::chrono::milliseconds(1 + random() % 20);
  return options;
}

// Lives that end anywhere, until one reaches the end.
void run_lives(MemoryWorld& world, std::mt19937_64& random) {
  for (int life = 0; life < 1'000; ++life) {
    MemoryPipeline pipeline(world, options_for(random));
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

TEST(Books, EqualARecomputation) {
  std::size_t erased = 0;
  std::size_t flows = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(fmt::format("seed={}", seed));
    std::mt19937_64 random(seed);
    const std::vector<Event> events = random_events(random);
    MemoryWorld world(input_of(events));
    run_lives(world, random);
    MemoryPipeline pipeline(world, options_for(random));
    ASSERT_TRUE(pipeline.restore().ok());
    const Partition& partition = *pipeline.partitions().front();
    ASSERT_EQ(pipeline.counters().dead_lettered_total(), 0U);
    ASSERT_NO_FATAL_FAILURE(expect_same_figures(recomputed_sales(events), booked_sales(partition)));
    const Rules rules;
    const Moves booked = booked_moves(partition);
    const Moves expected = recomputed_moves(partition, world, rules);
    ASSERT_NO_FATAL_FAILURE(expect_same_figures(expected.stocks, booked.stocks));
    ASSERT_NO_FATAL_FAILURE(expect_same_figures(expected.flows, booked.flows));
    ASSERT_EQ(expected.histories, booked.histories);
    erased += pipeline.counters().erased;
    flows += booked.flows.size();
  }
  EXPECT_GT(erased, 40U);
  EXPECT_GT(flows, 1'000U);
}

}  // namespace
}  // namespace rfm
