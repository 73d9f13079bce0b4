// Random histories of sales with revisions, late events, credits, void invoices, erasures and sales
// of nobody; and what the books must say of them, by other code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "state/book.h"
#include "state/rules.h"
#include "tests/fake/memory_source.h"

namespace rfm {

struct Line {
  std::string product;
  std::string description;
  std::int64_t quantity = 0;
  std::int64_t price = 0;  // 10^-2
};

enum class Type : std::uint8_t { kInvoice, kCredit, kVoid };

struct Snapshot {
  std::string customer;  // Empty: nobody.
  std::string number;
  std::string original;  // Of some credits.
  Type type = Type::kInvoice;
  std::int64_t revision = 0;
  std::int64_t time_ms = 0;  // No two have the same.
  std::string country;
  std::vector<Line> lines;

  bool is_credit() const { return type == Type::kCredit; }
  std::int64_t amount() const {  // 10^-4, signed as written.
    std::int64_t sum = 0;
    for (const Line& line : lines) sum += line.quantity * line.price * 100;
    return sum;
  }
  // What decides between two of one number.
  auto rank() const { return std::tuple(revision, time_ms); }
};

struct Event {
  std::optional<Snapshot> snapshot;  // Absent: the customer is erased.
  std::string customer;
  std::size_t partition = 0;
};

std::vector<Event> random_events(std::mt19937_64& random, std::size_t partitions);
MemoryInput input_of(const std::vector<Event>& events, std::size_t partitions);

// By what it is of, as text.
using Figures = std::map<std::string, Book::Sums>;
void add(Figures& figures, const std::string& key, const Book::Sums& by);
// The text of a day begins with its month.
std::string day_text(std::int64_t time_ms);

// The names that come first, of one partition.
class FirstNames {
 public:
  explicit FirstNames(std::size_t names_max) : names_max_(names_max) {}

  std::string of(const std::string& name);

 private:
  std::size_t names_max_;
  std::set<std::string> names_;
};

struct Sales {
  Figures figures;
  std::map<std::string, std::string> descriptions;  // By product.
};

// Of one partition, from its records alone: what wins of each number in each life of a customer.
// What was corrected when its lines were gone leaves them behind.
class SalesOracle {
 public:
  explicit SalesOracle(const Rules& rules)
      : undo_ms_(rules.sales_undo.count()),
        products_(rules.sales_products_max),
        countries_(rules.sales_countries_max) {}

  void apply(const Event& event);
  Sales take();
  // How many corrections left lines behind.
  std::size_t left_lines() const { return left_lines_; }

 private:
  struct Winner {
    Snapshot snapshot;
    bool has_lines = false;
  };
  using Numbers = std::map<std::pair<std::string, bool>, Winner>;

  bool is_kept(const Snapshot& sale) const;
  void introduce(const Snapshot& sale);
  void leave_lines(const Winner& replaced);
  void end_life(const Numbers& numbers);
  void add_sale(const Snapshot& sale);
  void add_to_day_and_hour(const Snapshot& sale, std::int64_t units, std::int64_t sign);

  std::int64_t undo_ms_;
  FirstNames products_;
  FirstNames countries_;
  std::int64_t watermark_ms_ = 0;
  std::map<std::string, std::int64_t> described_on_;
  std::map<std::string, Numbers> living_;
  std::size_t left_lines_ = 0;
  Sales sales_;
};

}  // namespace rfm
