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

namespace rfm {

class Book {
 public:
  static constexpr std::size_t kSums = 6;
  using Sums = std::array<std::int64_t, kSums>;

  Book() = default;
  Book(const Book&) = delete;
  Book& operator=(const Book&) = delete;

  // Sums are modulo 2^64, so that what was added can always be taken back. A cell of zeros is no
  // cell, unless it has been noted.
  void add(std::string_view key, const Sums& by);
  // A cell that stays, with what `sums` says, for texts that have been seen.
  void note(std::string_view key, const Sums& sums, std::string_view text = {});

  struct Cell {
    Sums sums{};
    std::optional<std::string> text;  // Of a noted one; may be empty.

    bool is_empty() const { return !text && sums == Sums{}; }
    friend bool operator==(const Cell&, const Cell&) = default;
  };
  // Null: there is none.
  const Cell* find(std::string_view key) const;

  // In no particular order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [key, entry] : cells_)
      if (!entry.cell.is_empty()) visit(std::string_view(key), entry.cell);
  }

  // Those that differ from the store, in order of their first change; absent bytes: no cell.
  // Cleared by `mark_committed`.
  template <class Visit>
  void for_each_dirty(Visit&& visit) const {
    for (const Cells::value_type* changed : dirty_)
      visit(std::string_view(changed->first), encoded(changed->second.cell));
  }
  std::size_t dirty_count() const { return dirty_.size(); }
  void mark_committed();

  // As it was stored. False: that is no cell.
  [[nodiscard]] bool restore(std::string_view key, std::string_view bytes);
  void forget(std::string_view key);

  static std::optional<Cell> decode(std::string_view bytes);

  std::size_t size() const { return cells_.size(); }
  // About how many bytes of memory it takes.
  std::size_t bytes() const;

 private:
  struct Entry {
    Cell cell;
    bool is_dirty = false;
  };
  // Found by views too, as Abseil's own are not of std::string_view.
  struct KeyHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const;
  };
  using Cells = absl::node_hash_map<std::string, Entry, KeyHash, std::equal_to<>>;

  Cells::value_type& entry(std::string_view key);
  static std::optional<std::string> encoded(const Cell& cell);

  Cells cells_;
  std::vector<Cells::value_type*> dirty_;
};

}  // namespace rfm
