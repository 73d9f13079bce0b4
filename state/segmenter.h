// One segmentation under given rules: what it calls for, and when time alone changes that. Pure
// functions of the facts, the rules and one model version; the damping of the segment itself is
// advance's (state/damping.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "model/axis_value.h"
#include "state/customer_row.h"
#include "state/evaluation.h"
#include "state/rules.h"

namespace rfm {

class Segmenter {
 public:
  Segmenter(const Rules& rules, std::size_t index)
      : rules_(rules), index_(index), segmentation_(rules.segmentations[index]) {}

  const Segmentation& segmentation() const { return segmentation_; }

  // The segment that a call stands for under a version.
  SegmentCode segment_of(Call call, const ModelVersion& version) const;

  // For a customer whose own invoices have just changed: nothing holds it back but a cluster's
  // hysteresis.
  Call call_at_change(const CustomerFacts& facts, Call current) const;

  // For one who gave something back: what that did not bring about stays as it is. `before` are the
  // facts at the same instant under the same version.
  Call call_at_return(const CustomerFacts& before, const CustomerFacts& after, Call current) const;

  // After silence since `current` was called for, under the same version and within its epoch.
  Call call_in_silence(const CustomerFacts& facts, Call current) const;

  // At a boundary: `before` are the facts there under the version until then, `after` those under
  // the one from then on, which may be the same.
  Call call_at_boundary(const CustomerFacts& before, const CustomerFacts& after,
                        Call current) const;

  // The first instant in (facts.at, until] at which silence calls for another segment, while no
  // invoice leaves a window and no boundary is crossed; kNever if there is none.
  EventTime next_change(const CustomerFacts& facts, Call current, EventTime until) const;

  // The churn risks at which a boundary calls for another cell of this segmentation: the nearest
  // below and above which none does. Only where it follows the risk.
  struct RiskLimits {
    double low = 0;
    double high = 2;
  };
  RiskLimits risk_limits(const CustomerFacts& facts, Call current) const;

  // The scores as they are; nullopt: the segmentation has no axes, or cannot be scored yet.
  std::optional<AxisScores> scores(const CustomerFacts& facts) const;

  // Whether the version has cuts of an axis; the axis' own fixed ones hold otherwise.
  bool is_trained(std::size_t axis, const ModelVersion& version) const;
  // The cuts of an axis in force; empty: none yet.
  std::span<const std::int64_t> cuts_of(std::size_t axis, const ModelVersion& version) const;

  // By centroids, the model's or given ones.
  bool is_by_centroids() const {
    return segmentation_.is_cluster() || segmentation_.has_centroids();
  }
  // Where it is: those in force, nullptr without a model yet; and the customer's place among them.
  const ClusterModel* centroids(const ModelVersion& version) const;
  FeatureVector features(const CustomerFacts& facts) const;

 private:
  // Those that a grid was called for by.
  const AxisScores& stored_scores(Call call) const {
    return segmentation_.scores_of(static_cast<std::uint16_t>(call.code - kFirstSegment));
  }
  Call grid_call(const std::optional<AxisScores>& scores) const;
  // `call`, or `current` where that means the same now and later: so that a row need not be stored
  // because silence has brought a score down that changes no segment.
  Call canonical(Call call, Call current, const AxisScores& scores, const AxisScores& raw,
                 const ModelVersion& version) const;
  Call cluster_call(const CustomerFacts& facts, Call current) const;
  // Of a cell that was called for at or before `facts.at` under the same version.
  AxisScores scores_in_silence(const AxisInput& input, const ModelVersion& version,
                               Call current) const;
  EventTime next_grid_change(const CustomerFacts& facts, Call current, EventTime until) const;
  EventTime next_cluster_change(const CustomerFacts& facts, Call current, EventTime until) const;

  const Rules& rules_;
  std::size_t index_;
  const Segmentation& segmentation_;
};

}  // namespace rfm
