// The books of sales (state/sales_book.h) added up over partitions, as people ask for them. Sales
// are as known now, on their own day; credits subtract on theirs.
#pragma once

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

#include "state/book.h"
#include "state/money.h"
#include "state/sales_book.h"

namespace rfm {

struct SalesSums {
  Money gross;                // Sales,
  Money credits;              // and what was given back, >= 0.
  std::int64_t invoices = 0;  // Of customers, and so are credit notes.
  std::int64_t credit_notes = 0;
  // Sales and returns without a customer: each line, where they come as lines.
  std::int64_t unnamed_records = 0;
  std::int64_t invoices_and_unnamed_sales = 0;  // Of hours, whose book has both in one.
  std::int64_t units = 0;                       // In 10^-4; returned ones taken off.
  std::int64_t customers = 0;  // Who bought on the day in the country; 0 of other sums.

  Money net() const { return {gross.units - credits.units}; }
  void add(const SalesSums& other);

  friend bool operator==(const SalesSums&, const SalesSums&) = default;
};

struct NamedSales {
  std::string name;
  SalesSums sums;
};

struct DaySales {
  std::int64_t day = 0;  // Since 1970-01-01.
  std::string country;   // Empty: not said.
  Buyer buyer = Buyer::kKnown;
  SalesSums sums;
};

struct HourSales {
  std::int64_t month = 0;  // Since 1970-01.
  int hour_of_week = 0;    // 0: Monday, 00:00 to 01:00, UTC.
  SalesSums sums;          // Of amounts, units, and `invoices_and_unnamed_sales`.
};

struct ProductSales {
  std::int64_t month = 0;
  std::string product;  // Empty: of no product.
  std::string description;
  SalesSums sums;  // Of amounts and units only.
  std::int64_t lines = 0;
};

inline constexpr std::size_t kHoursOfWeek = 7 * 24;

class SalesSummary {
 public:
  // A cell of a partition's book; one of something else is passed over.
  void add(std::string_view key, const Book::Cell& cell);
  void merge(const SalesSummary& other);
  // From when on all partitions' books count (state/book.h, kBookBegin).
  std::optional<EventTime> since() const { return since_; }

  bool empty() const { return days_.empty(); }

  // In order.
  std::vector<DaySales> days() const;
  std::vector<HourSales> hours() const;
  std::vector<ProductSales> products() const;

  SalesSums all() const;
  SalesSums unnamed() const;                  // Without a customer.
  std::vector<NamedSales> countries() const;  // Most net sales first, then by name.
  std::vector<NamedSales> months() const;     // "2010-12", without gaps.
  std::array<SalesSums, kHoursOfWeek> week() const;
  // Over all months, most net sales first, then by product.
  std::vector<ProductSales> products_in_all() const;

 private:
  struct ProductSums {
    SalesSums sums;
    std::int64_t lines = 0;

    void add(const ProductSums& other);
  };
  struct Description {
    std::int64_t at_ms = 0;
    std::string text;
  };
  // The newest that says something.
  void describe(const std::string& product, const Description& said);

  std::string description_of(const std::string& product) const;

  std::map<std::tuple<std::int64_t, std::string, Buyer>, SalesSums> days_;
  std::map<std::pair<std::int64_t, int>, SalesSums> hours_;
  std::map<std::pair<std::int64_t, std::string>, ProductSums> products_;
  std::map<std::string, Description> descriptions_;
  std::optional<EventTime> since_;
};

}  // namespace rfm
