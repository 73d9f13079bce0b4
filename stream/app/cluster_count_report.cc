#include "stream/app/cluster_count_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "model/day.h"
#include "model/elbow.h"
#include "state/money.h"
#include "stream/app/progress.h"
#include "stream/app/text_table.h"
#include "stream/evaluate/cluster_evaluation.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr std::string_view kRange = "..";
// What a silhouette is called (Kaufman and Rousseeuw, Finding Groups in Data, 1990, table 4).
constexpr double kStrong = .7;
constexpr double kReasonable = .5;
constexpr double kWeak = .25;

std::optional<int> count_of(std::string_view text) {
  int count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (count < kClustersMin || count > kClustersMax) return std::nullopt;
  return count;
}

// A rate that is infinite, or the first of a table, is a dash.
std::string rate_text(double rate) {
  return std::isfinite(rate) ? fmt::format("{:.2f}", rate) : "-";
}

std::string fall_text(double before, double after) {
  return before > 0 ? fmt::format("{:.1f} %", 100 * (1 - after / before)) : "-";
}

// An axis as it is read: its name, and how many of its own units make one that is printed.
struct PrintedAxis {
  Quantity quantity;
  std::string name;
  double units;
};

struct AxisComparison {
  PrintedAxis axis;
  double total = 0;                  // Squares left with one class.
  std::vector<AxisClasses> classes;  // Of first - 1 and what follows.
};

// Figures of the counts from `first` on, and what is left with one cluster or class fewer.
struct Comparison {
  int first = 0;
  std::vector<double> inertias{};  // Of first - 1 and what follows.
  std::vector<double> rates{};
  std::vector<ClusterCountFigures> figures{};
  std::vector<MembershipStability> stability{};
  std::vector<AxisComparison> axes{};
};

Comparison compare(const ClusterCounts& counts, std::span<const RefitSample> refits,
                   const TrainingOptions& training, std::vector<PrintedAxis> axes) {
  const RefitSample& sample = refits.back();
  const auto count = static_cast<std::uint64_t>(counts.last - counts.first) + 1;
  const std::uint64_t all = count * (refits.size() + 1 + axes.size()) + 1 + axes.size();
  std::uint64_t done = 0;
  Progress line("fitted", "clusterings");
  const auto add = [&](std::uint64_t fits, EventTime at) {
    done += fits;
    line.update(done, static_cast<double>(done) / static_cast<double>(all),
                "event time " + to_date(at));
  };
  RefitWalk walk(counts.first, counts.last, training);
  for (const RefitSample& refit : refits) {
    walk.add(refit);
    add(count, refit.at);
  }
  const std::vector<FeatureVector> points = points_of(sample.rows, sample.at);
  Comparison comparison{.first = counts.first};
  comparison.inertias.push_back(fresh_fit(points, counts.first - 1).inertia);
  for (int k = counts.first; k <= counts.last; ++k) {
    add(1, sample.at);
    comparison.figures.push_back(judge_cluster_count(points, k));
    comparison.inertias.push_back(comparison.figures.back().inertia);
    comparison.stability.push_back(walk.stability(k));
  }
  comparison.rates = fall_rates(counts.first, comparison.inertias);
  for (PrintedAxis& axis : axes) {
    const std::vector<std::int64_t> values = axis_values(sample, axis.quantity);
    AxisComparison& split = comparison.axes.emplace_back();
    split.axis = std::move(axis);
    split.total = split_axis(values, 1).squares_left;
    for (int k = counts.first - 1; k <= counts.last; ++k) {
      split.classes.push_back(split_axis(values, k));
      add(1, sample.at);
    }
  }
  line.finish(done, "");
  return comparison;
}

void print_figures(const Comparison& comparison) {
  fmt::print("  {:>3}{:>12}{:>9}{:>6}{:>12}{:>12}{:>9}{:>7}{:>10}{:>7}{:>7}\n", "k", "inertia",
             "fall", "rate", "silhouette", "simplified", "C-H", "D-B", "smallest", "refit", "week");
  for (std::size_t i = 0; i < comparison.figures.size(); ++i) {
    const ClusterCountFigures& f = comparison.figures[i];
    const MembershipStability& s = comparison.stability[i];
    const auto index = [&s](double value) {
      return s.pair_count == 0 ? "-" : fmt::format("{:.3f}", value);
    };
    fmt::print(
        "  {:>3}{:>12.3f}{:>9}{:>6}{:>12.4f}{:>12.4f}{:>9.1f}{:>7.3f}{:>10}{:>7}{:>7}\n",
        f.cluster_count, f.inertia, fall_text(comparison.inertias[i], comparison.inertias[i + 1]),
        rate_text(comparison.rates[i]), f.silhouette, f.simplified_silhouette, f.calinski_harabasz,
        f.davies_bouldin, fmt::format("{:.1f} %", f.smallest_share * 100), index(s.by_refit),
        index(s.by_time));
  }
}

std::string power_text(double rate) { return fmt::format("k^{:.2f}", -rate); }

