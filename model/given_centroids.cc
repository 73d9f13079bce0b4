#include "model/given_centroids.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "model/deterministic_math.h"

namespace rfm {
namespace {

constexpr double kScaleMin = 1e-3;
constexpr double kScaleMax = 1e3;
constexpr double kFigureMax = 1e12;

template <typename... Args>
absl::Status refused(fmt::format_string<Args...> format, Args&&... args) {
  return absl::InvalidArgumentError(fmt::format(format, std::forward<Args>(args)...));
}

bool is_same_point(const GivenCentroid& a, const GivenCentroid& b) {
  return a.recency_days == b.recency_days && a.frequency == b.frequency && a.monetary == b.monetary;
}

}  // namespace

absl::Status check_centroids(const SegmentationSpec& spec) {
  const std::size_t count = spec.centroids.size();
  if (count < kClustersMin || count > kClustersMax) {
    return refused("centroids: there are {}; allowed: {} to {}", count, kClustersMin, kClustersMax);
  }
  for (const double scale : spec.scale) {
    if (!(scale >= kScaleMin && scale <= kScaleMax))
      return refused("scale: {} is in it; allowed: {} to {}", scale, kScaleMin, kScaleMax);
  }
  for (auto centroid = spec.centroids.begin(); centroid != spec.centroids.end(); ++centroid) {
    for (const double figure : {centroid->recency_days, centroid->frequency, centroid->monetary}) {
      if (!(figure >= 0 && figure <= kFigureMax)) {
        return refused("centroids: that of \"{}\" has the figure {}; allowed: 0 to {}",
                       centroid->segment, figure, kFigureMax);
      }
    }
    if (std::any_of(spec.centroids.begin(), centroid,
                    [&](const GivenCentroid& other) { return is_same_point(other, *centroid); })) {
      return refused("centroids: nobody reaches that of \"{}\", which is where another one is",
                     centroid->segment);
    }
    if (std::ranges::find(spec.segments, centroid->segment, &SegmentInfo::name) ==
        spec.segments.end())
      return refused("segments: \"{}\" is not described", centroid->segment);
  }
  for (const SegmentInfo& info : spec.segments) {
    if (std::ranges::find(spec.centroids, info.name, &GivenCentroid::segment) ==
        spec.centroids.end())
      return refused("segments: no centroid leads to \"{}\"", info.name);
  }
  return absl::OkStatus();
}

ClusterModel cluster_model_of(const SegmentationSpec& spec) {
  ClusterModel model;
  model.cluster_count = static_cast<int>(spec.centroids.size());
  for (std::size_t i = 0; i < model.weight.size(); ++i)
    model.weight[i] = 1 / (spec.scale[i] * spec.scale[i]);
  for (std::size_t i = 0; i < spec.centroids.size(); ++i) {
    const GivenCentroid& given = spec.centroids[i];
    model.centroids[i] = {det_log1p(given.recency_days), det_log1p(given.frequency),
                          det_log1p(given.monetary)};
  }
  return model;
}

}  // namespace rfm
