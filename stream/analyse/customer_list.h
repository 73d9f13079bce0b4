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
    std::size_t segmentation = 0;  // In the census' rules.
    SegmentCode segment = kNoSegmentCode;
  };
  std::optional<Segment> segment;      // Absent: any.
  std::optional<std::string> country;  // Absent: any.
  CustomerSort sort = CustomerSort::kMonetary;
  std::size_t page = 0;
  std::size_t size = 50;
};

class CustomerList {
 public:
  // `rules` outlive the list.
  CustomerList(const Rules& rules, CustomerQuery query)
      : rules_(rules),
        query_(std::move(query)),
        top_(query_.sort, (query_.page + 1) * query_.size) {}

  // A row at an instant, under the rules that it is under.
  void add(const CustomerRow& row, const CustomerFacts& facts, const Rules& row_rules);
  // Of another partition, for the same query.
  void merge(const CustomerList& other);

  std::uint64_t total() const { return total_; }  // On all pages.
  std::vector<ListedCustomer> page() const;

 private:
  const Rules& rules_;
  CustomerQuery query_;
  std::uint64_t total_ = 0;
  TopCustomers top_;
  LedgerHistory history_;
};

}  // namespace rfm
