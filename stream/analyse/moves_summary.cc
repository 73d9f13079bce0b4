#include "stream/analyse/moves_summary.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "stream/analyse/money_sum.h"

namespace rfm {

void MovesSummary::add(std::string_view key, const Book::Cell& cell, NameOf name_of) {
  if (key == kBookBegin) since_ = std::max(since_, begin_of(cell));
  const std::optional<MovesCell> of = moves_cell(key);
  if (!of) return;
  const auto name = [&](std::uint32_t id) { return std::string(name_of(id)); };
  Sums& sums = of->kind == MovesCell::Kind::kFlow
                   ? flows_[{of->day, name(of->segmentation), name(of->from), name(of->to),
                             of->reason, of->is_actionable}]
                   : changes_[{of->day, name(of->segmentation), name(of->to)}];
  sums.add({.count = cell.sums[0], .monetary = {cell.sums[1]}});
}

void MovesSummary::Sums::add(const Sums& other) {
  add_to(count, other.count);
  add_to(monetary, other.monetary);
}

void MovesSummary::merge(const MovesSummary& other) {
  since_ = std::max(since_, other.since_);
  for (const auto& [key, sums] : other.flows_) flows_[key].add(sums);
  for (const auto& [key, sums] : other.changes_) changes_[key].add(sums);
}

std::vector<DayFlow> MovesSummary::flows() const {
  std::vector<DayFlow> flows;
  for (const auto& [key, sums] : flows_) {
    const auto& [day, segmentation, from, to, reason, is_actionable] = key;
    flows.push_back(
        {day, segmentation, from, to, reason, is_actionable, sums.count, sums.monetary});
  }
  return flows;
}

std::vector<DayStock> MovesSummary::stocks() const {
  std::vector<DayStock> stocks;
  std::map<std::pair<std::string, std::string>, Sums> now;
  for (auto change = changes_.begin(); change != changes_.end();) {
    const std::int64_t day = std::get<0>(change->first);
    for (; change != changes_.end() && std::get<0>(change->first) == day; ++change) {
      now[{std::get<1>(change->first), std::get<2>(change->first)}].add(change->second);
    }
    for (const auto& [segment, sums] : now) {
      if (sums.count != 0)
        stocks.push_back({day, segment.first, segment.second, sums.count, sums.monetary});
    }
  }
  return stocks;
}

std::vector<DayStock> MovesSummary::changes_of(std::string_view segmentation) const {
  std::vector<DayStock> changes;
  for (const auto& [key, sums] : changes_) {
    const auto& [day, of, segment] = key;
    if (of == segmentation) changes.push_back({day, of, segment, sums.count, sums.monetary});
  }
  return changes;
}

}  // namespace rfm
