// Numbers of clusters compared on one sample of customers, and what the figures say in words: where
// no number stands out, that.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/analyse/cluster_count_evaluation.h"

namespace rfm {

struct ClusterCounts {
  int first = 0;
  int last = 0;
};

struct AxisComparison {
  Quantity quantity = Quantity::kRecency;
  double total = 0;                  // Squares left with one class.
  std::vector<AxisClasses> classes;  // Of first - 1 and what follows.

  std::vector<double> squares_left() const;
};

// Figures of the counts from `first` on, and what is left with one cluster or class fewer.
struct ClusterCountComparison {
  int first = 0;
  std::vector<double> inertias{};  // Of first - 1 and what follows.
  std::vector<double> rates{};
  std::vector<ClusterCountFigures> figures{};
  std::vector<MembershipStability> stability{};
  std::vector<AxisComparison> axes{};
};

struct FitProgress {
  std::uint64_t done = 0;  // Clusterings.
  std::uint64_t all = 0;
  EventTime at{};  // Of the sample.
};

// `refits`: at least one, in order of time, each of more customers than `counts.last`; the figures
// are those of the last one's sample, and of the refits over all of them. `on_fit` hears of each
// step; an error of it ends the work.
absl::StatusOr<ClusterCountComparison> compare_cluster_counts(
    const ClusterCounts& counts, std::span<const RefitSample> refits,
    const TrainingOptions& training, std::span<const Quantity> axes,
    absl::FunctionRef<absl::Status(const FitProgress&)> on_fit);

// Sentences.
std::vector<std::string> verdict_of(const ClusterCountComparison& comparison);

// "no clear elbow: ...". `rates` are those of fall_rates from `first` on.
std::string elbow_words(int first, std::span<const double> rates, int dimension_count);

}  // namespace rfm
