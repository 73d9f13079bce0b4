#include "admin/book_sums.h"

#include "model/segmentation_spec.h"

namespace rfm {

void SaleSums::add(const SaleSums& other) {
  add_to(gross, other.gross);
  add_to(credits, other.credits);
  add_to(invoices, other.invoices);
  add_to(units, other.units);
  add_to(customers, other.customers);
}

void BookSums::read(const PartitionBooks& books) {
  keeps_sales_ |= books.keeps_sales();
  keeps_moves_ |= books.keeps_moves();
  since_ = std::max(since_, books.since());
  books.cells().for_each([&](std::string_view key, const Book::Cell& cell) {
    if (const std::optional<SalesCell> sales = sales_cell(key)) {
      read_sales(*sales, cell);
    } else if (const std::optional<MovesCell> moves = moves_cell(key)) {
      read_moves(books, *moves, cell);
    }
  });
}

void BookSums::read_sales(const SalesCell& key, const Book::Cell& cell) {
  const Book::Sums& sums = cell.sums;
  switch (key.kind) {
    case SalesCell::Kind::kDay:
    case SalesCell::Kind::kUnnamedDay: {
      Days& days = key.kind == SalesCell::Kind::kDay ? known_ : unnamed_;
      return days[{key.day, std::string(key.name)}].add({.gross = {sums[0]},
                                                         .credits = {sums[1]},
                                                         .invoices = sums[2],
                                                         .units = sums[3],
                                                         .customers = sums[4]});
    }
    case SalesCell::Kind::kHour:
      return hours_[{key.month, key.hour_of_week}].add(
          {.gross = {sums[0]}, .credits = {sums[1]}, .invoices = sums[2], .units = sums[3]});
    case SalesCell::Kind::kProduct:
      return products_[{key.month, std::string(key.name)}].add(
          {.gross = {sums[0]}, .credits = {sums[1]}, .units = sums[2]});
    case SalesCell::Kind::kProductName:
      return describe(std::string(key.name), {from_ms(sums[0]), cell.text.value_or("")});
  }
}

void BookSums::describe(const std::string& product, const Product& as) {
  Product& known = descriptions_[product];
  const auto order = [](const Product& p) {
    return std::tuple(!p.description.empty(), p.described_at, std::string_view(p.description));
  };
  if (order(known) < order(as)) known = as;
}

std::string_view BookSums::description_of(const std::string& product) const {
  const auto found = descriptions_.find(product);
  return found == descriptions_.end() ? std::string_view() : found->second.description;
}

void BookSums::read_moves(const PartitionBooks& books, const MovesCell& key,
                          const Book::Cell& cell) {
  std::string segmentation(books.name_of(key.segmentation));
  const SegmentStock sums{.customers = cell.sums[0], .monetary = {cell.sums[1]}};
  if (key.kind == MovesCell::Kind::kStock) {
    stocks_[{std::move(segmentation), key.day}][std::string(books.name_of(key.to))].add(sums);
    return;
  }
  flows_[{.segmentation = std::move(segmentation),
          .day = key.day,
          .from = std::string(books.name_of(key.from)),
          .to = std::string(books.name_of(key.to)),
          .reason = key.reason,
          .is_actionable = key.is_actionable}]
      .add(sums);
}

void BookSums::merge(const BookSums& other) {
  reach(other.as_of_);
  keeps_sales_ |= other.keeps_sales_;
  keeps_moves_ |= other.keeps_moves_;
  since_ = std::max(since_, other.since_);
  for (const auto& [key, sums] : other.known_) known_[key].add(sums);
  for (const auto& [key, sums] : other.unnamed_) unnamed_[key].add(sums);
  for (const auto& [key, sums] : other.hours_) hours_[key].add(sums);
  for (const auto& [key, sums] : other.products_) products_[key].add(sums);
  for (const auto& [product, as] : other.descriptions_) describe(product, as);
  for (const auto& [key, segments] : other.stocks_)
    for (const auto& [segment, stock] : segments) stocks_[key][segment].add(stock);
  for (const auto& [key, sums] : other.flows_) flows_[key].add(sums);
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

bool MovedSums::is_asked_for(const CustomerMove& move) const {
  return move.day >= asked_.from_day && move.day <= asked_.to_day &&
         (!asked_.reason || move.reason == *asked_.reason) &&
         (asked_.from_segment.empty() || move.from == asked_.from_segment) &&
         (asked_.to_segment.empty() || move.to == asked_.to_segment);
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
  if (customer.moves.empty()) return;
  ++total_;
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
