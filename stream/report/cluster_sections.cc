// How many clusters there should be.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "model/elbow.h"
#include "stream/analyse/cluster_count_evaluation.h"
#include "stream/evaluate/cluster_evaluation.h"
#include "stream/report/figure_text.h"
#include "stream/report/html_text.h"
#include "stream/report/sections.h"
#include "stream/report/svg_chart.h"

namespace rfm {
namespace {

constexpr int kFirst = 2;
constexpr int kLast = 8;
// What a silhouette has to reach before it speaks for groups (Kaufman and Rousseeuw, Finding Groups
// in Data, 1990, table 4).
constexpr double kReasonable = .5;

std::string finding_of(const std::vector<ClusterCountFigures>& figures, std::optional<int> elbow) {
  const ClusterCountFigures& best = *std::ranges::max_element(
      figures, [](const auto& a, const auto& b) { return a.silhouette < b.silhouette; });
  std::string finding =
      elbow ? fmt::format("The inertia has an elbow at {} clusters", *elbow)
            : "There is no clear elbow: the inertia falls steadily with the number of clusters";
  finding += fmt::format("; the silhouette is highest with {} ({}).", best.cluster_count,
                         number_text(best.silhouette, 2));
  if (!elbow && best.silhouette <= kReasonable) {
    finding +=
        " No number stands out: the customers pass into each other, and how finely to divide them "
        "is a choice.";
  }
  return finding;
}

}  // namespace

ReportSection cluster_counts_section(const ReportInput& input) {
  ReportSection section{
      .id = "cluster-counts", .title = "How many clusters", .finding = "", .body = ""};
  const EventTime at = input.census.as_of();
  const std::vector<SampleRow> sample = input.census.population().sample(kSilhouetteRowsMax, at);
  const std::vector<FeatureVector> points = points_of(sample, at);
  std::vector<FeatureVector> distinct = points;
  std::ranges::sort(distinct);
  distinct.erase(std::ranges::unique(distinct).begin(), distinct.end());
  if (distinct.size() <= kLast) {
    section.finding = fmt::format("It takes more than {} customers who differ.", kLast);
    return section;
  }
  std::vector<ClusterCountFigures> figures;
  std::vector<double> inertias = {fresh_fit(points, kFirst - 1).inertia};
  for (int k = kFirst; k <= kLast; ++k) {
    figures.push_back(judge_cluster_count(points, k));
    inertias.push_back(figures.back().inertia);
  }
  const std::vector<double> rates = fall_rates(kFirst, inertias);
  section.finding = finding_of(figures, find_elbow(kFirst, rates, kFeatureCount));
  HtmlTable table(
      "K-Means on recency, frequency and monetary (z-scores of log1p), best of ten starts",
      {{"Clusters"},
       {"Inertia"},
       {"Fall"},
       {"Silhouette"},
       {"Simplified"},
       {"Calinski-Harabasz"},
       {"Davies-Bouldin"},
       {"Smallest"}});
  std::vector<std::string> labels;
  ColumnSeries left{.name = "Inertia", .values = {}};
  ColumnSeries silhouettes{.name = "Silhouette", .values = {}};
  for (std::size_t i = 0; i < figures.size(); ++i) {
    const ClusterCountFigures& one = figures[i];
    labels.push_back(std::to_string(one.cluster_count));
    left.values.push_back(one.inertia);
    silhouettes.values.push_back(one.silhouette);
    table.row({labels.back(), number_text(one.inertia, 1),
               percent_text(1 - one.inertia / inertias[i]), number_text(one.silhouette, 3),
               number_text(one.simplified_silhouette, 3), number_text(one.calinski_harabasz, 1),
               number_text(one.davies_bouldin, 3), percent_text(one.smallest_share)});
  }
  section.body = column_chart("Elbow: inertia by the number of clusters", labels, {left}) +
                 column_chart("Silhouette by the number of clusters", labels, {silhouettes}) +
                 table.html();
  if (input.census.population().size() > sample.size()) {
    section.body += fmt::format("<p>Of {} customers, evenly taken.</p>\n",
                                count_text(static_cast<std::int64_t>(sample.size())));
  }
  return section;
}

}  // namespace rfm
