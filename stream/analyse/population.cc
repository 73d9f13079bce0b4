#include "stream/analyse/population.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <tuple>

#include "model/day.h"
#include "model/natural_breaks.h"
#include "model/score_cuts.h"
#include "state/evaluation.h"
#include "stream/analyse/money_sum.h"

namespace rfm {
namespace {

constexpr std::size_t kBreaksSampleMax = 65'536;

template <class Value>
void append(std::vector<Value>& to, const std::vector<Value>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

std::vector<std::int64_t> cuts_of(std::vector<std::int64_t> values, int classes) {
  if (values.size() > kBreaksSampleMax) {
    std::ranges::sort(values);
    std::vector<std::int64_t> quantiles(kBreaksSampleMax);
    for (std::size_t i = 0; i < kBreaksSampleMax; ++i)
      quantiles[i] = values[i * (values.size() - 1) / (kBreaksSampleMax - 1)];
    values = std::move(quantiles);
  }
  return natural_breaks(std::move(values), classes);
}

// One axis in classes, and the class of each customer.
struct Classed {
  std::vector<NaturalClass> classes;
  std::vector<int> of;
};

enum class Better : std::uint8_t { kMore, kLess };

Classed classed(const std::vector<std::int64_t>& values, int count, Better better) {
  const std::vector<std::int64_t> cuts = cuts_of(values, count);
  Classed result{.classes = std::vector<NaturalClass>(static_cast<std::size_t>(count)), .of = {}};
  std::vector<std::int64_t> sums(result.classes.size());
  result.of.reserve(values.size());
  for (const std::int64_t value : values) {
    const int below = cuts_below(cuts, value);
    const int score = better == Better::kMore ? below : count - 1 - below;
    result.of.push_back(score);
    const auto at = static_cast<std::size_t>(score);
    NaturalClass& mine = result.classes[at];
    mine.least = mine.customers == 0 ? value : std::min(mine.least, value);
    mine.most = mine.customers == 0 ? value : std::max(mine.most, value);
    ++mine.customers;
    add_to(sums[at], value);
  }
  for (std::size_t c = 0; c < sums.size(); ++c) {
    result.classes[c].mean =
        ratio(static_cast<double>(sums[c]), static_cast<double>(result.classes[c].customers));
  }
  return result;
}

}  // namespace

void Population::add(const CustomerFigures& figures, std::span<const std::uint16_t> cells) {
  if (figures.facts.frequency == 0) return;
  recency_ms_.push_back(recency_ms(figures.facts));
  frequency_.push_back(figures.facts.frequency);
  monetary_.push_back(figures.facts.monetary.units);
  cells_.resize(cells.size());
  for (std::size_t s = 0; s < cells.size(); ++s) cells_[s].push_back(cells[s]);
}

void Population::merge(const Population& other) {
  append(recency_ms_, other.recency_ms_);
  append(frequency_, other.frequency_);
  append(monetary_, other.monetary_);
  cells_.resize(std::max(cells_.size(), other.cells_.size()));
  for (std::size_t s = 0; s < other.cells_.size(); ++s) append(cells_[s], other.cells_[s]);
}

std::optional<PopulationMedians> Population::medians() const {
  if (monetary_.empty()) return std::nullopt;
  return PopulationMedians{.recency_ms = quantile_cuts(recency_ms_, 2).front(),
                           .frequency = quantile_cuts(frequency_, 2).front(),
                           .monetary = {quantile_cuts(monetary_, 2).front()}};
}

std::vector<SampleRow> Population::sample(std::size_t rows_max, EventTime at) const {
  std::vector<std::size_t> order(size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [this](std::size_t i) {
    return std::tuple(recency_ms_[i], frequency_[i], monetary_[i]);
  });
  std::vector<SampleRow> rows(std::min(rows_max, order.size()));
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const std::size_t i = order[r * order.size() / rows.size()];
    rows[r] = {.id_hash = r,
               .last_purchase_ms = to_ms(at) - recency_ms_[i],
               .monetary = monetary_[i],
               .frequency = static_cast<std::uint32_t>(frequency_[i])};
  }
  return rows;
}

std::vector<std::int64_t> Population::by_money() const {
  std::vector<std::int64_t> sorted = monetary_;
  std::ranges::sort(sorted, std::greater<>());
  return sorted;
}

std::vector<ConcentrationPoint> Population::concentration(std::size_t points) const {
  const std::vector<std::int64_t> sorted = by_money();
  std::vector<ConcentrationPoint> curve(1);
  for (std::size_t i = 1; i <= points; ++i) {
    ConcentrationPoint point = curve.back();
    const std::size_t count = (sorted.size() * i + points - 1) / points;
    for (auto c = static_cast<std::size_t>(point.customers); c < count; ++c)
      add_to(point.monetary.units, sorted[c]);
    point.customers = static_cast<std::int64_t>(count);
    curve.push_back(point);
  }
  return curve;
}

std::int64_t Population::customers_for(double share) const {
  Money total;
  for (const std::int64_t money : monetary_) add_to(total.units, money);
  if (total.units <= 0) return 0;
  const double wanted = share * static_cast<double>(total.units);
  Money sum;
  std::int64_t count = 0;
  for (const std::int64_t money : by_money()) {
    if (static_cast<double>(sum.units) >= wanted) break;
    add_to(sum.units, money);
    ++count;
  }
  return count;
}

NaturalTables Population::natural_tables(int classes) const {
  NaturalTables tables;
  if (monetary_.empty()) return tables;
  Classed recency = classed(recency_ms_, classes, Better::kLess);
  Classed frequency = classed(frequency_, classes, Better::kMore);
  Classed monetary = classed(monetary_, classes, Better::kMore);
  struct Sums {
    std::int64_t customers = 0;
    std::int64_t recency_ms = 0;
    std::int64_t frequency = 0;
    std::int64_t monetary = 0;
  };
  std::map<int, Sums> overall;
  for (std::size_t i = 0; i < monetary_.size(); ++i) {
    Sums& sums = overall[recency.of[i] + frequency.of[i] + monetary.of[i]];
    ++sums.customers;
    add_to(sums.recency_ms, recency_ms_[i]);
    add_to(sums.frequency, frequency_[i]);
    add_to(sums.monetary, monetary_[i]);
  }
  for (const auto& [score, sums] : overall) {
    const auto count = static_cast<double>(sums.customers);
    tables.overall.push_back({.score = score,
                              .customers = sums.customers,
                              .recency_days = static_cast<double>(sums.recency_ms) / kDayMs / count,
                              .frequency = static_cast<double>(sums.frequency) / count,
                              .monetary = currency_units({sums.monetary}) / count});
  }
  tables.recency = std::move(recency.classes);
  tables.frequency = std::move(frequency.classes);
  tables.monetary = std::move(monetary.classes);
  return tables;
}

std::vector<std::vector<std::int64_t>> Population::monetary_by_cell(std::size_t segmentation,
                                                                    std::size_t cells) const {
  std::vector<std::vector<std::int64_t>> by_cell(cells);
  if (segmentation >= cells_.size()) return by_cell;
  for (std::size_t i = 0; i < monetary_.size(); ++i) {
    const std::uint16_t cell = cells_[segmentation][i];
    if (cell != kNoCell) by_cell[cell].push_back(monetary_[i]);
  }
  return by_cell;
}

}  // namespace rfm
