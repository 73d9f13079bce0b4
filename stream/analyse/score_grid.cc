#include "stream/analyse/score_grid.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <tuple>

#include "model/score_cuts.h"
#include "state/segmenter.h"
#include "stream/analyse/money_sum.h"

namespace rfm {
namespace {

constexpr std::string_view kCombined = "fm";

// The coordinates that a cell's scores are shown in.
class Coordinates {
 public:
  explicit Coordinates(const Segmentation& segmentation) {
    const std::span<const Axis> axes = segmentation.axes();
    for (std::size_t a = 0; a < axes.size(); ++a) {
      if (axes[a].name == "f") f_ = a;
      if (axes[a].name == "m") m_ = a;
    }
    combines_ = f_ && m_ && std::ranges::any_of(segmentation.spec().map, [](const MapRule& rule) {
                  return std::ranges::any_of(rule.ranges, [](const ScoreRange& range) {
                    return range.coordinate == kCombined;
                  });
                });
    for (std::size_t a = 0; a < axes.size(); ++a) {
      if (!combines_ || (a != *f_ && a != *m_)) shown_.push_back(a);
    }
  }

  std::vector<GridAxis> axes(const Segmentation& segmentation) const {
    std::vector<GridAxis> axes;
    for (const std::size_t a : shown_) {
      const Axis& axis = segmentation.axes()[a];
      axes.push_back({axis.name, axis.cuts.bins, axis.cuts.quantity == Quantity::kOverdue});
    }
    if (combines_) {
      axes.push_back(
          {std::string(kCombined),
           combined_score(segmentation.axes()[*f_].cuts.bins, segmentation.axes()[*m_].cuts.bins),
           false});
    }
    return axes;
  }

  std::vector<int> of(const AxisScores& scores) const {
    std::vector<int> shown;
    for (const std::size_t a : shown_) shown.push_back(scores[a]);
    if (combines_) shown.push_back(combined_score(scores[*f_], scores[*m_]));
    return shown;
  }

 private:
  std::optional<std::size_t> f_;
  std::optional<std::size_t> m_;
  bool combines_ = false;
  std::vector<std::size_t> shown_;  // Axes that are coordinates themselves.
};

struct Gathered {
  struct Share {
    std::size_t customers = 0;
    std::size_t cells = 0;  // Of the map.
  };
  std::vector<std::int64_t> monetary;
  std::map<std::uint16_t, Share> segments;
};

GridCell cell_of(const std::vector<int>& scores, Gathered gathered) {
  GridCell cell{.scores = scores,
                .segments = {},
                .customers = static_cast<std::int64_t>(gathered.monetary.size()),
                .monetary = {},
                .monetary_median = {}};
  for (const auto& [segment, share] : gathered.segments) cell.segments.push_back(segment);
  std::ranges::stable_sort(cell.segments, [&](std::uint16_t a, std::uint16_t b) {
    const Gathered::Share& x = gathered.segments.at(a);
    const Gathered::Share& y = gathered.segments.at(b);
    return std::tie(x.customers, x.cells) > std::tie(y.customers, y.cells);
  });
  for (const std::int64_t money : gathered.monetary) add_to(cell.monetary.units, money);
  if (!gathered.monetary.empty())
    cell.monetary_median = {quantile_cuts(std::move(gathered.monetary), 2).front()};
  return cell;
}

// Whether a score of 0 stands for an axis that can be absent.
bool is_reached(const Segmentation& segmentation, const AxisScores& scores) {
  for (std::size_t a = 0; a < segmentation.axes().size(); ++a) {
    if (scores[a] == 0 && segmentation.axes()[a].cuts.quantity != Quantity::kOverdue) return false;
  }
  return true;
}

}  // namespace

ScoreGrid score_grid(const Rules& rules, std::size_t segmentation, const ModelVersion& version,
                     const Population& population) {
  const Segmentation& meaning = rules.segmentations[segmentation];
  ScoreGrid grid;
  if (meaning.axes().empty()) return grid;
  const Coordinates coordinates(meaning);
  grid.axes = coordinates.axes(meaning);
  const Segmenter segmenter(rules, segmentation);
  for (std::size_t a = 0; a < meaning.axes().size(); ++a) {
    const std::span<const std::int64_t> cuts = segmenter.cuts_of(a, version);
    grid.cuts.push_back(
        {meaning.axes()[a].name, meaning.axes()[a].cuts.quantity, {cuts.begin(), cuts.end()}});
  }
  std::vector<std::vector<std::int64_t>> by_cell =
      population.monetary_by_cell(segmentation, meaning.cell_count());
  std::map<std::vector<int>, Gathered> gathered;
  for (std::size_t c = 0; c < by_cell.size(); ++c) {
    const auto cell = static_cast<std::uint16_t>(c);
    const AxisScores& scores = meaning.scores_of(cell);
    if (!is_reached(meaning, scores)) continue;
    Gathered& here = gathered[coordinates.of(scores)];
    Gathered::Share& share = here.segments[meaning.segment_of(cell)];
    share.customers += by_cell[c].size();
    ++share.cells;
    std::ranges::move(by_cell[c], std::back_inserter(here.monetary));
  }
  for (auto& [scores, here] : gathered) grid.cells.push_back(cell_of(scores, std::move(here)));
  return grid;
}

}  // namespace rfm
