// A synthetic retail history: customers join, buy at their own rates, stop, return goods. The same
// options give the same history on every machine. Memory grows with the number of customers, not of
// invoices.
//
// Each customer buys by a Poisson process in shop time (stream/generate/seasonal_clock.h) whose
// rate is drawn from a Gamma distribution, until an exponential lifetime ends whose rate is again
// Gamma: the Pareto/NBD model (Schmittlein, Morrison, Colombo, 1987). Spend differs between
// customers by basket size and quantities.
#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <span>
#include <vector>

#include "state/event_time.h"
#include "stream/generate/retail_catalogue.h"
#include "stream/generate/seasonal_clock.h"
#include "stream/generate/seeded_random.h"

namespace rfm {

struct GeneratorOptions {
  std::uint32_t customers = 1'000;
  int days = 365;
  EventTime start = from_ms(1'704'067'200'000);  // 2024-01-01.
  std::uint64_t seed = 1;
  TradingHours hours = TradingHours::kShop;
  double late_share = 0;         // Of the sales: they come minutes to hours after their time.
  double return_share = .06;     // Of the sales: some or all of it is returned days later.
  std::uint32_t tombstones = 0;  // Erasures, in the second half; at most `customers`.
};

struct GeneratedLine {
  std::uint32_t product = 0;  // Index in the catalogue.
  std::uint32_t quantity = 0;
};

enum class GeneratedKind : std::uint8_t { kSale, kReturn, kErasure };

struct GeneratedEvent {
  GeneratedKind kind = GeneratedKind::kSale;
  std::uint32_t customer = 0;
  std::uint8_t country = 0;
  EventTime time{};  // When it happened.
  EventTime
      emitted_at{};  // When it is in the log: later than `time` for late ones. Never goes back.
  std::uint64_t number = 0;              // Sales and returns count together, from 1.
  std::uint64_t original = 0;            // Returns: the sale's number.
  std::span<const GeneratedLine> lines;  // Until the next call.
};

class Generator {
 public:
  explicit Generator(const GeneratorOptions& options);

  // In the order of `emitted_at`; absent at the end.
  std::optional<GeneratedEvent> next();

  const RetailCatalogue& catalogue() const { return catalogue_; }
  // Progress: the history's span.
  EventTime start() const { return clock_.start(); }
  EventTime end() const { return clock_.end(); }

 private:
  struct Customer {
    SeededRandom random{0};
    double shop_days = 0;     // The next sale.
    EventTime gone_at{};      // Buys nothing from here on.
    float gap_shop_days = 0;  // Mean time between sales.
    float basket_lines = 0;   // Mean number of lines.
    std::uint8_t quantity_level = 0;
    std::uint8_t country = 0;
    bool return_pending = false;
  };
  // Something that will be in the log. Sales wait here one per customer; late sales, returns and
  // erasures besides.
  struct Pending {
    EventTime emitted_at{};
    std::uint32_t customer = 0;
    GeneratedKind kind = GeneratedKind::kSale;
    bool late = false;  // A sale that has been held back.
    EventTime time{};
    EventTime sold_at{};       // Returns: when the sale was.
    std::uint64_t number = 0;  // Held back: its own; returns: the sale's.
    std::uint64_t lines_seed = 0;
    std::uint64_t return_seed = 0;
  };
  struct Later {
    bool operator()(const Pending& a, const Pending& b) const;
  };

  Customer make_customer(std::uint32_t index) const;
  void schedule_sale(std::uint32_t index);
  void schedule_return(const Pending& sale, std::uint64_t number);
  void fill_sale(const Customer& customer, EventTime time, std::uint64_t lines_seed);
  void fill_return(std::uint64_t return_seed);
  GeneratedEvent event_of(const Pending& pending, std::uint64_t number,
                          std::uint64_t original) const;

  GeneratorOptions options_;
  RetailCatalogue catalogue_;
  SeasonalClock clock_;
  std::vector<Customer> customers_;
  std::priority_queue<Pending, std::vector<Pending>, Later> pending_;
  std::uint64_t numbers_ = 0;
  std::vector<GeneratedLine> lines_;
};

}  // namespace rfm
