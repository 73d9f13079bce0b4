// What speaks for one number of clusters or another, and how well those in force fit.
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "admin/state_answers.h"
#include "model/cluster_validity.h"
#include "model/nearest_centroid.h"
#include "state/epoch.h"
#include "stream/text/text_buffer.h"

namespace rfm {
namespace {

constexpr int kDigits = 6;
constexpr std::chrono::minutes kKept{1};  // At least, whatever is trained meanwhile.

// Infinite where clusters are points.
void write_figure(JsonText& out, std::string_view key, double value) {
  if (std::isfinite(value)) {
    out.key(key).fixed(value, kDigits);
  } else {
    out.key(key).raw("null");
  }
}

void write_counts(JsonText& out, const ClusterCountComparison& compared) {
  out.key("k").begin_array();
  for (std::size_t i = 0; i < compared.figures.size(); ++i) {
    const ClusterCountFigures& figures = compared.figures[i];
    out.begin_object();
    out.key("k").integer(figures.cluster_count);
    write_figure(out, "inertia", figures.inertia);
    write_figure(out, "silhouette", figures.simplified_silhouette);
    write_figure(out, "silhouette_exact", figures.silhouette);
    write_figure(out, "calinski_harabasz", figures.calinski_harabasz);
    write_figure(out, "davies_bouldin", figures.davies_bouldin);
    if (compared.stability[i].pair_count > 0) {
      write_figure(out, "stability", compared.stability[i].by_refit);
    } else {
      out.key("stability").raw("null");
    }
    out.end_object();
  }
  out.end_array();
}

std::string_view axis_name(Quantity quantity) {
  return quantity == Quantity::kRecency ? "recency_days" : name(quantity);
}

// How many of an axis's own units make one that is shown.
double units_of(Quantity quantity) {
  if (quantity == Quantity::kRecency) return static_cast<double>(kDayMs);
  return quantity == Quantity::kMonetary ? static_cast<double>(Money::kUnitsPerCurrencyUnit) : 1;
}

void write_axes(JsonText& out, const ClusterCountComparison& compared) {
  out.key("axes").begin_object();
  for (const AxisComparison& axis : compared.axes) {
    const double units = units_of(axis.quantity);
    out.key(axis_name(axis.quantity)).begin_array();
    int k = compared.first - 1;
    for (const double squares : axis.squares_left()) {
      out.begin_object();
      out.key("k").integer(k++);
      write_figure(out, "inertia", squares / (units * units));
      out.end_object();
    }
    out.end_array();
  }
  out.end_object();
}

std::string words_of(const ClusterCountComparison& compared) {
  std::string words;
  for (const std::string& sentence : verdict_of(compared))
    words += (words.empty() ? "" : " ") + sentence;
  return words;
}

double silhouette_of(const ClusterModel& clusters, const RefitSample& sample) {
  const std::vector<FeatureVector> points = points_of(sample.rows, sample.at);
  const std::vector<FeatureVector> z = scaled(points, clusters.weight);
  std::vector<int> labels;
  for (const FeatureVector& x : points) labels.push_back(nearest(clusters, x));
  return simplified_silhouette(
      {.points = z, .labels = labels, .cluster_count = clusters.cluster_count});
}

}  // namespace

absl::StatusOr<std::shared_ptr<const StateAnswers::SamplePass::Made>> StateAnswers::sample(
    const PassContext& known) {
  const EventTime boundary = boundary_of(known.epoch);
  return samples_
      .get(std::to_string(known.epoch),
           [boundary](const PassContext&) { return ClusterSample(boundary); })
      ->get(desks_, clock_);
}

Silhouettes StateAnswers::silhouettes(const PassContext& known) {
  const ModelVersion* const version = known.version();
  if (version == nullptr || !version->clusters) return {};
  {
    const std::scoped_lock lock(figures_mutex_);
    if (silhouettes_of_ == version->number) return silhouettes_;
  }
  const auto made = sample(known);
  if (!made.ok()) return {};
  Silhouettes silhouettes;
  for (const RefitSample& sample : (*made)->sums.samples()) {
    const ModelVersion* const then = known.version_in(epoch_of(sample.at));
    if (then != nullptr && then->clusters && !sample.rows.empty())
      silhouettes[then->number] = silhouette_of(*then->clusters, sample);
  }
  const std::scoped_lock lock(figures_mutex_);
  silhouettes_of_ = version->number;
  silhouettes_ = silhouettes;
  return silhouettes;
}

StateAnswers::Answer StateAnswers::cluster_counts(const AdminRequest& request) {
  RequestParameters parameters(request, {});
  if (!parameters.status().ok()) return parameters.status();
  const absl::StatusOr<PassContext> known = context();
  if (!known.ok()) return known.status();
  const ModelVersion* const version = known->version();
  if (version == nullptr || !version->clusters)
    return absl::FailedPreconditionError("there are no clusters yet");
  const std::shared_ptr<const ClusterCountWork::Done> done = cluster_counts_.last();
  const bool is_new = done != nullptr && (done->context.version()->number == version->number ||
                                          clock_.steady() - counted_at_.load() < kKept);
  if (!is_new && !cluster_counts_.is_at_work()) {
    const auto made = sample(*known);
    if (!made.ok() && done == nullptr) return made.status();
    if (made.ok()) {
      std::vector<RefitSample> samples = (*made)->sums.samples();
      if (samples.back().rows.size() < ClusterCountWork::kCustomersMin)
        return absl::FailedPreconditionError("there are too few customers to compare clusters of");
      counted_at_ = clock_.steady();
      cluster_counts_.begin((*made)->context, std::move(samples));
    }
  }
  if (done == nullptr) return absl::DeadlineExceededError("clusters are being compared");
  TextBuffer text;
  JsonText out(text);
  out.begin_object();
  write_scope(out, scope(done->context, done->at), done->context.rules(), done->context.version());
  out.key("customers").integer(static_cast<std::int64_t>(done->customers));
  write_counts(out, done->comparison);
  write_axes(out, done->comparison);
  out.key("words").text(words_of(done->comparison));
  out.end_object();
  return std::string(text.view());
}

}  // namespace rfm
