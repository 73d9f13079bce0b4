#include "stream/analyse/cluster_count_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "model/elbow.h"

namespace rfm {
namespace {

// What a silhouette is called (Kaufman and Rousseeuw, Finding Groups in Data, 1990, table 4).
constexpr double kStrong = .7;
constexpr double kReasonable = .5;
constexpr double kWeak = .25;

std::string power_text(double rate) { return fmt::format("k^{:.2f}", -rate); }

std::string_view structure_of(double silhouette) {
  if (silhouette > kStrong) return "a strong structure";
  if (silhouette > kReasonable) return "a reasonable structure";
  if (silhouette > kWeak) return "a weak structure that may be artificial";
  return "no substantial structure";
}

// The index at which `value` is best; of equals the first.
template <class Value>
std::size_t best_of(std::size_t count, Value value) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < count; ++i) {
    if (value(i) > value(best)) best = i;
  }
  return best;
}

}  // namespace

std::vector<double> AxisComparison::squares_left() const {
  std::vector<double> squares;
  for (const AxisClasses& each : classes) squares.push_back(each.squares_left);
  return squares;
}

absl::StatusOr<ClusterCountComparison> compare_cluster_counts(
    const ClusterCounts& counts, std::span<const RefitSample> refits,
    const TrainingOptions& training, std::span<const Quantity> axes,
    absl::FunctionRef<absl::Status(const FitProgress&)> on_fit) {
  const RefitSample& sample = refits.back();
  const auto count = static_cast<std::uint64_t>(counts.last - counts.first) + 1;
  FitProgress progress{.all = count * (refits.size() + 1 + axes.size()) + 1 + axes.size(),
                       .at = sample.at};
  const auto add = [&](std::uint64_t fits, EventTime at) {
    progress.done += fits;
    progress.at = at;
    return on_fit(progress);
  };
  RefitWalk walk(counts.first, counts.last, training);
  for (const RefitSample& refit : refits) {
    walk.add(refit);
    if (absl::Status end = add(count, refit.at); !end.ok()) return end;
  }
  const std::vector<FeatureVector> points = points_of(sample.rows, sample.at);
  ClusterCountComparison comparison{.first = counts.first};
  comparison.inertias.push_back(fresh_fit(points, counts.first - 1).inertia);
  for (int k = counts.first; k <= counts.last; ++k) {
    if (absl::Status end = add(1, sample.at); !end.ok()) return end;
    comparison.figures.push_back(judge_cluster_count(points, k));
    comparison.inertias.push_back(comparison.figures.back().inertia);
    comparison.stability.push_back(walk.stability(k));
  }
  comparison.rates = fall_rates(counts.first, comparison.inertias);
  for (const Quantity quantity : axes) {
    const std::vector<std::int64_t> values = axis_values(sample, quantity);
    AxisComparison& split = comparison.axes.emplace_back();
    split.quantity = quantity;
    split.total = split_axis(values, 1).squares_left;
    for (int k = counts.first - 1; k <= counts.last; ++k) {
      split.classes.push_back(split_axis(values, k));
      if (absl::Status end = add(1, sample.at); !end.ok()) return end;
    }
  }
  return comparison;
}

std::string elbow_words(int first, std::span<const double> rates, int dimension_count) {
  if (rates.size() < 2) return "an elbow needs more numbers to show: choose a wider range";
  if (const std::optional<int> elbow = find_elbow(first, rates, dimension_count)) {
    const auto i = static_cast<std::size_t>(*elbow - first);
    return fmt::format("an elbow at k = {}: it falls {} up to there and as {} behind", *elbow,
                       std::isfinite(rates[i]) ? "as " + power_text(rates[i]) : "to 0",
                       power_text(rates[i + 1]));
  }
  const auto [least, most] = std::ranges::minmax(rates);
  if (!std::isfinite(most)) return "no clear elbow: it falls to 0 within the range";
  return fmt::format("no clear elbow: it falls as {} to {} (evenly spread points: {})",
                     power_text(least), power_text(most), power_text(2.0 / dimension_count));
}

std::vector<std::string> verdict_of(const ClusterCountComparison& c) {
  const std::size_t count = c.figures.size();
  // Where more clusters, or fewer, were not looked at.
  const auto k_text = [&](std::size_t i) {
    const int k = c.figures[i].cluster_count;
    const bool open = (i == 0 && k > kClustersMin) || (i + 1 == count && k < kClustersMax);
    return fmt::format("k = {}{}", k, open ? ", the end of the range" : "");
  };
  const std::size_t by_silhouette = best_of(count, [&](auto i) { return c.figures[i].silhouette; });
  const std::size_t by_variance =
      best_of(count, [&](auto i) { return c.figures[i].calinski_harabasz; });
  const std::size_t by_overlap =
      best_of(count, [&](auto i) { return -c.figures[i].davies_bouldin; });
  const std::optional<int> elbow = find_elbow(c.first, c.rates, kFeatureCount);
  const double silhouette = c.figures[by_silhouette].silhouette;
  std::vector<std::string> words = {
      fmt::format("Inertia: {}.", elbow_words(c.first, c.rates, kFeatureCount)),
      fmt::format("Silhouette: highest at {}: {:.2f}, {}.", k_text(by_silhouette), silhouette,
                  structure_of(silhouette)),
      fmt::format("Calinski-Harabasz: highest at {}.", k_text(by_variance)),
      fmt::format("Davies-Bouldin: lowest at {}.", k_text(by_overlap))};
  if (c.stability.front().pair_count > 0) {
    const std::size_t steady = best_of(count, [&](auto i) { return c.stability[i].by_refit; });
    words.push_back(fmt::format("Refits change memberships least at {}.", k_text(steady)));
  }
  const int k = c.figures[by_silhouette].cluster_count;
  const bool agreed =
      by_silhouette == by_variance && by_silhouette == by_overlap && elbow.value_or(k) == k;
  if (!elbow && silhouette <= kReasonable) {
    words.emplace_back(
        "No number of clusters stands out: k is a choice of how finely to divide the customers.");
  } else if (agreed) {
    words.push_back(fmt::format("All but the changes by refits point to k = {}.", k));
  } else {
    words.emplace_back("They do not agree on one k.");
  }
  return words;
}

}  // namespace rfm
