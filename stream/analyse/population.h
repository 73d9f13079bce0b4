// What takes all customers' values at once: medians, concentration, 1-D K-Means. 20 bytes and 2 a
// segmentation for each customer of whom a purchase counts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "model/contribution.h"
#include "stream/analyse/customer_figures.h"

namespace rfm {

struct PopulationMedians {  // Type 7, rounded down in the unit.
  std::int64_t recency_ms = 0;
  std::int64_t frequency = 0;
  Money monetary;
};

// The first `customers` by money bring `monetary` of it.
struct ConcentrationPoint {
  std::int64_t customers = 0;
  Money monetary;
};

// One class of a 1-D K-Means.
struct NaturalClass {
  std::int64_t customers = 0;
  std::int64_t least = 0;  // Of its values, in the axis' unit: ms, count, 10^-4.
  std::int64_t most = 0;
  double mean = 0;
};

struct OverallScoreRow {
  int score = 0;  // Of all three axes, each from 0, in all.
  std::int64_t customers = 0;
  double recency_days = 0;  // Means.
  double frequency = 0;
  double monetary = 0;
};

struct NaturalTables {
  // Classes by score, from 0: of recency the one of the longest silence is 0.
  std::vector<NaturalClass> recency;
  std::vector<NaturalClass> frequency;
  std::vector<NaturalClass> monetary;
  std::vector<OverallScoreRow> overall;  // Scores that somebody has, ascending.
};

class Population {
 public:
  static constexpr std::uint16_t kNoCell = 0xffff;

  // `cells`: the customer's cell in each segmentation, kNoCell where there is none.
  void add(const CustomerFigures& figures, std::span<const std::uint16_t> cells);
  void merge(const Population& other);

  std::size_t size() const { return monetary_.size(); }
  std::optional<PopulationMedians> medians() const;  // Absent of nobody.

  // `points` + 1 of them: of 0, of the first 1 / points of the customers (rounded up), ... of all.
  std::vector<ConcentrationPoint> concentration(std::size_t points) const;
  // How many of the first bring at least this share of all money; nobody, if that is not positive.
  std::int64_t customers_for(double share) const;

  // K-Means with `classes` in one dimension on each axis, at its optimum; of more than 65,536
  // customers on so many quantiles.
  NaturalTables natural_tables(int classes) const;

  // At most so many customers at `at`, the same in any order of `add`: all, or evenly taken in
  // order of recency, frequency and money. Without what they are called (id_hash is their number)
  // and when they came first.
  std::vector<SampleRow> sample(std::size_t rows_max, EventTime at) const;

  // The money of each cell of a segmentation, by cell; in no particular order within one.
  std::vector<std::vector<std::int64_t>> monetary_by_cell(std::size_t segmentation,
                                                          std::size_t cells) const;

 private:
  std::vector<std::int64_t> by_money() const;  // Most first.

  std::vector<std::int64_t> recency_ms_;
  std::vector<std::int64_t> frequency_;
  std::vector<std::int64_t> monetary_;
  std::vector<std::vector<std::uint16_t>> cells_;  // By segmentation.
};

}  // namespace rfm
