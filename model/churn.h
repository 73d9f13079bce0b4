// Churn risk: the probability of no purchase within the horizon, from weekly hazards
// (model_version.h, ChurnModel).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "model/contribution.h"
#include "model/model_version.h"

namespace rfm {

inline constexpr double kChurnHorizonDays = 90;
inline constexpr int kChurnStepCount = 13;  // Weeks; the last one counts 6/7.
inline constexpr double kChurnStepDays = 7;

// A customer at one instant. Days are real numbers.
struct ChurnInput {
  double recency_days = 0;
  double frequency = 1;  // Invoices, >= 1.
  double monetary = 0;   // Currency units; negative counts as 0.
  double age_days = 0;   // Since the first purchase.
  double gap_days = 0;   // purchase_gap_days below.
};

// Mean gap between purchases: (t_last - t_first) / (F - 1); the age where F = 1.
double purchase_gap_days(double age_days, double recency_days, double frequency);

// The input from a row's integers at `at_ms` (not before the last purchase; earlier counts as the
// last purchase).
ChurnInput churn_input(const SampleRow& row, std::int64_t at_ms);

// P(no purchase in the next 90 days) = prod over 13 weeks j of (1 - h_j)^w_j, recency and age
// advanced by 7 j days. In (0, 1]. About half a microsecond.
double churn_risk(const ChurnModel& model, const ChurnInput& input);

// An upper bound of |d ln(risk) / dt| per day, valid at `input` and at all later times without an
// event, when recency and age grow, and with F = 1 the gap too. (Derivation in churn.cc.)
double churn_log_risk_rate_max(const ChurnModel& model, const ChurnInput& input);

// Both at little more than the price of one.
struct ChurnScore {
  double risk = 0;
  double log_risk_rate_max = 0;
};
ChurnScore churn_score(const ChurnModel& model, const ChurnInput& input);

// Rows of one weekly snapshot with features and label, ready for fitting. Structure of arrays.
struct ChurnWeek {
  std::int64_t epoch = 0;
  std::vector<double> age_days;
  std::vector<std::uint32_t> repeat_counts;                       // F - 1.
  std::array<std::vector<double>, kHazardFeatureCount> features;  // Raw log1p.
  std::vector<double> label;                                      // 1 = purchase in [B, B + 7 d).
};

// The rows of `sample` (at boundary `at_ms`, sorted by id_hash) with labels from `later`, the
// sample seven days on. A customer who is not in `later` bought nothing; rows whose hash `later`
// does not cover are left out. At most `rows_max` rows, lowest hash first.
ChurnWeek label_week(std::span<const SampleRow> sample, std::span<const SampleRow> later,
                     std::int64_t epoch, std::int64_t at_ms, int rows_max);

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
