#include "stream/analyse/moves_summary.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "stream/analyse/money_sum.h"

namespace rfm {

void MovesSummary::add(std::string_view key, const Book::Cell& cell) {
  if (key == kBookBegin) since_ = std::max(since_, begin_of(cell));
  const std::optional<MovesCell> of = moves_cell(key);
  if (!of) return;
  const auto name = [this](std::uint32_t id) { return std::string(names_.name_of(id)); };
  Sums& sums = of->kind == MovesCell::Kind::kFlow
                   ? flows_[{of->day, name(of->segmentation), name(of->from), name(of->to),
                             of->reason, of->is_actionable}]
                   : changes_[{of->day, name(of->segmentation), name(of->to)}];
  add_to(sums.count, cell.sums[0]);
  add_to(sums.monetary.units, cell.sums[1]);
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
      Sums& stock = now[{std::get<1>(change->first), std::get<2>(change->first)}];
      add_to(stock.count, change->second.count);
      add_to(stock.monetary, change->second.monetary);
    }
    for (const auto& [segment, sums] : now) {
      if (sums.count != 0)
        stocks.push_back({day, segment.first, segment.second, sums.count, sums.monetary});
    }
  }
  return stocks;
}

}  // namespace rfm
