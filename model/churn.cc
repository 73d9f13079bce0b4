#include "model/churn.h"

#include <Eigen/Core>
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

#include "model/day.h"
#include "model/deterministic_math.h"
#include "model/four_doubles.h"
#include "model/nbd.h"

namespace rfm {
namespace {

constexpr double kMoneyScale = 10000.0;
constexpr double kLogOddsMax = 45;

double positive(double v) { return v > 0 ? v : 0; }

// Rows per inner loop of the fit.
constexpr std::size_t kBlock = 64;
constexpr std::size_t kColumns = kHazardFeatureCount + 1;  // The features and 1 for the intercept.
using Column = Eigen::Array<double, kBlock, 1>;

Eigen::Map<const Column> column_at(const std::vector<double>& values, std::size_t first) {
  return Eigen::Map<const Column>(values.data() + first);
}

// All weeks' rows as one structure of arrays, padded to whole blocks with rows of weight 0.
struct Design {
  std::array<std::vector<double>, kColumns>
      x;                       // Standardised; the last column is 1, or 0 in the padding.
  std::vector<double> offset;  // ln of the NBD odds.
  std::vector<double> label;
};

using FeatureSums = std::array<double, kHazardFeatureCount>;

// Sums over all rows of all weeks, in their order: side by side, for one sum alone waits for
// itself.
template <class Term>
FeatureSums sums_of(std::span<const ChurnWeek> weeks, const Term& term) {
  FeatureSums sums{};
  for (const ChurnWeek& week : weeks) {
    for (std::size_t i = 0; i < week.label.size(); ++i) {
      for (std::size_t f = 0; f < kHazardFeatureCount; ++f) sums[f] += term(f, week.features[f][i]);
    }
  }
  return sums;
}

void standardise(std::span<const ChurnWeek> weeks, ChurnModel& model) {
  double count = 0;
  for (const ChurnWeek& week : weeks) count += static_cast<double>(week.label.size());
  const FeatureSums sums = sums_of(weeks, [](std::size_t, double v) { return v; });
  for (std::size_t f = 0; f < kHazardFeatureCount; ++f)
    model.mean[f] = count > 0 ? sums[f] / count : 0;
  const FeatureSums squares = sums_of(
      weeks, [&](std::size_t f, double v) { return (v - model.mean[f]) * (v - model.mean[f]); });
  for (std::size_t f = 0; f < kHazardFeatureCount; ++f) {
    const double sd = count > 0 ? std::sqrt(squares[f] / count) : 0;
    model.sd[f] = sd > 1e-9 ? sd : 1;
  }
}

// ln of the NBD odds of a purchase in the next step (see weekly_odds in churn_risk.cc).
template <typename V>
[[gnu::always_inline]] inline V nbd_log_odds(const ChurnModel& model, V age_days, V repeat_count) {
  constexpr double kExpm1Max = 700;  // Far above what data give; keeps the odds finite.
  const V age = model.nbd_alpha_days + age_days;
  const V step = det_log_positive(age + kChurnStepDays) - det_log_positive(age);
  const V exponent = (model.nbd_r + repeat_count) * step;
  const V bounded = exponent < kExpm1Max ? exponent : V{} + kExpm1Max;
  return det_log_positive(det_expm1_finite(bounded));
}

[[gnu::always_inline]] inline void nbd_offsets_inline(const ChurnWeek& week,
                                                      const ChurnModel& model, double* out) {
  const std::size_t rows = week.label.size();
  const auto repeats = [&](std::size_t i) { return static_cast<double>(week.repeat_counts[i]); };
  std::size_t i = 0;
  for (; i + 4 <= rows; i += 4) {
    const Four four = {repeats(i), repeats(i + 1), repeats(i + 2), repeats(i + 3)};
    store_four(out + i, nbd_log_odds(model, load_four(week.age_days.data() + i), four));
  }
  for (; i < rows; ++i) out[i] = nbd_log_odds(model, week.age_days[i], repeats(i));
}

// exp of a block.
[[gnu::always_inline]] inline void exp_inline(double* block) {
  for (double* four = block; four != block + kBlock; four += 4)
    store_four(four, det_exp_finite(load_four(four)));
}

#ifdef __x86_64__
[[gnu::target("avx2")]] void nbd_offsets_avx2(const ChurnWeek& week, const ChurnModel& model,
                                              double* out) {
  nbd_offsets_inline(week, model, out);
}
[[gnu::target("avx2")]] void exp_avx2(double* block) { exp_inline(block); }
#endif

void nbd_offsets(const ChurnWeek& week, const ChurnModel& model, double* out) {
#ifdef __x86_64__
  if (kHasAvx2) return nbd_offsets_avx2(week, model, out);
#endif
  nbd_offsets_inline(week, model, out);
}

void exp_of_block(double* block) {
#ifdef __x86_64__
  if (kHasAvx2) return exp_avx2(block);
#endif
  exp_inline(block);
}

// Writes one week's rows from row `first` on.
void add_week(const ChurnWeek& week, const ChurnModel& model, std::size_t first, Design& design) {
  const auto count = static_cast<Eigen::Index>(week.label.size());
  for (std::size_t f = 0; f < kHazardFeatureCount; ++f) {
    const Eigen::Map<const Eigen::ArrayXd> raw(week.features[f].data(), count);
    Eigen::Map<Eigen::ArrayXd>(design.x[f].data() + first, count) =
        (raw - model.mean[f]) / model.sd[f];
  }
  nbd_offsets(week, model, design.offset.data() + first);
  std::copy(week.label.begin(), week.label.end(),
            design.label.begin() + static_cast<std::ptrdiff_t>(first));
}

Design make_design(std::span<const ChurnWeek> weeks, const ChurnModel& model) {
  std::size_t rows = 0;
  for (const ChurnWeek& week : weeks) rows += week.label.size();
  const std::size_t padded = (rows + kBlock - 1) / kBlock * kBlock;
  Design design;
  for (auto& column : design.x) column.resize(padded);
  design.offset.resize(padded);
  design.label.resize(padded);
  std::size_t first = 0;
  for (const ChurnWeek& week : weeks) {
    add_week(week, model, first, design);
    first += week.label.size();
  }
  std::fill_n(design.x[kHazardFeatureCount].begin(), rows, 1.0);
  return design;
}

using Vector = std::array<double, kColumns>;

struct Normal {
  Vector gradient{};
  std::array<Vector, kColumns> hessian{};  // Lower triangle.
};

// In four interleaved sums: Eigen's own order is not the same on every machine.
template <class A, class B>
double dot(const A& a, const B& b) {
  constexpr Eigen::Index kLanes = 4;
  Eigen::Array<double, kLanes, 1> lanes = Eigen::Array<double, kLanes, 1>::Zero();
  for (Eigen::Index i = 0; i < Eigen::Index{kBlock}; i += kLanes)
    lanes += a.template segment<kLanes>(i) * b.template segment<kLanes>(i);
  return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
}

// Gradient and Hessian of the log-likelihood; residual y - p, Hessian weight p (1 - p).
Normal normal_equations(const Design& design, const Vector& beta) {
  Normal normal;
  for (std::size_t first = 0; first < design.label.size(); first += kBlock) {
    Column log_odds = column_at(design.offset, first);
    for (std::size_t c = 0; c < kColumns; ++c) log_odds += beta[c] * column_at(design.x[c], first);
    Column p = (-log_odds).min(kLogOddsMax).max(-kLogOddsMax);
    exp_of_block(p.data());
    p = 1.0 / (1.0 + p);
    const Column residual = column_at(design.label, first) - p;
    const Column variance = p * (1.0 - p);
    for (std::size_t c = 0; c < kColumns; ++c) {
      const Eigen::Map<const Column> x = column_at(design.x[c], first);
      normal.gradient[c] += dot(residual, x);
      const Column weighted = variance * x;
      for (std::size_t other = 0; other <= c; ++other)
        normal.hessian[c][other] += dot(weighted, column_at(design.x[other], first));
    }
  }
  return normal;
}

// Solves the positive definite system by Cholesky's method.
Vector solve(std::array<Vector, kColumns> a, Vector b) {
  for (std::size_t i = 0; i < kColumns; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = a[i][j];
      for (std::size_t k = 0; k < j; ++k) sum -= a[i][k] * a[j][k];
      a[i][j] = i == j ? std::sqrt(std::max(sum, 1e-300)) : sum / a[j][j];
    }
  }
  for (std::size_t i = 0; i < kColumns; ++i) {
    for (std::size_t k = 0; k < i; ++k) b[i] -= a[i][k] * b[k];
    b[i] /= a[i][i];
  }
  for (std::size_t i = kColumns; i-- > 0;) {
    for (std::size_t k = i + 1; k < kColumns; ++k) b[i] -= a[k][i] * b[k];
    b[i] /= a[i][i];
  }
  return b;
}

// Newton steps from `beta` to the ridge optimum.
Vector fit_logistic(const Design& design, Vector beta, const ChurnFitOptions& options) {
  constexpr double kStepMax = 2;
  constexpr double kStepDone = 1e-5;  // Newton's error after a step is about the step's square.
  for (int iteration = 0; iteration < options.iterations_max; ++iteration) {
    Normal normal = normal_equations(design, beta);
    for (std::size_t c = 0; c < kHazardFeatureCount; ++c) {
      normal.gradient[c] -= options.lambda * beta[c];
      normal.hessian[c][c] += options.lambda;
    }
    const Vector step = solve(normal.hessian, normal.gradient);
    double longest = 0;
    for (const double v : step) longest = std::max(longest, std::abs(v));
    const double share = longest > kStepMax ? kStepMax / longest : 1;
    for (std::size_t c = 0; c < kColumns; ++c) beta[c] += share * step[c];
    if (longest <= kStepDone) break;
  }
  return beta;
}

// The coefficients that give `previous`' predictions on the new scale: a warm start.
Vector rescaled(const ChurnModel& previous, const ChurnModel& scale) {
  const RawHazard raw = raw_hazard(previous);
  Vector beta{};
  beta[kHazardFeatureCount] = raw.intercept;
  for (std::size_t f = 0; f < kHazardFeatureCount; ++f) {
    beta[f] = raw.slope[f] * scale.sd[f];
    beta[kHazardFeatureCount] += raw.slope[f] * scale.mean[f];
  }
  return beta;
}

// Hashes below this are covered by the sample: it was taken below 2^64 >> shift, of which its
// largest hash tells the shift. 0 stands for 2^64.
std::uint64_t hash_limit(std::span<const SampleRow> sample) {
  const int shift = sample.empty() ? 0 : std::countl_zero(sample.back().id_hash);
  return shift == 0 ? 0 : std::uint64_t{1} << (64 - shift);
}

}  // namespace

