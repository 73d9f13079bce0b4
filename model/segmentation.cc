#include "model/segmentation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "model/axis_value.h"
#include "model/cluster_names.h"
#include "model/given_centroids.h"
#include "model/segmentation_map.h"

namespace rfm {

namespace {

constexpr std::size_t kNameBytesMax = 64;
constexpr std::size_t kTextBytesMax = 1000;
constexpr int kRankMax = 1'000'000;
constexpr std::int64_t kRiskMax = 1'000'000'000;

template <typename... Args>
absl::Status refused(fmt::format_string<Args...> format, Args&&... args) {
  return absl::InvalidArgumentError(fmt::format(format, std::forward<Args>(args)...));
}

// Of segmentations and axes: they are parts of settings' keys and fields of published records.
bool is_plain_name(std::string_view name) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= kNameBytesMax && name[0] >= 'a' && name[0] <= 'z' &&
         std::ranges::all_of(name, is_allowed);
}

bool is_text(std::string_view text, std::size_t bytes_max) {
  return !text.empty() && text.size() <= bytes_max && std::ranges::none_of(text, [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

absl::Status check_cuts(const Axis& axis, const std::vector<std::int64_t>& cuts) {
  const auto wanted = static_cast<std::size_t>(axis.cuts.bins - 1);
  if (cuts.size() != wanted) {
    return refused("axis \"{}\" has {} cuts; {} bins have {}", axis.name, cuts.size(),
                   axis.cuts.bins, wanted);
  }
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    if (cuts[i] < 0) return refused("axis \"{}\": a cut is below 0", axis.name);
    if (axis.cuts.quantity == Quantity::kRisk && cuts[i] > kRiskMax)
      return refused("axis \"{}\": a cut of the risk is above 1", axis.name);
    // Start cuts that were put within bounds may have met.
    const bool may_be_equal = axis.cuts.method != CutMethod::kFixed;
    if (i > 0 && (cuts[i] < cuts[i - 1] || (cuts[i] == cuts[i - 1] && !may_be_equal)))
      return refused("axis \"{}\": cut {} is not above the one before", axis.name, i + 1);
  }
  return absl::OkStatus();
}

absl::Status check_bounds(const Axis& axis) {
  const std::vector<CutBounds>& bounds = axis.cuts.bounds;
  const auto wanted = static_cast<std::size_t>(axis.cuts.bins - 1);
  if (bounds.size() != wanted) {
    return refused("axis \"{}\" has bounds of {} cuts; {} bins have {} cuts", axis.name,
                   bounds.size(), axis.cuts.bins, wanted);
  }
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    if (bounds[i].low < 0 || bounds[i].low > bounds[i].high) {
      return refused("axis \"{}\": the bounds of cut {} are not a range from 0 on", axis.name,
                     i + 1);
    }
    if (i > 0 && (bounds[i].low < bounds[i - 1].low || bounds[i].high < bounds[i - 1].high)) {
      return refused("axis \"{}\": the bounds of cut {} are below those of the cut before",
                     axis.name, i + 1);
    }
  }
  return absl::OkStatus();
}

// Checks it, and puts the start cuts of a trained axis within its bounds.
absl::Status check_axis(Axis& axis) {
  if (!is_plain_name(axis.name) || is_reserved_coordinate(axis.name)) {
    return refused(
        "axis \"{}\": allowed are names of small letters, digits, - and _, which begin "
        "with a letter, except segment, fm and overall",
        axis.name);
  }
  CutSpec& cuts = axis.cuts;
  if (cuts.bins < kBinsMin || cuts.bins > kBinsMax)
    return refused("axis \"{}\" has {} bins; allowed: {} to {}", axis.name, cuts.bins, kBinsMin,
                   kBinsMax);
  if (!(axis.margin >= 0 && axis.margin < 1))
    return refused("axis \"{}\" has the margin {}; allowed: 0 to less than 1", axis.name,
                   axis.margin);
  if (cuts.method == CutMethod::kFixed && !cuts.bounds.empty())
    return refused("axis \"{}\" has bounds, but its cuts are fixed", axis.name);
  if (!cuts.bounds.empty()) {
    if (absl::Status status = check_bounds(axis); !status.ok()) return status;
  }
  if (cuts.method != CutMethod::kFixed && cuts.fixed.empty()) return absl::OkStatus();
  if (absl::Status status = check_cuts(axis, cuts.fixed); !status.ok()) return status;
  for (std::size_t i = 0; i < cuts.bounds.size(); ++i)
    cuts.fixed[i] = std::clamp(cuts.fixed[i], cuts.bounds[i].low, cuts.bounds[i].high);
  return absl::OkStatus();
}

absl::Status check_axes(SegmentationSpec& spec) {
  if (spec.axes.empty() || spec.axes.size() > kAxesMax)
    return refused("it has {} axes; allowed: 1 to {}", spec.axes.size(), kAxesMax);
  std::set<std::string_view> names;
  std::size_t cells = 1;
  for (Axis& axis : spec.axes) {
    if (absl::Status status = check_axis(axis); !status.ok()) return status;
    if (!names.insert(axis.name).second) return refused("axis \"{}\" is there twice", axis.name);
    cells *= score_count(axis);
  }
  if (cells > kCellsMax) return refused("its axes make {} cells; allowed: {}", cells, kCellsMax);
  return absl::OkStatus();
}

absl::Status check_action(const SegmentInfo& info, const SegmentAction& action) {
  if (!is_text(action.text, kTextBytesMax)) {
    return refused("segment \"{}\" has an action without text, or with one of over {} bytes",
                   info.name, kTextBytesMax);
  }
  if (action.where_segmentation.empty() != action.where_segments.empty()) {
    return refused(
        "an action of segment \"{}\" depends on a segmentation without saying which "
        "segments of it",
        info.name);
  }
  if (action.cooldown_ms < 0)
    return refused("an action of segment \"{}\" has a cool-down below 0", info.name);
  return absl::OkStatus();
}

absl::Status check_segments(const std::vector<SegmentInfo>& segments) {
  if (segments.empty()) return refused("it has no segments");
  if (segments.size() > kSegmentsMax)
    return refused("it has {} segments; allowed: {}", segments.size(), kSegmentsMax);
  std::set<std::string_view> names;
  for (const SegmentInfo& info : segments) {
    if (!is_text(info.name, kNameBytesMax)) {
      return refused("segment \"{}\": allowed are names of 1 to {} bytes", info.name,
                     kNameBytesMax);
    }
    if (info.name == kNoSegment || info.name == kUnassignedSegment)
      return refused("segment \"{}\" is a reserved name; choose another", info.name);
    if (!names.insert(info.name).second)
      return refused("segment \"{}\" is described twice", info.name);
    if (info.rank < 0 || info.rank > kRankMax) {
      return refused("segment \"{}\" has the rank {}; allowed: 0 to {}", info.name, info.rank,
                     kRankMax);
    }
    if (!info.description.empty() && !is_text(info.description, kTextBytesMax)) {
      return refused("the description of segment \"{}\" has over {} bytes or a line break",
                     info.name, kTextBytesMax);
    }
    for (const SegmentAction& action : info.actions) {
      if (absl::Status status = check_action(info, action); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

absl::Status check_damping(const SegmentationSpec& spec) {
  if (spec.stay_ms < 0) return refused("stay is below 0");
  if (!(spec.hysteresis >= 0 && spec.hysteresis < 1))
    return refused("hysteresis is {}; allowed: 0 to less than 1", spec.hysteresis);
  if (spec.recency_min_ms < 0) return refused("recency_min is below 0");
  return absl::OkStatus();
}

bool has_segment(const Segmentation& segmentation, std::string_view name) {
  return std::ranges::any_of(segmentation.spec().segments,
                             [&](const SegmentInfo& info) { return info.name == name; });
}

// By the codes of their names: as the spec describes them, the others plainly.
std::vector<SegmentInfo> cluster_infos(const std::vector<SegmentInfo>& described) {
  std::vector<SegmentInfo> infos(kClusterNameCodesEnd);
  for (ClusterNameCode code = 0; code < kClusterNameCodesEnd; ++code) {
    if (code >= kNamedClusterCount) {
      infos[code] = plain_cluster_segment(code);
      continue;
    }
    infos[code].name = cluster_name(code);
    infos[code].rank = cluster_rank(code);
  }
  for (const SegmentInfo& info : described) {
    if (const auto code = find_cluster_name(info.name)) infos[*code] = info;
  }
  return infos;
}

// By cell: the last axis runs fastest.
std::vector<AxisScores> scores_of_cells(std::span<const Axis> axes, std::size_t cell_count) {
  std::vector<AxisScores> all(cell_count);
  for (std::size_t cell = 0; cell < cell_count; ++cell) {
    std::size_t rest = cell;
    for (std::size_t i = axes.size(); i-- > 0;) {
      const std::size_t count = score_count(axes[i]);
      all[cell][i] =
          static_cast<std::uint8_t>(rest % count + static_cast<std::size_t>(score_min(axes[i])));
      rest /= count;
    }
  }
  return all;
}

// Of each centroid its segment's place.
std::vector<std::uint8_t> segments_of_centroids(const SegmentationSpec& spec) {
  std::vector<std::uint8_t> segments;
  for (const GivenCentroid& centroid : spec.centroids) {
    const auto info = std::ranges::find(spec.segments, centroid.segment, &SegmentInfo::name);
    segments.push_back(static_cast<std::uint8_t>(info - spec.segments.begin()));
  }
  return segments;
}

}  // namespace

absl::StatusOr<Segmentation> Segmentation::create(SegmentationSpec spec) {
  if (!is_plain_name(spec.name)) {
    return refused(
        "\"{}\": allowed are names of small letters, digits, - and _, which begin with "
        "a letter, of at most {} bytes",
        spec.name, kNameBytesMax);
  }
  absl::Status status = check_segments(spec.segments);
  if (status.ok()) status = check_damping(spec);
  if (!status.ok()) return status;
  Segmentation made;
  if (spec.scorer == Scorer::kCluster) {
    if (!spec.axes.empty() || !spec.map.empty())
      return refused("axes and a map are there, but clusters have none");
    if (spec.centroids.empty()) {
      if (spec.scale != SegmentationSpec{}.scale || spec.recency_at_ms)
        return refused("scale and recency_at are for given centroids only");
    } else {
      if (status = check_centroids(spec); !status.ok()) return status;
      made.centroids_ = cluster_model_of(spec);
      made.segment_of_cell_ = segments_of_centroids(spec);
      made.follows_silence_ = !spec.recency_at_ms;
    }
  } else {
    // What it does not use is no difference.
    spec.hysteresis = SegmentationSpec{}.hysteresis;
    spec.recency_min_ms = 0;
    if (!spec.centroids.empty()) return refused("centroids are there, but a grid has none");
    if (status = check_axes(spec); !status.ok()) return status;
    sort_ranges(spec);
    absl::StatusOr<std::vector<std::uint8_t>> cells = cells_of_map(spec);
    if (!cells.ok()) return cells.status();
    made.segment_of_cell_ = *std::move(cells);
    made.scores_of_cell_ = scores_of_cells(spec.axes, made.segment_of_cell_.size());
    for (const Axis& axis : spec.axes) {
      made.follows_silence_ |= rfm::follows_silence(axis.cuts.quantity);
      made.follows_risk_ |= rfm::follows_risk(axis.cuts.quantity);
    }
  }
  made.infos_ = spec.segments;
  made.spec_ = std::move(spec);
  if (made.is_cluster()) made.infos_ = cluster_infos(made.spec_.segments);
  return made;
}

std::uint16_t Segmentation::cell_of(std::span<const std::uint8_t> scores) const {
  std::size_t cell = 0;
  for (std::size_t i = 0; i < spec_.axes.size(); ++i)
    cell = cell * score_count(spec_.axes[i]) +
           (scores[i] - static_cast<std::size_t>(score_min(spec_.axes[i])));
  return static_cast<std::uint16_t>(cell);
}

absl::StatusOr<Segmentations> Segmentations::create(std::vector<SegmentationSpec> specs) {
  if (specs.size() > kSegmentationsMax) {
    return refused("there are {} segmentations; allowed: {}", specs.size(), kSegmentationsMax);
  }
  std::ranges::sort(specs, {}, &SegmentationSpec::name);
  Segmentations made;
  const Segmentation* clusters = nullptr;
  made.all_.reserve(specs.size());
  for (SegmentationSpec& spec : specs) {
    const std::string name = spec.name;
    if (!made.all_.empty() && made.all_.back().name() == name)
      return refused("segmentation.{} is there twice", name);
    absl::StatusOr<Segmentation> segmentation = Segmentation::create(std::move(spec));
    if (!segmentation.ok())
      return refused("segmentation.{}: {}", name, std::string(segmentation.status().message()));
    made.all_.push_back(*std::move(segmentation));
    if (!made.all_.back().is_cluster()) continue;
    if (clusters != nullptr) {
      return refused("segmentation.{} and segmentation.{} are both by clusters; allowed is one",
                     clusters->name(), name);
    }
    clusters = &made.all_.back();
  }
  for (const Segmentation& segmentation : made.all_) {
    for (const SegmentInfo& info : segmentation.spec().segments) {
      for (const SegmentAction& action : info.actions) {
        if (action.where_segmentation.empty()) continue;
        const std::size_t other = made.find(action.where_segmentation);
        if (other == made.size() || action.where_segmentation == segmentation.name()) {
          return refused(
              "segmentation.{}: an action of \"{}\" depends on the segmentation {}, "
              "which is {}",
              segmentation.name(), info.name, action.where_segmentation,
              other == made.size() ? "not there" : "its own");
        }
        for (const std::string& segment : action.where_segments) {
          if (has_segment(made.all_[other], segment)) continue;
          return refused(
              "segmentation.{}: an action of \"{}\" depends on {} = \"{}\", a segment "
              "that is not there",
              segmentation.name(), info.name, action.where_segmentation, segment);
        }
      }
    }
  }
  made.index_cuts();
  return made;
}

void Segmentations::index_cuts() {
  cut_index_.assign(all_.size() * kAxesMax, -1);
  for (std::size_t i = 0; i < all_.size(); ++i) {
    for (std::size_t axis = 0; axis < all_[i].axes().size(); ++axis) {
      CutSpec cuts = all_[i].axes()[axis].cuts;
      if (cuts.method == CutMethod::kFixed) continue;
      cuts.fixed.clear();
      const auto found = std::ranges::find(cut_specs_, cuts);
      cut_index_[i * kAxesMax + axis] = static_cast<int>(found - cut_specs_.begin());
      if (found == cut_specs_.end()) cut_specs_.push_back(std::move(cuts));
    }
  }
}

void Segmentations::continue_cut_specs(std::span<const CutSpec> before) {
  cut_specs_.assign(before.begin(), before.end());
  index_cuts();
}

const Segmentations& Segmentations::defaults() {
  static const Segmentations kDefaults = [] {
    std::vector<SegmentationSpec> specs;
    for (const std::string_view name : {"churn", "cluster", "rfm"})
      specs.push_back(*find_preset(name));
    absl::StatusOr<Segmentations> made = create(std::move(specs));
    if (!made.ok()) std::abort();  // Tests keep the presets valid.
    return *std::move(made);
  }();
  return kDefaults;
}

std::size_t Segmentations::find(std::string_view name) const {
  const auto found = std::ranges::find(all_, name, &Segmentation::name);
  return static_cast<std::size_t>(found - all_.begin());
}

}  // namespace rfm
