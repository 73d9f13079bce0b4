// The books of moves (state/moves_book.h) added up over partitions: who went from where to where
// and why, by day.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/functional/function_ref.h"
#include "state/book.h"
#include "state/money.h"
#include "state/moves_book.h"

namespace rfm {

struct DayFlow {
  std::int64_t day = 0;  // Since 1970-01-01.
  std::string segmentation;
  std::string from;
  std::string to;
  Reason reason{};
  bool is_actionable = false;
  std::int64_t moves = 0;
  Money monetary;  // Of those who moved, afterwards.
};

struct DayStock {
  std::int64_t day = 0;
  std::string segmentation;
  std::string segment;
  std::int64_t customers = 0;  // At the end of the day.
  Money monetary;
};

class MovesSummary {
 public:
  // A cell of a partition's book; one of something else is passed over. `name_of`: what a number in
  // it stands for (SegmentNames).
  using NameOf = absl::FunctionRef<std::string_view(std::uint32_t)>;
  void add(std::string_view key, const Book::Cell& cell, NameOf name_of);
  void merge(const MovesSummary& other);
  // From when on all partitions' books count (state/book.h, kBookBegin).
  std::optional<EventTime> since() const { return since_; }

  // By day, then names, reason and whether actionable.
  std::vector<DayFlow> flows() const;
  // Of each day with a change, those segments that have customers; by day, then names.
  std::vector<DayStock> stocks() const;
  // By how much the stocks of a segmentation change, by day, then names.
  std::vector<DayStock> changes_of(std::string_view segmentation) const;

 private:
  struct Sums {
    std::int64_t count = 0;
    Money monetary;

    void add(const Sums& other);
  };

  std::map<std::tuple<std::int64_t, std::string, std::string, std::string, Reason, bool>, Sums>
      flows_;
  std::map<std::tuple<std::int64_t, std::string, std::string>, Sums> changes_;
  std::optional<EventTime> since_;
};

}  // namespace rfm
