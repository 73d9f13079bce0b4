// How many customers with how much money each segment has, and who moved from where to where and
// why, by day; and each customer's history of moves, which is in the row.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "state/book.h"
#include "state/customer_row.h"
#include "state/segment_names.h"
#include "state/transition.h"

namespace rfm {

// A transition, and whether marketing may act on it.
struct BookedMove {
  const Transition* transition = nullptr;
  bool is_actionable = false;
};

// To be called before anything happens at the `boundary` that ends a day: what the book has to know
// of its end, if that is not what is booked.
void note_day_end(const CustomerRow& row, EventTime boundary, const Rules& rules,
                  TransitionBuffer& out);

class MovesBook {
 public:
  // All outlive it.
  MovesBook(Book& book, SegmentNames& names) : book_(book), names_(names) {}

  // What one step of one customer did, under `rules`, which the row is under now; to be called
  // after every change of his money or segments. Also notes his moves in the row. `moves` are of
  // this customer, in order, as `ends` of days are, each after some of the moves.
  void book(CustomerRow& row, const Rules& rules, std::span<const BookedMove> moves,
            std::span<const TransitionBuffer::DayEnd> ends);

 private:
  using Place = SegmentNames::Place;
  // A place in the book, and the day that it is of.
  struct Dated {
    std::int64_t day = -1;
    Book::Place* place = nullptr;
  };
  struct Flow {
    std::uint32_t segmentation = 0;
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    Reason reason{};
    bool is_actionable = false;

    friend bool operator==(const Flow&, const Flow&) = default;
    template <class Hash>
    friend Hash AbslHashValue(Hash hash, const Flow& flow) {
      return Hash::combine(std::move(hash), flow.segmentation, flow.from, flow.to, flow.reason,
                           flow.is_actionable);
    }
  };
  // What this step has booked last of a segmentation.
  struct Moved {
    std::uint32_t segmentation = 0;
    std::int64_t money = 0;
  };

  std::uint32_t from_of(const Transition& transition);
  void book_move(CustomerRow& row, const BookedMove& move);
  void book_money(const CustomerRow& row, const Rules& rules, const TransitionBuffer::DayEnd& end,
                  std::span<const BookedMove> later);
  void book_money(const CustomerRow& row, Place place, const TransitionBuffer::DayEnd& end);
  void add_stock(std::int64_t day, Place place, std::int64_t customers, std::int64_t money);
  void add_flow(std::int64_t day, const Flow& flow, std::int64_t money);

  Book& book_;
  SegmentNames& names_;
  absl::flat_hash_map<std::uint64_t, Dated> stocks_;  // By segmentation and segment.
  absl::flat_hash_map<Flow, Dated> flows_;
  std::vector<Moved> moved_;  // Scratch, like the next two.
  std::vector<Place> places_;
  std::string key_;
};

// What a cell of a book is of moves, for readers; names are numbers (segment_names.h).
struct MovesCell {
  enum class Kind : std::uint8_t {
    kStock,  // {customers, money}: how much that day changed them; all days until one: the stock.
    kFlow,   // {moves, money of the customers afterwards}
  };
  Kind kind = Kind::kStock;
  std::int64_t day = 0;  // Since 1970-01-01.
  std::uint32_t segmentation = 0;
  std::uint32_t from = 0;  // Flows only.
  std::uint32_t to = 0;    // The segment of a stock.
  Reason reason{};         // Flows only, as what follows.
  bool is_actionable = false;
};
// Absent: it is of something else.
std::optional<MovesCell> moves_cell(std::string_view key);

// One move of a customer, as the row keeps it.
struct PastMove {
  std::int64_t day = 0;
  std::uint32_t segmentation = 0;
  std::uint32_t to = 0;
  Reason reason{};
  bool is_actionable = false;

  friend bool operator==(const PastMove&, const PastMove&) = default;
};
// Of a row's `history`, the oldest first.
std::vector<PastMove> past_moves(std::string_view history);

}  // namespace rfm