std::string elbow_text(int first, std::span<const double> rates, int dimension_count) {
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

void print_verdict(const Comparison& c) {
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
  fmt::print("\nWhat the figures say\n");
  fmt::print("  Inertia: {}.\n", elbow_text(c.first, c.rates, kFeatureCount));
  fmt::print("  Silhouette: highest at {}: {:.2f}, {}.\n", k_text(by_silhouette), silhouette,
             structure_of(silhouette));
  fmt::print("  Calinski-Harabasz: highest at {}.\n", k_text(by_variance));
  fmt::print("  Davies-Bouldin: lowest at {}.\n", k_text(by_overlap));
  if (c.stability.front().pair_count > 0) {
    const std::size_t steady = best_of(count, [&](auto i) { return c.stability[i].by_refit; });
    fmt::print("  Refits change memberships least at {}.\n", k_text(steady));
  }
  const int k = c.figures[by_silhouette].cluster_count;
  const bool agreed =
      by_silhouette == by_variance && by_silhouette == by_overlap && elbow.value_or(k) == k;
  if (!elbow && silhouette <= kReasonable) {
    fmt::print(
        "  No number of clusters stands out: the customers pass into each other, and k is a choice "
        "of\n  how finely to divide them.\n");
  } else if (agreed) {
    fmt::print("  All but the changes by refits point to k = {}.\n", k);
  } else {
    fmt::print("  They do not agree on one k.\n");
  }
}

std::string cut_text(double value) {
  const double size = std::abs(value);
  if (size == std::floor(size) || size >= 1000) return fmt::format("{:.0f}", value);
  return size >= 100 ? fmt::format("{:.1f}", value) : fmt::format("{:.2f}", value);
}

void print_axis(int first, const AxisComparison& split) {
  std::vector<double> squares;
  for (const AxisClasses& classes : split.classes) squares.push_back(classes.squares_left);
  const std::vector<double> rates = fall_rates(first, squares);
  std::vector<std::vector<std::string>> lines = {
      {fmt::format("  {:>3}{:>10}{:>9}{:>6}", "k", "left", "fall", "rate"),
       "highest value of each class but the last"}};
  for (std::size_t i = 0; i < rates.size(); ++i) {
    const std::string left =
        split.total > 0 ? fmt::format("{:.2f} %", 100 * squares[i + 1] / split.total) : "-";
    std::string cuts;
    for (const std::int64_t cut : split.classes[i + 1].cuts)
      cuts += cut_text(static_cast<double>(cut) / split.axis.units) + " ";
    lines.push_back({fmt::format("  {:>3}{:>10}{:>9}{:>6}", first + static_cast<int>(i), left,
                                 fall_text(squares[i], squares[i + 1]), rate_text(rates[i])),
                     cuts});
  }
  fmt::print("\n{} alone\n", split.axis.name);
  print_table(lines);
  fmt::print("  Variance left: {}.\n", elbow_text(first, rates, 1));
}

}  // namespace

absl::StatusOr<ClusterCounts> read_cluster_counts(const std::string& text) {
  const std::size_t range = text.find(kRange);
  const std::optional<int> first = count_of(std::string_view(text).substr(0, range));
  const std::optional<int> last =
      range == std::string::npos ? first
                                 : count_of(std::string_view(text).substr(range + kRange.size()));
  if (first && last && *first <= *last) return ClusterCounts{.first = *first, .last = *last};
  return absl::InvalidArgumentError(
      fmt::format("--k {} is refused; allowed: a number of clusters from {} to {}, or two of them, "
                  "the lower first, such as 2..10",
                  text, kClustersMin, kClustersMax));
}

absl::Status report_cluster_counts(const ClusterCounts& counts, std::span<const RefitSample> refits,
                                   const TrainingOptions& training, const std::string& currency) {
  const RefitSample& sample = refits.back();
  const std::size_t n = sample.rows.size();
  const auto few = std::ranges::find_if(refits, [&](const RefitSample& refit) {
    return refit.rows.size() <= static_cast<std::size_t>(counts.last);
  });
  if (few != refits.end()) {
    return absl::FailedPreconditionError(
        fmt::format("the sample of {} has {} customers, and {} clusters need more",
                    to_date(few->at), few->rows.size(), counts.last));
  }
  const Comparison comparison =
      compare(counts, refits, training,
              {{Quantity::kRecency, "R (days)", static_cast<double>(kDayMs)},
               {Quantity::kFrequency, "F (invoices)", 1},
               {Quantity::kMonetary, fmt::format("M ({})", currency),
                static_cast<double>(Money::kUnitsPerCurrencyUnit)}});
  fmt::print("{} customers on {}: best K-Means of {} starts, z-scores of log1p of R, F, M\n",
             grouped(n), to_date(sample.at), kFreshStarts);
  if (n > kSilhouetteRowsMax) {
    fmt::print("(silhouette: of {} of them, those with the lowest hashes of their ids)\n",
               grouped(kSilhouetteRowsMax));
  }
  if (const std::size_t pairs = comparison.stability.front().pair_count; pairs > 0) {
    fmt::print("refit, week: adjusted Rand index, mean of {} pairs of refits from {} to {}\n",
               pairs, to_date(refits.front().at), to_date(sample.at));
  }
  print_figures(comparison);
  print_verdict(comparison);
  for (const AxisComparison& axis : comparison.axes) print_axis(counts.first, axis);
  return absl::OkStatus();
}

}  // namespace rfm
