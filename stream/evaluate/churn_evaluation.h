// How good the churn risks were that a run gave: each weekly sample is scored by the version in
// effect at its boundary, and the outcome read off the ledgers at the end of the run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "model/classification_metrics.h"
#include "model/contribution.h"
#include "model/training.h"
#include "state/customer_row.h"
#include "state/event_time.h"
#include "state/model_timeline.h"
#include "stream/pipeline/lane_observer.h"

namespace rfm {

class Lane;

// When each customer bought: the sales of the ledgers. Credits are none, and take none away.
class SaleTimes {
 public:
  void add(const CustomerRow& row);

  // Whether the customer bought in [from, to). Absent: unknown here, as after an erasure. Invoices
  // that the ledger has folded together count as sales all through their time.
  std::optional<bool> bought(std::uint64_t customer_hash, EventTime from, EventTime to) const;

 private:
  struct Sales {
    std::vector<EventTime> times;  // Ascending.
    EventTime folded_first = kNever;
    EventTime folded_last = kBeforeAll;
  };

  absl::flat_hash_map<std::uint64_t, Sales> by_customer_;
};

struct PredictionFigures {
  std::optional<double> auc;  // Absent: all churned, or none.
  double brier = 0;
  double ece = 0;
};

// One weekly sample's figures.
struct ChurnAssessment {
  EventTime at{};
  std::int64_t version = 0;  // In effect at `at`, trained an epoch before or earlier.
  std::size_t customers = 0;
  std::size_t erased = 0;  // Sampled customers who are not known any more; not in the figures.
  double churned_share = 0;
  PredictionFigures model;
  PredictionFigures nbd;              // The same hazards with all weights zero.
  std::optional<double> recency_auc;  // Days since the last purchase rank, but are no probability.
  std::vector<CalibrationBin> calibration;  // Of the model.
};

// Scores `sample`, taken at boundary `at`, by `model`; churned = no sale in the 90 days from `at`.
ChurnAssessment assess_churn(std::span<const SampleRow> sample, EventTime at,
                             const ChurnModel& model, const SaleTimes& sales);

struct ChurnReport {
  ChurnAssessment split;
  std::vector<ChurnAssessment> weeks;  // From the first with a model up to the split, in order.
  std::size_t weeks_without_model = 0;
};

// Means over the weeks. An AUC that is absent is left out of its mean.
ChurnAssessment mean_of(std::span<const ChurnAssessment> weeks);
// The worst of each figure of the model over the weeks.
PredictionFigures worst_of(std::span<const ChurnAssessment> weeks);

struct ChurnEvaluationOptions {
  RefitSchedule schedule;
  EventTime from{};  // Weekly samples from here on,
  // up to this boundary, which is one of them; absent: the last whose 90 days the history holds.
  std::optional<EventTime> split{};
};

class ChurnEvaluation final : public LaneObserver {
 public:
  explicit ChurnEvaluation(const ChurnEvaluationOptions& options) : options_(options) {}

  // Each contribution of the run, of any partition and epoch; keeps the samples it needs.
  void on_contribution(const Contribution& contribution) override;

  // At the end of the run. InvalidArgument: the history does not reach 90 days past the split.
  // FailedPrecondition: no customers, or no model yet at the split.
  absl::StatusOr<ChurnReport> finish(const ModelTimeline& models, const SaleTimes& sales,
                                     EventTime history_end) const;
  // Of the lane that ran it.
  absl::StatusOr<ChurnReport> finish(const Lane& lane) const;

 private:
  // The boundary at which everybody is judged; an error says what the history lacks.
  absl::StatusOr<EventTime> split_of(const ModelTimeline& models, EventTime history_end) const;

  ChurnEvaluationOptions options_;
  std::map<std::int64_t, std::vector<SampleRow>> samples_;  // By epoch; of all partitions.
};

}  // namespace rfm
