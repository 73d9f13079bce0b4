#include "stream/analyse/top_customers.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "state/evaluation.h"

namespace rfm {
namespace {

constexpr std::array<std::string_view, kCustomerSortCount> kNames = {
    "monetary", "frequency", "recency", "churn_risk", "value_at_risk"};

// The largest comes first.
std::int64_t key_of(CustomerSort sort, const CustomerFigures& figures) {
  switch (sort) {
    case CustomerSort::kMonetary:
      return figures.facts.monetary.units;
    case CustomerSort::kFrequency:
      return figures.facts.frequency;
    case CustomerSort::kRecency:
      return figures.facts.frequency == 0 ? std::numeric_limits<std::int64_t>::min()
                                          : -recency_ms(figures.facts);
    case CustomerSort::kChurnRisk:
      return figures.risk.value_or(-1);
    case CustomerSort::kValueAtRisk:
      return figures.value_at_risk.units;
  }
  return 0;
}

ListedCustomer listed(const CustomerFigures& figures) {
  ListedCustomer customer{.id = figures.row.id,
                          .country = figures.row.country,
                          .facts = figures.facts,
                          .risk = figures.risk,
                          .value_at_risk = figures.value_at_risk,
                          .segments = {}};
  customer.facts.version = nullptr;
  for (std::size_t s = 0; s < figures.rules.segmentations.size(); ++s)
    customer.segments.push_back(segment_of(figures, s));
  return customer;
}

}  // namespace

std::string_view name(CustomerSort sort) { return kNames[static_cast<std::size_t>(sort)]; }

std::optional<CustomerSort> find_customer_sort(std::string_view name) {
  const auto* const found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<CustomerSort>(found - kNames.begin());
}

bool TopCustomers::has_place(std::int64_t key, std::string_view id) const {
  if (heap_.size() < max_) return true;
  if (max_ == 0) return false;
  const Entry& last = heap_.front();
  return key != last.key ? key > last.key : id < last.customer.id;
}

void TopCustomers::put(Entry entry) {
  heap_.push_back(std::move(entry));
  std::ranges::push_heap(heap_, goes_before);
  if (heap_.size() <= max_) return;
  std::ranges::pop_heap(heap_, goes_before);
  heap_.pop_back();
}

void TopCustomers::add(const CustomerFigures& figures) {
  const std::int64_t key = key_of(sort_, figures);
  if (has_place(key, figures.row.id)) put({key, listed(figures)});
}

void TopCustomers::merge(const TopCustomers& other) {
  for (const Entry& entry : other.heap_) {
    if (has_place(entry.key, entry.customer.id)) put(entry);
  }
}

std::vector<ListedCustomer> TopCustomers::sorted() const {
  std::vector<Entry> entries = heap_;
  std::ranges::sort(entries, goes_before);
  std::vector<ListedCustomer> customers;
  customers.reserve(entries.size());
  for (Entry& entry : entries) customers.push_back(std::move(entry.customer));
  return customers;
}

}  // namespace rfm
