// A segmentation as data: what is measured of a customer, how that is cut into scores, which
// segment each combination of scores is, and how changes of the segment are damped. Nothing outside
// knows a segmentation by its name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "model/model_version.h"
#include "model/segmentation_spec.h"

namespace rfm {

// A checked one: the map is total and disjoint, every rule and every segment is reached. Its spec
// is the one given with start cuts within their bounds, the ranges of each rule in the order of the
// axes, and what its scorer does not use as by default.
class Segmentation {
 public:
  // InvalidArgument names the segmentation's part, the cell (with the whole map as a grid, where it
  // has two axes to show) or the segment.
  static absl::StatusOr<Segmentation> create(SegmentationSpec spec);

  const SegmentationSpec& spec() const { return spec_; }
  const std::string& name() const { return spec_.name; }
  // By the clusters of the model.
  bool is_cluster() const { return spec_.scorer == Scorer::kCluster && spec_.centroids.empty(); }
  // By centroids that are given: each is a cell. Names of the model are not theirs.
  bool has_centroids() const { return !spec_.centroids.empty(); }
  const ClusterModel& centroids() const { return centroids_; }
  std::span<const Axis> axes() const { return spec_.axes; }
  // Whether silence alone changes it at instants that are known, or boundaries have to be asked.
  bool follows_silence() const { return follows_silence_; }
  bool follows_risk() const { return follows_risk_; }

  // Segments by index: of a grid those of the spec, of clusters by the codes of their names
  // (cluster_names.h).
  const SegmentInfo& info(std::size_t index) const { return infos_[index]; }
  std::size_t info_count() const { return infos_.size(); }

  // Of a grid: which cell, of `scores` (one per axis, each 0..bins), and back; and its segment, an
  // index of spec().segments.
  std::uint16_t cell_of(std::span<const std::uint8_t> scores) const;
  const AxisScores& scores_of(std::uint16_t cell) const { return scores_of_cell_[cell]; }
  std::uint16_t segment_of(std::uint16_t cell) const { return segment_of_cell_[cell]; }
  std::size_t cell_count() const { return segment_of_cell_.size(); }

  friend bool operator==(const Segmentation& a, const Segmentation& b) {
    return a.spec_ == b.spec_;
  }

 private:
  Segmentation() = default;

  SegmentationSpec spec_;
  std::vector<std::uint8_t> segment_of_cell_;
  std::vector<AxisScores> scores_of_cell_;
  ClusterModel centroids_;
  std::vector<SegmentInfo> infos_;
  bool follows_silence_ = false;
  bool follows_risk_ = false;
};

// All segmentations of an application, in order of name: the order in which they are evaluated at
// one instant.
class Segmentations {
 public:
  // InvalidArgument: a name is double, more than one is by the model's clusters, or an action names
  // a segmentation or a segment that is not there.
  static absl::StatusOr<Segmentations> create(std::vector<SegmentationSpec> specs);
  // The presets rfm, cluster and churn.
  static const Segmentations& defaults();

  std::size_t size() const { return all_.size(); }
  const Segmentation& operator[](std::size_t index) const { return all_[index]; }
  std::span<const Segmentation> all() const { return all_; }
  // size(): there is none of that name.
  std::size_t find(std::string_view name) const;

  // What the trainer computes: the distinct trained specs (without `fixed`), in order of first use.
  std::span<const CutSpec> cut_specs() const { return cut_specs_; }
  // Those of rules before come first, so that what was trained under them keeps its place.
  void continue_cut_specs(std::span<const CutSpec> before);
  // Which of them an axis uses; -1: its cuts are fixed.
  int cut_index(std::size_t segmentation, std::size_t axis) const {
    return cut_index_[segmentation * kAxesMax + axis];
  }

  friend bool operator==(const Segmentations& a, const Segmentations& b) {
    return a.all_ == b.all_;
  }

 private:
  Segmentations() = default;
  void index_cuts();

  std::vector<Segmentation> all_;
  std::vector<CutSpec> cut_specs_;
  std::vector<int> cut_index_;
};

// The presets by name; nullptr if there is none of it. Each can be taken under another name.
const SegmentationSpec* find_preset(std::string_view name);
std::span<const std::string_view> preset_names();
// What it is, where it comes from and how it was made total; empty if there is none of it.
std::string_view preset_note(std::string_view name);

}  // namespace rfm
