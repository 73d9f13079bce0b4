// The books of all partitions, added up under names, for who answers by them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "state/customer_row.h"
#include "state/money.h"
#include "state/transition.h"
#include "stream/analyse/moves_summary.h"
#include "stream/analyse/sales_summary.h"
#include "stream/pipeline/partition_books.h"

namespace rfm {

// Sums of a pass (population_pass.h) that looks at books only: one slice for each partition.
class BookSums {
 public:
  void read(const PartitionBooks& books);
  void reach(EventTime clock) { as_of_ = std::max(as_of_, clock); }
  void merge(const BookSums& other);

  EventTime as_of() const { return as_of_; }
  // From when on all of them count; absent: from the first record on.
  std::optional<EventTime> since() const { return since_; }
  bool keeps_sales() const { return keeps_sales_; }
  bool keeps_moves() const { return keeps_moves_; }
  const SalesSummary& sales() const { return sales_; }
  const MovesSummary& moves() const { return moves_; }

 private:
  EventTime as_of_ = kBeforeAll;
  std::optional<EventTime> since_;
  bool keeps_sales_ = false;
  bool keeps_moves_ = false;
  SalesSummary sales_;
  MovesSummary moves_;
};

// What is asked of moves. Days are inclusive.
struct MovesAsked {
  // kNet: customers by where they were before the first day and are after the last, if that
  // differs, with all their moves between. kGross: customers by each of their moves.
  enum class By : std::uint8_t { kGross, kNet };

  std::string segmentation;
  std::int64_t from_day = 0;
  std::int64_t to_day = 0;
  By by = By::kGross;
  std::optional<Reason> reason;  // With kGross.
  std::string from_segment;      // Empty: any, as with the next.
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
    std::vector<CustomerMove> moves;  // Those asked for; at least one.
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
  std::int64_t total() const { return total_; }          // Who are asked for.
  Money monetary() const { return monetary_; }           // Of these, each counted once.
  std::vector<Customer> page() const;                    // By money, most first.

 private:
  static bool goes_before(const Customer& a, const Customer& b) {
    return a.monetary != b.monetary ? a.monetary > b.monetary : a.id < b.id;
  }
  bool is_asked_for(const std::string& from, const std::string& to) const;
  bool is_asked_for(const CustomerMove& move) const;
  void put(Customer customer);

  MovesAsked asked_;
  const PartitionBooks* books_ = nullptr;  // Of the partition that is looked at.
  EventTime as_of_ = kBeforeAll;
  std::map<std::pair<std::string, std::string>, std::int64_t> net_;
  std::int64_t came_back_ = 0;
  std::int64_t total_ = 0;
  Money monetary_;
  std::vector<Customer> heap_;  // The last one on top.
};

}  // namespace rfm
