// The cells of one row of a table, as text; what they are the columns say.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "state/money.h"
#include "stream/text/decimal.h"

namespace rfm {

enum class ColumnType : std::uint8_t { kText, kInteger, kReal };

struct TableColumn {
  std::string name;
  ColumnType type = ColumnType::kText;
};

class TableRow {
 public:
  void clear() {
    text_.clear();
    cells_.clear();
  }

  void text(std::string_view value) {
    text_ += value;
    end();
  }
  template <class Integer>
  void integer(Integer value) {
    fmt::format_to(std::back_inserter(text_), "{}", value);
    end();
  }
  void real(double value, int decimals) {
    fmt::format_to(std::back_inserter(text_), "{:.{}f}", value, decimals);
    end();
  }
  void money(Money value) { text(to_text(value)); }
  void absent() { cells_.push_back({text_.size(), true}); }

  std::size_t size() const { return cells_.size(); }
  bool is_absent(std::size_t cell) const { return cells_[cell].absent; }
  std::string_view operator[](std::size_t cell) const {
    const std::size_t from = cell == 0 ? 0 : cells_[cell - 1].end;
    return std::string_view(text_).substr(from, cells_[cell].end - from);
  }

 private:
  struct Cell {
    std::size_t end = 0;
    bool absent = false;
  };

  void end() { cells_.push_back({text_.size(), false}); }

  std::string text_;
  std::vector<Cell> cells_;
};

}  // namespace rfm
