// The customers of a segment or a country, a page at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stream/analyse/top_customers.h"

namespace rfm {

struct CustomerQuery {
  struct Segment {
    std::string segmentation;
    std::string segment;
  };
  std::optional<Segment> segment;      // Absent: any.
  std::optional<std::string> country;  // Absent: any.
  CustomerSort sort = CustomerSort::kMonetary;
  std::size_t page = 0;
  std::size_t size = 50;
};

class CustomerList {
 public:
  // `rules` outlive the list. Nobody is in a segmentation or a segment that they do not know.
  CustomerList(const Rules& rules, CustomerQuery query);

  // A row at an instant, under the rules that it is under.
  void add(const CustomerRow& row, const CustomerFacts& facts, const Rules& row_rules);
  // Of another partition, for the same query.
  void merge(const CustomerList& other);

  std::uint64_t total() const { return total_; }  // On all pages.
  std::vector<ListedCustomer> page() const;

 private:
  const Rules& rules_;
  CustomerQuery query_;
  std::size_t segmentation_ = 0;
  std::optional<SegmentCode> segment_;  // Absent: none is asked for, or there is none such.
  std::uint64_t total_ = 0;
  TopCustomers top_;
  LedgerHistory history_;
};

}  // namespace rfm