ChurnInput churn_input(const SampleRow& row, std::int64_t at_ms) {
  const std::int64_t at = std::max(at_ms, row.last_purchase_ms);
  ChurnInput input;
  input.recency_days = static_cast<double>(at - row.last_purchase_ms) / kDayMs;
  input.age_days = static_cast<double>(at - row.first_purchase_ms) / kDayMs;
  input.frequency = static_cast<double>(row.frequency);
  input.monetary = static_cast<double>(row.monetary) / kMoneyScale;
  input.gap_days = purchase_gap_days(input.age_days, input.recency_days, input.frequency);
  return input;
}

ChurnWeek label_week(std::span<const SampleRow> sample, std::span<const SampleRow> later,
                     std::int64_t at_ms, int rows_max) {
  ChurnWeek week;
  const std::uint64_t limit = hash_limit(later);
  auto next = later.begin();
  for (const SampleRow& row : sample) {
    if (week.label.size() >= static_cast<std::size_t>(rows_max)) break;
    if (limit != 0 && row.id_hash >= limit) break;
    while (next != later.end() && next->id_hash < row.id_hash) ++next;
    const bool has_later = next != later.end() && next->id_hash == row.id_hash;
    const ChurnInput input = churn_input(row, at_ms);
    const double ratio = input.recency_days / std::max(input.gap_days, 1.0);
    week.age_days.push_back(input.age_days);
    week.repeat_counts.push_back(row.frequency > 0 ? row.frequency - 1 : 0);
    week.features[kHazardRecency].push_back(det_log1p_finite(input.recency_days));
    week.features[kHazardFrequency].push_back(det_log1p_finite(input.frequency));
    week.features[kHazardMonetary].push_back(det_log1p_finite(positive(input.monetary)));
    week.features[kHazardGap].push_back(det_log1p_finite(input.gap_days));
    week.features[kHazardRatio].push_back(det_log1p_finite(ratio));
    week.label.push_back(has_later && next->last_purchase_ms >= at_ms ? 1 : 0);
  }
  return week;
}

ChurnModel fit_churn(const std::optional<ChurnModel>& previous, std::span<const SampleRow> current,
                     std::int64_t at_ms, std::span<const ChurnWeek> weeks,
                     const ChurnFitOptions& options) {
  std::vector<std::uint32_t> repeat_counts;
  std::vector<double> ages;
  for (const SampleRow& row : current) {
    repeat_counts.push_back(row.frequency > 0 ? row.frequency - 1 : 0);
    ages.push_back(churn_input(row, at_ms).age_days);
  }
  NbdParameters start;
  if (previous) start = {.r = previous->nbd_r, .alpha = previous->nbd_alpha_days};
  const NbdParameters nbd = fit_nbd(repeat_counts, ages, start).parameters;
  ChurnModel model;
  model.nbd_r = nbd.r;
  model.nbd_alpha_days = nbd.alpha;
  standardise(weeks, model);
  if (weeks.empty()) return model;
  const Vector warm = previous ? rescaled(*previous, model) : Vector{};
  const Vector beta = fit_logistic(make_design(weeks, model), warm, options);
  std::copy_n(beta.begin(), model.coefficient.size(), model.coefficient.begin());
  model.intercept = beta[kHazardFeatureCount];
  return model;
}

}  // namespace rfm
