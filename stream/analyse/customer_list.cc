#include "stream/analyse/customer_list.h"

#include <algorithm>
#include <utility>

namespace rfm {

CustomerList::CustomerList(const Rules& rules, CustomerQuery query)
    : rules_(rules), query_(std::move(query)), top_(query_.sort, (query_.page + 1) * query_.size) {
  if (!query_.segment) return;
  segmentation_ = rules.segmentations.find(query_.segment->segmentation);
  if (segmentation_ < rules.segmentations.size())
    segment_ = find_segment(rules.segmentations[segmentation_], query_.segment->segment);
}

void CustomerList::add(const CustomerRow& row, const CustomerFacts& facts, const Rules& row_rules) {
  if (query_.country && row.country != *query_.country) return;
  const CustomerFigures figures = figures_of(row, facts, row_rules, rules_, history_);
  if (query_.segment && (!segment_ || segment_of(figures, segmentation_) != *segment_)) return;
  ++total_;
  top_.add(figures);
}

void CustomerList::merge(const CustomerList& other) {
  total_ += other.total_;
  top_.merge(other.top_);
}

std::vector<ListedCustomer> CustomerList::page() const {
  std::vector<ListedCustomer> customers = top_.sorted();
  const std::size_t first = std::min(customers.size(), query_.page * query_.size);
  customers.erase(customers.begin(), customers.begin() + static_cast<std::ptrdiff_t>(first));
  return customers;
}

}  // namespace rfm
