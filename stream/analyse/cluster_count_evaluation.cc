#include "stream/analyse/cluster_count_evaluation.h"

#include <algorithm>
#include <utility>

#include "model/axis_value.h"
#include "model/cluster_validity.h"
#include "model/deterministic_math.h"
#include "model/kmeans.h"
#include "model/natural_breaks.h"
#include "model/nearest_centroid.h"
#include "state/epoch.h"
#include "state/evaluation.h"
#include "state/money.h"

namespace rfm {
namespace {

constexpr std::uint64_t kFreshSeed = 0x5eed;

ClusterModel model_of(const KMeansFit& fit) {
  ClusterModel model;
  model.cluster_count = static_cast<int>(fit.centroids.size());
  model.weight = fit.weight;
  std::ranges::copy(fit.centroids, model.centroids.begin());
  return model;
}

std::vector<int> labels_of(std::span<const FeatureVector> points, const ClusterModel& model) {
  std::vector<int> labels;
  labels.reserve(points.size());
  for (const FeatureVector& x : points) labels.push_back(nearest(model, x));
  return labels;
}

// The labels of those who are in both samples, of which the hashes ascend.
std::pair<std::vector<int>, std::vector<int>> labels_of_both(
    std::span<const std::uint64_t> hashes_before, std::span<const int> before,
    std::span<const SampleRow> rows, std::span<const int> after) {
  std::pair<std::vector<int>, std::vector<int>> both;
  std::size_t j = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    while (j < hashes_before.size() && hashes_before[j] < rows[i].id_hash) ++j;
    if (j == hashes_before.size() || hashes_before[j] != rows[i].id_hash) continue;
    both.first.push_back(before[j]);
    both.second.push_back(after[i]);
  }
  return both;
}

}  // namespace

std::vector<FeatureVector> points_of(std::span<const SampleRow> sample, EventTime at) {
  std::vector<FeatureVector> points;
  points.reserve(sample.size());
  for (const SampleRow& row : sample) {
    const double monetary =
        static_cast<double>(std::max<std::int64_t>(0, row.monetary)) / Money::kUnitsPerCurrencyUnit;
    points.push_back({recency_feature(row.last_purchase_ms, to_ms(at)), det_log1p(row.frequency),
                      det_log1p(monetary)});
  }
  return points;
}

KMeansFit fresh_fit(std::span<const FeatureVector> points, int cluster_count) {
  return refit(points, {},
               {.cluster_count = cluster_count,
                .seed = kFreshSeed,
                .first_start_count = kFreshStarts,
                .fit_rows_max = static_cast<int>(points.size())});
}

ClusterCountFigures judge_cluster_count(std::span<const FeatureVector> points, int cluster_count,
                                        std::size_t silhouette_rows_max) {
  const KMeansFit fit = fresh_fit(points, cluster_count);
  const std::vector<FeatureVector> z = scaled(points, fit.weight);
  const std::vector<int> labels = labels_of(points, model_of(fit));
  const Clustering all{.points = z, .labels = labels, .cluster_count = cluster_count};
  const std::size_t compared = std::min(z.size(), silhouette_rows_max);
  const Clustering part{.points = all.points.first(compared),
                        .labels = all.labels.first(compared),
                        .cluster_count = cluster_count};
  return {.cluster_count = cluster_count,
          .inertia = fit.inertia,
          .silhouette = silhouette(part),
          .simplified_silhouette = simplified_silhouette(all),
          .calinski_harabasz = calinski_harabasz(all),
          .davies_bouldin = davies_bouldin(all),
          .smallest_share = static_cast<double>(*std::ranges::min_element(fit.member_counts)) /
                            static_cast<double>(points.size())};
}

AxisClasses split_axis(std::span<const std::int64_t> values, int class_count) {
  std::vector<std::int64_t> cuts = natural_breaks({values.begin(), values.end()}, class_count);
  const double squares = squared_deviations(values, cuts);
  return {.cuts = std::move(cuts), .squares_left = squares};
}

std::vector<std::int64_t> axis_values(const RefitSample& sample, Quantity quantity) {
  std::vector<std::int64_t> values;
  values.reserve(sample.rows.size());
  for (const SampleRow& row : sample.rows) {
    const AxisInput input{
        .silence_ms = std::max<std::int64_t>(0, to_ms(sample.at) - row.last_purchase_ms),
        .history_ms = row.last_purchase_ms - row.first_purchase_ms,
        .frequency = row.frequency,
        .monetary = row.monetary};
    if (const auto value = axis_value(quantity, input)) values.push_back(*value);
  }
  return values;
}

RefitWalk::RefitWalk(int first, int last, const TrainingOptions& training) : training_(training) {
  for (int count = first; count <= last; ++count) chains_.push_back({.cluster_count = count});
}

void RefitWalk::add(const RefitSample& sample) {
  const std::vector<FeatureVector> points = points_of(sample.rows, sample.at);
  for (Chain& chain : chains_) add(sample, points, chain);
  hashes_.clear();
  for (const SampleRow& row : sample.rows) hashes_.push_back(row.id_hash);
}

void RefitWalk::add(const RefitSample& sample, std::span<const FeatureVector> points,
                    Chain& chain) const {
  const std::span<const FeatureVector> previous =
      std::span(chain.model.centroids).first(static_cast<std::size_t>(chain.model.cluster_count));
  const KMeansFit fit =
      refit(points, previous,
            {.cluster_count = chain.cluster_count,
             .seed = training_.seed + static_cast<std::uint64_t>(epoch_of(sample.at)),
             .challenger_count = training_.challenger_count,
             .challenger_gain = training_.challenger_gain,
             .fit_rows_max = training_.fit_rows_max});
  const ClusterModel model = model_of(fit);
  std::vector<int> labels = labels_of(points, model);
  if (!previous.empty()) {
    const auto [before, after] = labels_of_both(hashes_, chain.labels, sample.rows, labels);
    chain.by_refit_sum += adjusted_rand_index(labels_of(points, chain.model), labels);
    chain.by_time_sum += adjusted_rand_index(before, after);
    ++chain.pair_count;
  }
  chain.model = model;
  chain.labels = std::move(labels);
}

MembershipStability RefitWalk::stability(int cluster_count) const {
  for (const Chain& chain : chains_) {
    if (chain.cluster_count != cluster_count || chain.pair_count == 0) continue;
    const auto pairs = static_cast<double>(chain.pair_count);
    return {.pair_count = chain.pair_count,
            .by_refit = chain.by_refit_sum / pairs,
            .by_time = chain.by_time_sum / pairs};
  }
  return {};
}

}  // namespace rfm
