// A segmentation as text: the keys of [segmentation.NAME] to a spec, over a base that they change,
// and the whole spec on one line, which the model log keeps.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/segmentation.h"

namespace rfm {

// The keys that are given. Errors of the readers are InvalidArgument and say what is allowed.
struct AxisChange {
  std::string name;
  std::optional<Quantity> quantity;
  std::optional<CutMethod> method;
  std::optional<int> bins;
  std::optional<std::vector<std::string>> cuts;    // Read when the quantity is known.
  std::optional<std::vector<std::string>> bounds;  // The same.
  std::optional<double> margin;
};

struct SegmentChange {
  std::string name;
  std::optional<int> rank;
  std::optional<std::string> description;
  std::optional<bool> lost;
  std::optional<std::vector<SegmentAction>> actions;
};

// One of the three.
struct MapChange {
  std::string preset;
  std::vector<std::vector<std::string>> rows;
  std::vector<MapRule> rules;
};

struct SegmentationChange {
  std::optional<Scorer> scorer;
  std::optional<std::vector<AxisChange>> axes;
  std::optional<MapChange> map;
  std::vector<SegmentChange> segments;
  std::optional<double> hysteresis;
  std::optional<std::int64_t> recency_min_ms;
  std::optional<std::vector<GivenCentroid>> centroids;
  std::optional<std::array<double, 3>> scale;
  std::optional<std::optional<std::int64_t>> recency_at_ms;
  std::optional<bool> guard;
  std::optional<std::int64_t> stay_ms;
};

absl::StatusOr<std::vector<AxisChange>> read_axes(std::string_view text);
absl::StatusOr<MapChange> read_map(std::string_view text);
absl::StatusOr<std::vector<SegmentChange>> read_segments(std::string_view text);
absl::StatusOr<std::vector<GivenCentroid>> read_centroids(std::string_view text);

// `base` with the changes. Axes are those of the change, where an entry takes what it leaves out
// from the base's axis of its name. Segments that the map names and the change does not describe
// are those of the base, of the map's preset, or of any preset. `base` nullptr: none.
absl::StatusOr<SegmentationSpec> apply(const SegmentationChange& change,
                                       const SegmentationSpec* base, std::string_view name);

// The tables of the lists axes, map, centroids and segments, each on a line of its own; of other
// keys none.
std::vector<std::string> list_items(const SegmentationSpec& spec, std::string_view key);

// What a spec has for a key of its table ("stay"), in the notation of that key; absent: it has none
// of it. `preset` is its own name, `enabled` true.
std::optional<std::string> segmentation_text(const SegmentationSpec& spec, std::string_view key);

// The whole spec but its name; apply(read_segmentation(text), nullptr, name) is the same spec.
std::string format_segmentation(const SegmentationSpec& spec);
absl::StatusOr<SegmentationChange> read_segmentation(std::string_view text);

// Path and value of everything that a spec says ("axes.r.margin", "0.1"), in order of path, so that
// two specs can be compared.
std::vector<std::pair<std::string, std::string>> leaves_of(const SegmentationSpec& spec);

}  // namespace rfm
