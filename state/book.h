// What is added up over many customers: cells of exact integers, each under a key, changed with the
// rows and stored with them. What a cell means is its owner's (sales_book.h, moves_book.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/node_hash_map.h"
#include "state/event_time.h"
#include "state/hashes.h"

namespace rfm {

// Under this key a book says since when it counts: {time in ms}; 0: from the first record on.
inline constexpr std::string_view kBookBegin = "a";

class Book {
 public:
  static constexpr std::size_t kSums = 6;
  using Sums = std::array<std::int64_t, kSums>;

  Book() = default;
  Book(const Book&) = delete;
  Book& operator=(const Book&) = delete;

  // Of zeros it is no cell, unless it has a text.
  struct Cell {
    Sums sums{};
    std::optional<std::string> text;  // May be empty.

    bool is_empty() const { return !text && sums == Sums{}; }
    friend bool operator==(const Cell&, const Cell&) = default;
  };
  // Where a cell is, for those who change it often; as long as the book lives.
  class Place {
   public:
    const Cell& cell() const { return cell_; }

   private:
    friend class Book;

    // What `add` touches is together.
    const std::string* key_ = nullptr;
    bool is_dirty_ = false;
    Cell cell_;
  };

  // Its cell is empty unless something was put there.
  Place& at(std::string_view key);
  // Sums are modulo 2^64, so that what was added can always be taken back.
  void add(Place& place, const Sums& by);
  void add(std::string_view key, const Sums& by) { add(at(key), by); }
  // A cell that stays, with what `sums` says.
  void note(Place& place, const Sums& sums, std::string_view text);
  // Null: there is none.
  const Cell* find(std::string_view key) const;

  // In no particular order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [key, place] : cells_)
      if (!place.cell_.is_empty()) visit(std::string_view(key), place.cell_);
  }

  // Those that differ from the store, in order of their first change; absent bytes: no cell.
  // Cleared by `mark_committed`.
  template <class Visit>
  void for_each_dirty(Visit&& visit) const {
    for (const Place* changed : dirty_)
      visit(std::string_view(*changed->key_), encoded(changed->cell_));
  }
  std::size_t dirty_count() const { return dirty_.size(); }
  void mark_committed();

  // As it was stored. False: that is no cell.
  [[nodiscard]] bool restore(std::string_view key, std::string_view bytes);
  // Only before anybody knows a place.
  void forget(std::string_view key);

  static std::optional<Cell> decode(std::string_view bytes);

  std::size_t size() const { return cells_.size(); }
  // About how many bytes of memory it takes.
  std::size_t bytes() const;

 private:
  using Cells = absl::node_hash_map<std::string, Place, TextHash, std::equal_to<>>;

  Cell& change(Place& place);
  static std::optional<std::string> encoded(const Cell& cell);

  Cells cells_;
  std::vector<Place*> dirty_;
};

// Of the cell under kBookBegin; absent: from the first record on.
inline std::optional<EventTime> begin_of(const Book::Cell& cell) {
  return cell.sums[0] == 0 ? std::nullopt : std::optional(from_ms(cell.sums[0]));
}

}  // namespace rfm
