// The books of all partitions, added up under names, for who answers by them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "state/customer_row.h"
#include "state/money.h"
#include "state/transition.h"
#include "stream/analyse/money_sum.h"
#include "stream/pipeline/partition_books.h"

namespace rfm {

struct SaleSums {
  Money gross;
  Money credits;
  std::int64_t invoices = 0;
  std::int64_t units = 0;  // In 10^-4.
  std::int64_t customers = 0;

  Money net() const { return gross - credits; }
  void add(const SaleSums& other);
};

struct SegmentStock {
  std::int64_t customers = 0;
  Money monetary;

  void add(const SegmentStock& other) {
    customers += other.customers;
    add_to(monetary, other.monetary);
  }
};

struct FlowKey {
  std::string segmentation;
  std::int64_t day = 0;
  std::string from;
  std::string to;
  Reason reason{};
  bool is_actionable = false;

  friend auto operator<=>(const FlowKey&, const FlowKey&) = default;
};

// Sums of a pass (population_pass.h) that looks at books only: one slice for each partition.
class BookSums {
 public:
  struct Product {
    EventTime described_at = kBeforeAll;
    std::string description;
  };

  void read(const PartitionBooks& books);
  void reach(EventTime clock) { as_of_ = std::max(as_of_, clock); }
  void merge(const BookSums& other);

  EventTime as_of() const { return as_of_; }
  // From when on all of them count; absent: from the first record on.
  std::optional<EventTime> since() const { return since_; }
  bool keeps_sales() const { return keeps_sales_; }
  bool keeps_moves() const { return keeps_moves_; }

  // By day and country; of customers, and of nobody.
  using Days = std::map<std::pair<std::int64_t, std::string>, SaleSums>;
  const Days& known_days() const { return known_; }
  const Days& unnamed_days() const { return unnamed_; }
  // By month and hour of the week; by month and product, where "" is of no product.
  const std::map<std::pair<std::int64_t, int>, SaleSums>& hours() const { return hours_; }
  const std::map<std::pair<std::int64_t, std::string>, SaleSums>& products() const {
    return products_;
  }
  std::string_view description_of(const std::string& product) const;

  // By segmentation and day, the change of each segment that day.
  using Stocks =
      std::map<std::pair<std::string, std::int64_t>, std::map<std::string, SegmentStock>>;
  const Stocks& stocks() const { return stocks_; }
  const std::map<FlowKey, SegmentStock>& flows() const { return flows_; }

 private:
  void read_sales(const SalesCell& key, const Book::Cell& cell);
  void read_moves(const PartitionBooks& books, const MovesCell& key, const Book::Cell& cell);
  void describe(const std::string& product, const Product& as);

  EventTime as_of_ = kBeforeAll;
  std::optional<EventTime> since_;
  bool keeps_sales_ = false;
  bool keeps_moves_ = false;
  Days known_;
  Days unnamed_;
  std::map<std::pair<std::int64_t, int>, SaleSums> hours_;
  std::map<std::pair<std::int64_t, std::string>, SaleSums> products_;
  std::map<std::string, Product, std::less<>> descriptions_;
  Stocks stocks_;
  std::map<FlowKey, SegmentStock> flows_;
};

// What is asked of moves. Days are inclusive.
struct MovesAsked {
  std::string segmentation;
  std::int64_t from_day = 0;
  std::int64_t to_day = 0;
  std::optional<Reason> reason;
  std::string from_segment;  // Empty: any, as with the next.
  std::string to_segment;
  std::size_t page = 0;
  std::size_t size = 50;
};

// One customer's move, with the segment that he left.
struct CustomerMove {
  std::int64_t day = 0;
  std::string segmentation;
  std::string from;
  std::string to;
  Reason reason{};
  bool is_actionable = false;
};
// All that the row keeps, the oldest first.
std::vector<CustomerMove> moves_of(const CustomerRow& row, const PartitionBooks& books);

// Sums of a pass over the customers' own moves between two dates.
class MovedSums {
 public:
  struct Customer {
    std::string id;
    Money monetary;
    std::vector<CustomerMove> moves;  // Those asked for.
  };

  explicit MovedSums(MovesAsked asked) : asked_(std::move(asked)) {}

  void read(const PartitionBooks& books) { books_ = &books; }
  void add(const CustomerRow& row, const CustomerFacts& facts, const Rules& rules);
  void reach(EventTime clock) { as_of_ = std::max(as_of_, clock); }
  void merge(const MovedSums& other);

  EventTime as_of() const { return as_of_; }
  // Customers by the segments in which they were before the first day and after the last, of those
  // that differ.
  const std::map<std::pair<std::string, std::string>, std::int64_t>& net() const { return net_; }
  std::int64_t came_back() const { return came_back_; }  // Moved, and are where they were.
  std::int64_t total() const { return total_; }          // Who have a move that is asked for.
  std::vector<Customer> page() const;                    // By money, most first.

 private:
  static bool goes_before(const Customer& a, const Customer& b) {
    return a.monetary != b.monetary ? a.monetary > b.monetary : a.id < b.id;
  }
  bool is_asked_for(const CustomerMove& move) const;
  void put(Customer customer);

  MovesAsked asked_;
  const PartitionBooks* books_ = nullptr;  // Of the partition that is looked at.
  EventTime as_of_ = kBeforeAll;
  std::map<std::pair<std::string, std::string>, std::int64_t> net_;
  std::int64_t came_back_ = 0;
  std::int64_t total_ = 0;
  std::vector<Customer> heap_;  // The last one on top.
};

}  // namespace rfm
