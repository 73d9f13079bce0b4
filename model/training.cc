#include "model/training.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <tuple>
#include <utility>

#include "model/axis_value.h"
#include "model/cluster_names.h"
#include "model/day.h"
#include "model/deterministic_math.h"
#include "model/hungarian.h"
#include "model/kmeans.h"
#include "model/natural_breaks.h"
#include "model/nearest_centroid.h"
#include "model/score_cuts.h"

namespace rfm {
namespace {

constexpr std::int64_t kWeekDays = 7;
constexpr double kMoneyScale = 10000;
constexpr double kSampleFill = .9;  // Room for growth until the next refit.

std::uint64_t mixed(std::uint64_t seed, std::int64_t epoch) {
  std::uint64_t z = seed + 0x9e3779b97f4a7c15ULL * (static_cast<std::uint64_t>(epoch) + 1);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

void add(ClusterSums& to, const ClusterSums& part) {
  to.n += part.n;
  to.sum_f += part.sum_f;
  to.sum_m += part.sum_m;
  to.square_f += part.square_f;
  to.square_m += part.square_m;
  for (const auto& [day, count] : part.last_purchase_days) to.last_purchase_days[day] += count;
}

bool is_before(const SampleRow& a, const SampleRow& b) {
  if (a.id_hash != b.id_hash) return a.id_hash < b.id_hash;
  const auto rest = [](const SampleRow& row) {
    return std::tie(row.first_purchase_ms, row.last_purchase_ms, row.monetary, row.frequency);
  };
  return rest(a) < rest(b);
}

// Sorts rows of which [ends[i], ends[i + 1]) are sorted, each with its neighbour until one is left.
void merge_runs(std::vector<std::size_t> ends, std::vector<SampleRow>& rows) {
  const auto at = [&rows](std::size_t i) { return rows.begin() + static_cast<std::ptrdiff_t>(i); };
  while (ends.size() > 2) {
    std::vector<std::size_t> left = {0};
    for (std::size_t i = 2; i < ends.size(); i += 2) {
      std::inplace_merge(at(ends[i - 2]), at(ends[i - 1]), at(ends[i]), is_before);
      left.push_back(ends[i]);
    }
    if (left.back() != ends.back()) left.push_back(ends.back());
    ends = std::move(left);
  }
}

FeatureVector features_at(const SampleRow& row, std::int64_t at_ms) {
  const double monetary =
      static_cast<double>(std::max<std::int64_t>(0, row.monetary)) / kMoneyScale;
  return {recency_feature(row.last_purchase_ms, at_ms),
          det_log1p_finite(static_cast<double>(row.frequency)), det_log1p_finite(monetary)};
}

std::vector<FeatureVector> points_of(std::span<const SampleRow> sample, std::int64_t at_ms) {
  std::vector<FeatureVector> points;
  points.reserve(sample.size());
  for (const SampleRow& row : sample) points.push_back(features_at(row, at_ms));
  return points;
}

AxisInput axis_input(const SampleRow& row, std::int64_t at_ms,
                     const std::optional<ChurnModel>& churn) {
  AxisInput input{.silence_ms = std::max<std::int64_t>(0, at_ms - row.last_purchase_ms),
                  .history_ms = row.last_purchase_ms - row.first_purchase_ms,
                  .frequency = row.frequency,
                  .monetary = row.monetary};
  if (churn) input.risk = churn_risk(*churn, churn_input(row, at_ms));
  return input;
}

std::span<const FeatureVector> centroids_of(const ClusterModel& model) {
  return std::span(model.centroids).first(static_cast<std::size_t>(model.cluster_count));
}

ClusterModel to_model(const KMeansFit& fit, std::size_t point_count) {
  ClusterModel model;
  model.cluster_count = static_cast<int>(fit.centroids.size());
  model.weight = fit.weight;
  std::copy(fit.centroids.begin(), fit.centroids.end(), model.centroids.begin());
  model.inertia_per_customer = fit.inertia / static_cast<double>(point_count);
  return model;
}

// The clusters of `fit` in another order: order[i] becomes i.
void reorder(std::span<const int> order, KMeansFit& fit) {
  const KMeansFit before = fit;
  for (std::size_t id = 0; id < order.size(); ++id) {
    const auto from = static_cast<std::size_t>(order[id]);
    fit.centroids[id] = before.centroids[from];
    fit.member_counts[id] = before.member_counts[from];
  }
}

std::vector<int> labels_of(std::span<const FeatureVector> points, const ClusterModel& model) {
  std::vector<int> labels;
  labels.reserve(points.size());
  for (const FeatureVector& x : points) labels.push_back(nearest(model, x));
  return labels;
}

// Of the customers with these labels, where cluster order[i] after is cluster i before.
double share_moved(std::span<const int> before, std::span<const int> after,
                   std::span<const int> order) {
  std::size_t moved = 0;
  for (std::size_t i = 0; i < before.size(); ++i)
    moved += order[static_cast<std::size_t>(before[i])] == after[i] ? 0U : 1U;
  return static_cast<double>(moved) / static_cast<double>(before.size());
}

std::vector<ClusterNameCode> names_after(const KMeansFit& fit,
                                         std::span<const ClusterNameCode> before) {
  const FeatureVector population = population_mean(fit.centroids, fit.member_counts);
  return name_clusters(ClusterNameConditions(fit.centroids, population), before);
}

// Ids of a first fit: by the ranks of the names that the clusters get, then by money.
std::vector<int> first_order(const KMeansFit& fit) {
  const std::vector<ClusterNameCode> names = names_after(fit, {});
  std::vector<int> order(names.size());
  std::iota(order.begin(), order.end(), 0);
  const auto place = [&](int cluster) {
    const auto i = static_cast<std::size_t>(cluster);
    const FeatureVector& c = fit.centroids[i];
    return std::tuple(-cluster_rank(names[i]), -c[2], -c[1], c[0]);
  };
  std::ranges::stable_sort(order, {}, place);
  return order;
}

// Mean of log1p of recency over the members, each last purchase taken at its day's middle.
double recency_mean(const ClusterSums& sums, std::int64_t at_day) {
  double total = 0;
  for (const auto& [day, count] : sums.last_purchase_days) {
    const double age_days = std::max(0.0, static_cast<double>(at_day - day) - 0.5);
    total += static_cast<double>(count) * det_log1p_finite(age_days);
  }
  return total / static_cast<double>(sums.n);
}

// Whether a centroid moved by more than `share` of its way to the nearest other.
bool moved_enough(const ClusterModel& before, const ClusterModel& after, double share) {
  const std::span<const FeatureVector> old = centroids_of(before);
  for (std::size_t j = 0; j < old.size(); ++j) {
    double nearest_other = std::numeric_limits<double>::infinity();
    for (std::size_t other = 0; other < old.size(); ++other) {
      if (other == j) continue;
      nearest_other = std::min(nearest_other, squared_distance(before.weight, old[j], old[other]));
    }
    const double move = squared_distance(before.weight, old[j], after.centroids[j]);
    if (std::sqrt(move) > share * std::sqrt(nearest_other)) return true;
  }
  return false;
}

}  // namespace

std::int64_t boundary_ms(std::int64_t epoch) { return epoch * kDayMs; }

bool is_refit_epoch(const RefitSchedule& schedule, std::int64_t epoch) {
  // Day 0 is a Thursday, the fourth of its week.
  return (epoch + 3 - schedule.refit_weekday) % kWeekDays == 0;
}

bool wants_sample(const RefitSchedule& schedule, std::int64_t epoch,
                  const ModelVersion* effective) {
  if (!schedule.trains) return false;
  return effective == nullptr || !effective->clusters || is_refit_epoch(schedule, epoch);
}

bool is_sampled(std::uint64_t id_hash, int sample_shift) {
  return sample_shift == 0 || id_hash >> (64 - sample_shift) == 0;
}

Contribution merge(std::span<const Contribution* const> parts) {
  Contribution merged;
  std::size_t sample_size = 0;
  for (const Contribution* part : parts) {
    merged.epoch = std::max(merged.epoch, part->epoch);
    merged.population += part->population;
    if (merged.clusters.size() < part->clusters.size())
      merged.clusters.resize(part->clusters.size());
    for (std::size_t j = 0; j < part->clusters.size(); ++j) {
      add(merged.clusters[j], part->clusters[j]);
    }
    if (!part->has_sample) continue;
    merged.has_sample = true;
    sample_size += part->sample.size();
  }
  merged.sample.reserve(sample_size);
  std::vector<std::size_t> ends = {0};  // Of the runs that are sorted.
  for (const Contribution* part : parts) {
    if (!part->has_sample) continue;
    merged.sample.insert(merged.sample.end(), part->sample.begin(), part->sample.end());
    const auto first = merged.sample.begin() + static_cast<std::ptrdiff_t>(ends.back());
    // A part is sorted by the hash, which is all of the order but where two are equal.
    if (!std::is_sorted(first, merged.sample.end(), is_before))
      std::sort(first, merged.sample.end(), is_before);
    ends.push_back(merged.sample.size());
  }
  merge_runs(std::move(ends), merged.sample);
  return merged;
}

Training::Training(TrainingOptions options) : options_(options) {}

void Training::restore(ModelVersion latest, std::optional<std::int64_t> populated_epoch,
                       std::optional<std::int64_t> first_fit_epoch) {
  latest_ = std::move(latest);
  populated_epoch_ = populated_epoch;
  first_fit_epoch_ = first_fit_epoch;
  previous_sample_.reset();
  weeks_.clear();
}

void Training::add_sample(std::int64_t epoch, std::vector<SampleRow> sample) {
  if (!is_refit_epoch(options_.schedule, epoch) || sample.empty()) return;
  sample.resize(std::min(sample.size(), static_cast<std::size_t>(options_.sample_max)));
  remember(epoch, std::move(sample));
}

ModelVersion Training::train(std::int64_t epoch, Contribution merged) {
  if (!populated_epoch_ && merged.population >= options_.population_on) populated_epoch_ = epoch;
  std::vector<SampleRow> sample_rows;
  if (merged.has_sample && wants_sample(options_.schedule, epoch, &latest_)) {
    sample_rows = std::move(merged.sample);
    sample_rows.resize(std::min(sample_rows.size(), static_cast<std::size_t>(options_.sample_max)));
  }
  const std::span<const SampleRow> sample = sample_rows;
  ModelVersion next = latest_;
  next.trained_epoch = epoch;
  next.population = merged.population;
  next.cluster_change = ClusterChange::kNone;
  train_clusters(merged, sample, next);
  promoted_.reset();
  if (next.cluster_change == ClusterChange::kFirstFit) first_fit_epoch_ = epoch;
  if (!sample.empty()) {
    next.sample_shift = 0;
    while (std::ldexp(static_cast<double>(merged.population), -next.sample_shift) >
           kSampleFill * options_.sample_max) {
      ++next.sample_shift;
    }
  }
  if (is_refit_epoch(options_.schedule, epoch) && !sample.empty()) {
    remember(epoch, std::move(sample_rows));  // `sample` stays: the rows only change their owner.
    const int population_min = latest_.churn ? options_.population_off : options_.population_on;
    if (!weeks_.empty() && merged.population >= population_min) {
      const std::size_t rows =
          std::min(sample.size(), static_cast<std::size_t>(options_.churn_rows_max));
      next.churn = fit_churn(latest_.churn, sample.first(rows), boundary_ms(epoch), weeks_,
                             {.lambda = options_.churn_lambda});
    }
  }
  next.cuts = train_cuts(next, sample);
  next.cuts_changed = next.cuts != latest_.cuts;
  next.churn_changed = next.churn != latest_.churn;
  if (next.clusters == latest_.clusters) next.cluster_change = ClusterChange::kNone;
  next.unchanged = !next.cuts_changed && !next.churn_changed &&
                   next.cluster_change == ClusterChange::kNone && next.held == latest_.held &&
                   next.sample_shift == latest_.sample_shift;
  if (!next.unchanged) ++next.number;
  latest_ = next;
  return next;
}

std::vector<TrainedCuts> Training::train_cuts(const ModelVersion& next,
                                              std::span<const SampleRow> sample) const {
  const bool had_none = latest_.cuts.empty();
  if (next.population < (had_none ? options_.population_on : options_.population_off)) return {};
  if (sample.empty() || !(had_none || is_refit_epoch(options_.schedule, next.trained_epoch)))
    return latest_.cuts;
  std::vector<AxisInput> inputs;
  inputs.reserve(sample.size());
  const bool asks_risk = std::ranges::any_of(
      options_.cut_specs, [](const CutSpec& spec) { return follows_risk(spec.quantity); });
  for (const SampleRow& row : sample) {
    inputs.push_back(
        axis_input(row, boundary_ms(next.trained_epoch), asks_risk ? next.churn : std::nullopt));
  }
  std::vector<TrainedCuts> trained;
  for (const CutSpec& spec : options_.cut_specs) {
    trained.push_back({spec.quantity, spec.method, spec.bins, {}});
    std::vector<std::int64_t> values;
    values.reserve(inputs.size());
    for (const AxisInput& input : inputs) {
      if (const auto value = axis_value(spec.quantity, input)) values.push_back(*value);
    }
    if (values.empty()) continue;
    std::vector<std::int64_t>& cuts = trained.back().cuts;
    cuts = spec.method == CutMethod::kBreaks ? natural_breaks(std::move(values), spec.bins)
                                             : quantile_cuts(std::move(values), spec.bins);
    // Whoever has given back more than was bought scores 1.
    for (std::int64_t& cut : cuts) cut = std::max<std::int64_t>(cut, 0);
    clamp_cuts(spec.bounds, cuts);
  }
  return trained;
}

void Training::train_clusters(const Contribution& merged, std::span<const SampleRow> sample,
                              ModelVersion& next) const {
  const std::int64_t epoch = next.trained_epoch;
  if (latest_.held && latest_.held->epoch == promoted_) {
    next.clusters = latest_.held->clusters;
    next.cluster_change = ClusterChange::kRefitChallenger;
    next.held.reset();
    return;
  }
  const bool has_clusters =
      latest_.clusters && latest_.clusters->cluster_count == options_.cluster_count;
  const bool is_large =
      merged.population >= (has_clusters ? options_.population_off : options_.population_on) &&
      sample.size() >= static_cast<std::size_t>(options_.cluster_count);
  const std::int64_t history_ms =
      boundary_ms(epoch) - boundary_ms(populated_epoch_.value_or(epoch));
  const bool is_due = has_clusters ? is_refit_epoch(options_.schedule, epoch)
                                   : history_ms >= options_.cluster_history_ms;
  if (is_large && is_due) {
    refit_clusters(epoch, sample, next);
    return;
  }
  if (!has_clusters) return;
  const ClusterModel moved = move_centroids(epoch, merged);
  if (moved_enough(*latest_.clusters, moved, options_.move_min)) {
    next.clusters = moved;
    next.cluster_change = ClusterChange::kMoved;
  }
}

ClusterModel Training::move_centroids(std::int64_t epoch, const Contribution& merged) const {
  ClusterModel moved = *latest_.clusters;
  const std::size_t count =
      std::min(merged.clusters.size(), static_cast<std::size_t>(moved.cluster_count));
  for (std::size_t j = 0; j < count; ++j) {
    const ClusterSums& sums = merged.clusters[j];
    if (sums.n <= 0) continue;
    const double scale = static_cast<double>(sums.n) * kFeatureScale;
    moved.centroids[j] = {recency_mean(sums, epoch), static_cast<double>(sums.sum_f) / scale,
                          static_cast<double>(sums.sum_m) / scale};
  }
  return moved;
}

void Training::refit_clusters(std::int64_t epoch, std::span<const SampleRow> sample,
                              ModelVersion& next) const {
  const std::vector<FeatureVector> points = points_of(sample, boundary_ms(epoch));
  const bool is_first =
      !latest_.clusters || latest_.clusters->cluster_count != options_.cluster_count;
  std::span<const FeatureVector> previous;
  if (!is_first) previous = centroids_of(*latest_.clusters);
  KMeansOptions options;
  options.cluster_count = options_.cluster_count;
  options.seed = mixed(options_.seed, epoch);
  options.challenger_count = options_.challenger_count;
  options.challenger_gain = options_.challenger_gain;
  options.fit_rows_max = options_.fit_rows_max;
  KMeansFit fit = refit(points, previous, options);
  std::span<const ClusterNameCode> names;
  if (!is_first) names = latest_.clusters->names;
  const auto named = [&] {
    ClusterModel model = to_model(fit, points.size());
    model.names = names_after(fit, names);
    return model;
  };
  next.held.reset();
  if (is_first) {
    reorder(first_order(fit), fit);
  } else if (fit.origin == KMeansOrigin::kChallenger) {
    const std::vector<int> before = labels_of(points, *latest_.clusters);
    const std::vector<int> after = labels_of(points, to_model(fit, points.size()));
    const std::vector<int> order = match_by_members(before, after, options.cluster_count);
    reorder(order, fit);
    const double moved = share_moved(before, after, order);
    if (moved > options_.moved_max && is_settled(epoch)) {
      next.held = {.epoch = epoch, .moved = moved, .clusters = named()};
      options.challenger_count = 0;
      fit = refit(points, previous, options);
    }
  }
  ClusterModel model = named();
  next.cluster_change = is_first                                  ? ClusterChange::kFirstFit
                        : fit.origin == KMeansOrigin::kChallenger ? ClusterChange::kRefitChallenger
                                                                  : ClusterChange::kRefitWarm;
  next.clusters = std::move(model);
}

bool Training::is_settled(std::int64_t epoch) const {
  return first_fit_epoch_ && epoch - *first_fit_epoch_ > kSettlingRefits * kWeekDays;
}

void Training::remember(std::int64_t epoch, std::vector<SampleRow> sample) {
  const std::int64_t at_ms = boundary_ms(epoch);
  if (previous_sample_) {
    const std::int64_t before_ms = boundary_ms(previous_sample_->epoch);
    if (at_ms - before_ms == kWeekDays * kDayMs) {
      weeks_.push_back(
          label_week(previous_sample_->rows, sample, before_ms, options_.churn_rows_max));
      if (weeks_.size() > static_cast<std::size_t>(options_.churn_weeks))
        weeks_.erase(weeks_.begin());
    }
  }
  previous_sample_ = {.epoch = epoch, .rows = std::move(sample)};
}

}  // namespace rfm
