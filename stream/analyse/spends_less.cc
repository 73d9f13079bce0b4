#include "stream/analyse/spends_less.h"

#include <algorithm>
#include <utility>

#include "stream/analyse/money_sum.h"

namespace rfm {
namespace {

__extension__ using Wide = __int128;

bool goes_before(const SpendsLess& a, const SpendsLess& b) {
  const Money missing_a = a.missing();
  const Money missing_b = b.missing();
  return missing_a != missing_b ? missing_a > missing_b : a.customer_id < b.customer_id;
}

}  // namespace

double SpendsLess::order_value_before() const {
  return ratio(currency_units(value_before), static_cast<double>(frequency - newer));
}

double SpendsLess::order_value() const {
  return ratio(currency_units(value), static_cast<double>(newer));
}

Money SpendsLess::missing() const {
  const Wide older = frequency - newer;
  return {static_cast<std::int64_t>((Wide{value_before.units} * newer - Wide{value.units} * older) /
                                    older)};
}

void SpendsLessList::add(const CustomerFigures& figures) {
  const std::span<const Purchase> purchases = figures.history.purchases();
  const auto count = static_cast<std::int64_t>(purchases.size());
  if (count < std::max<std::int64_t>(2, options_.orders_min)) return;
  SpendsLess customer{.customer_id = {},
                      .frequency = count,
                      .newer = count - count / 2,
                      .value_before = {},
                      .value = {}};
  for (std::int64_t i = 0; i < count; ++i) {
    add_to(i < count / 2 ? customer.value_before : customer.value,
           purchases[static_cast<std::size_t>(i)].value);
  }
  const Money missing = customer.missing();
  if (missing <= Money{}) return;
  ++customers_;
  add_to(missing_, missing);
  customer.customer_id = figures.row.id;
  put(std::move(customer));
}

void SpendsLessList::put(SpendsLess customer) {
  heap_.push_back(std::move(customer));
  std::ranges::push_heap(heap_, goes_before);
  if (heap_.size() <= options_.listed_max) return;
  std::ranges::pop_heap(heap_, goes_before);
  heap_.pop_back();
}

void SpendsLessList::merge(const SpendsLessList& other) {
  customers_ += other.customers_;
  add_to(missing_, other.missing_);
  for (const SpendsLess& customer : other.heap_) put(customer);
}

std::vector<SpendsLess> SpendsLessList::sorted() const {
  std::vector<SpendsLess> customers = heap_;
  std::ranges::sort(customers, goes_before);
  return customers;
}

}  // namespace rfm
