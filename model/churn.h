// Fitting the weekly hazards that churn risk (churn_risk.h) is computed from.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "model/churn_risk.h"
#include "model/contribution.h"
#include "model/model_version.h"

namespace rfm {

// The input from a row's integers at `at_ms` (not before the last purchase; earlier counts as the
// last purchase).
ChurnInput churn_input(const SampleRow& row, std::int64_t at_ms);

// Rows of one weekly snapshot with features and label, ready for fitting. Structure of arrays.
struct ChurnWeek {
  std::vector<double> age_days;
  std::vector<std::uint32_t> repeat_counts;                       // F - 1.
  std::array<std::vector<double>, kHazardFeatureCount> features;  // Raw log1p.
  std::vector<double> label;                                      // 1 = purchase in [B, B + 7 d).
};

// The rows of `sample` (at boundary `at_ms`, sorted by id_hash) with labels from `later`, the
// sample seven days on. A customer who is not in `later` bought nothing; rows whose hash `later`
// does not cover are left out. At most `rows_max` rows, lowest hash first.
ChurnWeek label_week(std::span<const SampleRow> sample, std::span<const SampleRow> later,
                     std::int64_t at_ms, int rows_max);

struct ChurnFitOptions {
  double lambda = 10;  // Ridge on the standardised coefficients; the intercept is free.
  int iterations_max = 25;
};

// NBD on `current` (the newest sample, at `at_ms`), then the ridge logistic on `weeks` by Newton
// with the NBD hazard as offset, from `previous` if there is one. `current` not empty; `weeks` may
// be empty: zero coefficients.
ChurnModel fit_churn(const std::optional<ChurnModel>& previous, std::span<const SampleRow> current,
                     std::int64_t at_ms, std::span<const ChurnWeek> weeks,
                     const ChurnFitOptions& options);

}  // namespace rfm
