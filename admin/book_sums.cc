#include "admin/book_sums.h"

#include "model/segmentation_spec.h"
#include "stream/analyse/money_sum.h"

namespace rfm {

void BookSums::read(const PartitionBooks& books) {
  keeps_sales_ |= books.keeps_sales();
  keeps_moves_ |= books.keeps_moves();
  since_ = std::max(since_, books.since());
  const auto name_of = [&](std::uint32_t id) { return books.name_of(id); };
  books.cells().for_each([&](std::string_view key, const Book::Cell& cell) {
    sales_.add(key, cell);
    moves_.add(key, cell, name_of);
  });
}

void BookSums::merge(const BookSums& other) {
  reach(other.as_of_);
  keeps_sales_ |= other.keeps_sales_;
  keeps_moves_ |= other.keeps_moves_;
  since_ = std::max(since_, other.since_);
  sales_.merge(other.sales_);
  moves_.merge(other.moves_);
}

std::vector<CustomerMove> moves_of(const CustomerRow& row, const PartitionBooks& books) {
  std::vector<CustomerMove> moves;
  std::map<std::uint32_t, std::string> now;  // By segmentation.
  for (const PastMove& past : past_moves(row.history)) {
    std::string& segment =
        now.try_emplace(past.segmentation, std::string(kNoSegment)).first->second;
    std::string to(books.name_of(past.to));
    moves.push_back({.day = past.day,
                     .segmentation = std::string(books.name_of(past.segmentation)),
                     .from = segment,
                     .to = to,
                     .reason = past.reason,
                     .is_actionable = past.is_actionable});
    segment = std::move(to);
  }
  return moves;
}

bool MovedSums::is_asked_for(const std::string& from, const std::string& to) const {
  return (asked_.from_segment.empty() || from == asked_.from_segment) &&
         (asked_.to_segment.empty() || to == asked_.to_segment);
}

bool MovedSums::is_asked_for(const CustomerMove& move) const {
  if (asked_.by == MovesAsked::By::kNet) return true;  // As the customer is.
  return (!asked_.reason || move.reason == *asked_.reason) && is_asked_for(move.from, move.to);
}

void MovedSums::add(const CustomerRow& row, const CustomerFacts& facts, const Rules& /*rules*/) {
  if (row.history.empty()) return;
  std::string before(kNoSegment);
  std::string after(kNoSegment);
  bool has_moved = false;
  Customer customer{.id = {}, .monetary = facts.monetary, .moves = {}};
  for (CustomerMove& move : moves_of(row, *books_)) {
    if (move.segmentation != asked_.segmentation || move.day > asked_.to_day) continue;
    after = move.to;
    if (move.day < asked_.from_day) {
      before = move.to;
      continue;
    }
    has_moved = true;
    if (is_asked_for(move)) customer.moves.push_back(std::move(move));
  }
  if (before != after) ++net_[{before, after}];
  came_back_ += has_moved && before == after ? 1 : 0;
  if (asked_.by == MovesAsked::By::kNet && (before == after || !is_asked_for(before, after)))
    return;
  if (customer.moves.empty()) return;
  ++total_;
  add_to(monetary_, customer.monetary);
  customer.id = row.id;
  put(std::move(customer));
}

void MovedSums::put(Customer customer) {
  heap_.push_back(std::move(customer));
  std::ranges::push_heap(heap_, goes_before);
  if (heap_.size() <= (asked_.page + 1) * asked_.size) return;
  std::ranges::pop_heap(heap_, goes_before);
  heap_.pop_back();
}

void MovedSums::merge(const MovedSums& other) {
  reach(other.as_of_);
  for (const auto& [move, customers] : other.net_) net_[move] += customers;
  came_back_ += other.came_back_;
  total_ += other.total_;
  add_to(monetary_, other.monetary_);
  for (const Customer& customer : other.heap_) put(customer);
}

std::vector<MovedSums::Customer> MovedSums::page() const {
  std::vector<Customer> customers = heap_;
  std::ranges::sort(customers, goes_before);
  const std::size_t first = std::min(customers.size(), asked_.page * asked_.size);
  customers.erase(customers.begin(), customers.begin() + static_cast<std::ptrdiff_t>(first));
  return customers;
}

}  // namespace rfm
