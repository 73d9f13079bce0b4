// The customers that come first by one figure, without keeping the others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stream/analyse/customer_figures.h"

namespace rfm {

enum class CustomerSort : std::uint8_t {
  kMonetary,     // Most first.
  kFrequency,    // Most first.
  kRecency,      // The last who bought first; who never did last.
  kChurnRisk,    // Highest first; without one last.
  kValueAtRisk,  // Most first.
};
inline constexpr int kCustomerSortCount = 5;
std::string_view name(CustomerSort sort);  // "monetary", ...
std::optional<CustomerSort> find_customer_sort(std::string_view name);

// A line of a list.
struct ListedCustomer {
  std::string id;
  std::string country;
  CustomerFacts facts;               // Without the version.
  std::optional<std::int64_t> risk;  // In 10^-9.
  Money value_at_risk;
  std::vector<SegmentCode> segments;  // One per segmentation of the census' rules.
};

class TopCustomers {
 public:
  TopCustomers(CustomerSort sort, std::size_t max) : sort_(sort), max_(max) {}

  void add(const CustomerFigures& figures);
  void merge(const TopCustomers& other);

  // First to last; equal ones by id.
  std::vector<ListedCustomer> sorted() const;

 private:
  struct Entry {
    std::int64_t key = 0;
    ListedCustomer customer;
  };
  static bool goes_before(const Entry& a, const Entry& b) {
    return a.key != b.key ? a.key > b.key : a.customer.id < b.customer.id;
  }
  bool has_place(std::int64_t key, std::string_view id) const;
  void put(Entry entry);

  CustomerSort sort_;
  std::size_t max_;
  std::vector<Entry> heap_;  // The last one on top.
};

}  // namespace rfm
