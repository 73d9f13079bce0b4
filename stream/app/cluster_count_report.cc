#include "stream/app/cluster_count_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
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
#include "stream/app/command.h"
#include "stream/app/progress.h"
#include "stream/app/stop_signal.h"
#include "stream/app/text_table.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr std::string_view kRange = "..";
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

void print_figures(const ClusterCountComparison& comparison) {
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

std::string cut_text(double value) {
  const double size = std::abs(value);
  if (size == std::floor(size) || size >= 1000) return fmt::format("{:.0f}", value);
  return size >= 100 ? fmt::format("{:.1f}", value) : fmt::format("{:.2f}", value);
}

void print_axis(int first, const PrintedAxis& axis, const AxisComparison& split) {
  const std::vector<double> squares = split.squares_left();
  const std::vector<double> rates = fall_rates(first, squares);
  std::vector<std::vector<std::string>> lines = {
      {fmt::format("  {:>3}{:>10}{:>9}{:>6}", "k", "left", "fall", "rate"),
       "highest value of each class but the last"}};
  for (std::size_t i = 0; i < rates.size(); ++i) {
    const std::string left =
        split.total > 0 ? fmt::format("{:.2f} %", 100 * squares[i + 1] / split.total) : "-";
    std::string cuts;
    for (const std::int64_t cut : split.classes[i + 1].cuts)
      cuts += cut_text(static_cast<double>(cut) / axis.units) + " ";
    lines.push_back({fmt::format("  {:>3}{:>10}{:>9}{:>6}", first + static_cast<int>(i), left,
                                 fall_text(squares[i], squares[i + 1]), rate_text(rates[i])),
                     cuts});
  }
  fmt::print("\n{} alone\n", axis.name);
  print_table(lines);
  fmt::print("  Variance left: {}.\n", elbow_words(first, rates, 1));
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
  const std::array<PrintedAxis, 3> axes = {
      {{Quantity::kRecency, "R (days)", static_cast<double>(kDayMs)},
       {Quantity::kFrequency, "F (invoices)", 1},
       {Quantity::kMonetary, fmt::format("M ({})", currency),
        static_cast<double>(Money::kUnitsPerCurrencyUnit)}}};
  std::vector<Quantity> quantities;
  for (const PrintedAxis& axis : axes) quantities.push_back(axis.quantity);
  Progress line("fitted", "clusterings");
  std::uint64_t fits = 0;
  const absl::StatusOr<ClusterCountComparison> compared =
      compare_cluster_counts(counts, refits, training, quantities, [&](const FitProgress& at) {
        fits = at.done;
        line.update(at.done, static_cast<double>(at.done) / static_cast<double>(at.all),
                    "event time " + to_date(at.at));
        return StopSignal().asked() ? interrupted("not all numbers were tried") : absl::OkStatus();
      });
  if (!compared.ok()) return compared.status();
  line.finish(fits, "");
  const ClusterCountComparison& comparison = *compared;
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
  fmt::print("\nWhat the figures say\n");
  for (const std::string& words : verdict_of(comparison)) fmt::print("  {}\n", words);
  for (std::size_t i = 0; i < axes.size(); ++i)
    print_axis(counts.first, axes[i], comparison.axes[i]);
  return absl::OkStatus();
}

}  // namespace rfm
