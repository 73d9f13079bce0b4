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
    ends_.clear();
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
  // Like an empty text; in a database both are NULL.
  void absent() { end(); }

  std::size_t size() const { return ends_.size(); }
  std::string_view operator[](std::size_t cell) const {
    const std::size_t from = cell == 0 ? 0 : ends_[cell - 1];
    return std::string_view(text_).substr(from, ends_[cell] - from);
  }

 private:
  void end() { ends_.push_back(text_.size()); }

  std::string text_;
  std::vector<std::size_t> ends_;
};

}  // namespace rfm
