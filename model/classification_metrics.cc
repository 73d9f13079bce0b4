#include "model/classification_metrics.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace rfm {
namespace {

// By score, then by outcome: every sum below is taken in an order that the rows do not decide.
std::vector<ScoredOutcome> in_order(std::span<const ScoredOutcome> outcomes) {
  std::vector<ScoredOutcome> order(outcomes.begin(), outcomes.end());
  std::sort(order.begin(), order.end(), [](const ScoredOutcome& a, const ScoredOutcome& b) {
    return std::pair(a.score, a.happened) < std::pair(b.score, b.happened);
  });
  return order;
}

// One past the last that has the same score as `first`.
std::size_t end_of_tie(std::span<const ScoredOutcome> order, std::size_t first) {
  std::size_t end = first + 1;
  while (end < order.size() && order[end].score == order[first].score) ++end;
  return end;
}

CalibrationBin bin_of(std::span<const ScoredOutcome> members) {
  CalibrationBin bin{.count = members.size(),
                     .score_min = members.front().score,
                     .score_max = members.back().score};
  for (const ScoredOutcome& member : members) {
    bin.score_mean += member.score;
    bin.happened_share += member.happened ? 1 : 0;
  }
  bin.score_mean /= static_cast<double>(members.size());
  bin.happened_share /= static_cast<double>(members.size());
  return bin;
}

}  // namespace

std::optional<double> area_under_roc(std::span<const ScoredOutcome> outcomes) {
  const std::vector<ScoredOutcome> order = in_order(outcomes);
  double happened = 0;
  double rank_sum = 0;
  for (std::size_t first = 0; first < order.size();) {
    const std::size_t end = end_of_tie(order, first);
    const double midrank = (static_cast<double>(first + end) + 1) / 2;
    for (; first < end; ++first) {
      if (!order[first].happened) continue;
      ++happened;
      rank_sum += midrank;
    }
  }
  const double other = static_cast<double>(order.size()) - happened;
  if (happened == 0 || other == 0) return std::nullopt;
  return (rank_sum - happened * (happened + 1) / 2) / (happened * other);
}

double brier_score(std::span<const ScoredOutcome> outcomes) {
  if (outcomes.empty()) return 0;
  double sum = 0;
  for (const ScoredOutcome& outcome : in_order(outcomes)) {
    const double error = outcome.score - (outcome.happened ? 1 : 0);
    sum += error * error;
  }
  return sum / static_cast<double>(outcomes.size());
}

std::vector<CalibrationBin> calibration_bins(std::span<const ScoredOutcome> outcomes,
                                             std::size_t bin_count) {
  const std::vector<ScoredOutcome> order = in_order(outcomes);
  std::vector<CalibrationBin> bins;
  std::size_t first = 0;
  for (std::size_t bin = 1; bin <= bin_count && first < order.size(); ++bin) {
    const std::size_t wanted = bin * order.size() / bin_count;
    if (wanted <= first) continue;
    const std::size_t end = end_of_tie(order, wanted - 1);
    bins.push_back(bin_of(std::span(order).subspan(first, end - first)));
    first = end;
  }
  return bins;
}

double expected_calibration_error(std::span<const CalibrationBin> bins) {
  double count = 0;
  double sum = 0;
  for (const CalibrationBin& bin : bins) {
    const auto n = static_cast<double>(bin.count);
    count += n;
    sum += n * std::abs(bin.score_mean - bin.happened_share);
  }
  return count == 0 ? 0 : sum / count;
}

}  // namespace rfm
