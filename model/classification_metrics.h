// How good probabilities are that were given before the outcome was known: ranking, error,
// calibration.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace rfm {

// One prediction and what came true.
struct ScoredOutcome {
  double score = 0;  // Finite. A probability, where an error or a calibration is asked for.
  bool happened = false;
};

// P(score of one that happened > score of one that did not), ties count half: the Mann-Whitney
// statistic from midranks. Absent if all or none happened.
std::optional<double> area_under_roc(std::span<const ScoredOutcome> outcomes);

// Mean squared error of the probabilities (Brier, 1950); 0 for none.
double brier_score(std::span<const ScoredOutcome> outcomes);

// One group of neighbours in order of score.
struct CalibrationBin {
  std::size_t count = 0;
  double score_min = 0;
  double score_max = 0;
  double score_mean = 0;
  double happened_share = 0;
};

// At most `bin_count` bins of as equal size as ties allow, in ascending order of score. Equal
// scores are in one bin, so that the order of the rows does not matter.
std::vector<CalibrationBin> calibration_bins(std::span<const ScoredOutcome> outcomes,
                                             std::size_t bin_count);

// Mean over the outcomes of |mean score - share that happened| of their bin (ECE; Naeini, Cooper
// and Hauskrecht, 2015, with bins of equal size).
double expected_calibration_error(std::span<const CalibrationBin> bins);

}  // namespace rfm
