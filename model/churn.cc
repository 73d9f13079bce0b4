#include "model/churn.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>

#include "model/deterministic_math.h"
#include "model/nbd.h"
#include "model/two_doubles.h"

namespace rfm {
namespace {

constexpr std::size_t kRecency = 0;  // Order of the hazard features.
constexpr std::size_t kFrequency = 1;
constexpr std::size_t kMonetary = 2;
constexpr std::size_t kGap = 3;
constexpr std::size_t kRatio = 4;

constexpr double kDayMs = 86400000.0;
constexpr double kMoneyScale = 10000.0;
constexpr double kLastStepShare = kChurnHorizonDays / kChurnStepDays - (kChurnStepCount - 1);
constexpr double kLogOddsMax = 45;
constexpr double kOddsMax = 1e20;  // Keeps products of 13 odds finite and the risk above 0.

// Two steps at a time, so that there is one too many.
constexpr std::size_t kSteps = kChurnStepCount + 1;
using Steps = std::array<double, kSteps>;

double positive(double v) { return v > 0 ? v : 0; }

// The model on raw log1p features.
struct RawModel {
  std::array<double, kHazardFeatureCount> slope{};  // coefficient / sd.
  double intercept = 0;
};

RawModel raw_model(const ChurnModel& model) {
  RawModel raw;
  raw.intercept = model.intercept;
  for (std::size_t i = 0; i < kHazardFeatureCount; ++i) {
    if (model.sd[i] > 0) raw.slope[i] = model.coefficient[i] / model.sd[i];
    raw.intercept -= raw.slope[i] * model.mean[i];
  }
  return raw;
}

bool is_single(const ChurnInput& input) { return input.frequency <= 1; }

// The part of ln(odds) that gap and ratio make up, `days` from now. With one purchase the gap is
// the age and grows.
Two gap_log_odds(const RawModel& raw, const ChurnInput& input, double recency, Two days) {
  if (is_single(input)) {
    const Two gap = input.gap_days + days;
    const Two ratio = (recency + days) / larger(gap, Two{1, 1});
    return raw.slope[kGap] * det_log_positive(1.0 + gap) +
           raw.slope[kRatio] * det_log_positive(1.0 + ratio);
  }
  const double gap = std::max(input.gap_days, 1.0);
  const double constant = raw.slope[kGap] * det_log1p_finite(positive(input.gap_days)) -
                          raw.slope[kRatio] * det_log_positive(gap);
  return constant + raw.slope[kRatio] * det_log_positive(gap + recency + days);
}

// Odds h_j / (1 - h_j) of a purchase in week j. With s = (r + F - 1) (ln(alpha + T + 7) - ln(alpha
// + T)) the NBD odds are expm1(s); the logistic part multiplies them.
Steps weekly_odds(const ChurnModel& model, const RawModel& raw, const ChurnInput& input) {
  const double age = model.nbd_alpha_days + positive(input.age_days);
  const double recency = positive(input.recency_days);
  const double shape = model.nbd_r + positive(input.frequency - 1);
  const double constant = raw.intercept +
                          raw.slope[kFrequency] * det_log1p_finite(positive(input.frequency)) +
                          raw.slope[kMonetary] * det_log1p_finite(positive(input.monetary));
  const Two bound = {kLogOddsMax, kLogOddsMax};
  Steps odds;
  Two log_age = det_log_positive(Two{age, age + kChurnStepDays});
  for (std::size_t j = 0; j < kSteps; j += 2) {
    const double day = kChurnStepDays * static_cast<double>(static_cast<int>(j));
    const Two days = {day, day + kChurnStepDays};
    const Two next_log_age = det_log_positive(age + 2 * kChurnStepDays + days);
    const Two step = Two{log_age[1], next_log_age[0]} - log_age;
    log_age = next_log_age;
    const Two log_recency = det_log_positive(1.0 + recency + days);
    const Two log_odds =
        constant + raw.slope[kRecency] * log_recency + gap_log_odds(raw, input, recency, days);
    const Two bounded = larger(-bound, smaller(bound, log_odds));
    const Two product = det_expm1_finite(smaller(bound, shape * step)) * det_exp_finite(bounded);
    store_two(odds.data() + j, smaller(Two{kOddsMax, kOddsMax}, product));
  }
  return odds;
}

double risk_of(const Steps& odds) {
  double product = 1;
  for (std::size_t j = 0; j + 1 < kChurnStepCount; ++j) product *= 1 + odds[j];
  const double last = det_log_positive(1 + odds[kChurnStepCount - 1]);
  return 1 / (product * det_exp_finite(kLastStepShare * last));
}

// How fast ln(odds) of one week can change, per day, from now on.
struct OddsChange {
  double rate_max = 0;
  double growth_max =
      1;  // sup over later times of (odds * rate) / (odds * rate now); may be infinite.
};

// Of each term of ln(odds_j), a bound of the derivative's size that falls with time:
//   NBD, s = shape ln(1 + 7/tau), tau = alpha + T_j: (ln expm1(s))' = s' / (1 - exp(-s)), 1 / (1 -
//   exp(-s)) <= 1 + 1/s,
//     |s'| = 7 shape / (tau (tau + 7)) and ln(1 + 7/tau) >= 7 / (tau + 7), hence <= 7 shape / (tau
//     (tau + 7)) + 1/tau;
//   recency: |b| / (1 + R_j); ratio: |b| / (gap + R_j);
//   F = 1: the gap grows: |b| / (1 + gap_j); ratio |gap_j - R_j| / (gap_j (gap_j + R_j)) |b| <= |b|
//   / max(gap_j, 1).
OddsChange odds_change(const ChurnModel& model, const RawModel& raw, const ChurnInput& input,
                       double day) {
  const double tau = model.nbd_alpha_days + positive(input.age_days) + day;
  const double shape = model.nbd_r + positive(input.frequency - 1);
  const double recency = positive(input.recency_days) + day;
  const double gap = positive(input.gap_days) + (is_single(input) ? day : 0);
  const double recency_scale = 1 + recency;
  const double ratio_scale = std::max(gap, 1.0) + (is_single(input) ? 0 : recency);
  const double gap_scale = 1 + gap;
  const double gap_slope = is_single(input) ? raw.slope[kGap] : 0;
  OddsChange change;
  change.rate_max = kChurnStepDays * shape / (tau * (tau + kChurnStepDays)) + 1 / tau +
                    std::abs(raw.slope[kRecency]) / recency_scale +
                    std::abs(raw.slope[kRatio]) / ratio_scale + std::abs(gap_slope) / gap_scale;
  // The odds grow at most like (1 + t / low)^q, where q sums the slopes that may raise them; the
  // rate falls at least like 1 / (1 + t / high).
  const double ratio_growth =
      is_single(input) ? std::abs(raw.slope[kRatio]) : positive(raw.slope[kRatio]);
  const double q = positive(raw.slope[kRecency]) + ratio_growth + positive(gap_slope);
  if (q <= 0) return change;
  double low = std::numeric_limits<double>::infinity();
  if (raw.slope[kRecency] > 0) low = std::min(low, recency_scale);
  if (ratio_growth > 0) low = std::min(low, ratio_scale);
  if (gap_slope > 0) low = std::min(low, gap_scale);
  const double high = std::max(std::max(tau, recency_scale), std::max(ratio_scale, gap_scale));
  if (q >= 1) {
    change.growth_max = std::numeric_limits<double>::infinity();
  } else if (q * high > low) {
    const double days = (q * high - low) / (1 - q);
    change.growth_max = det_exp(q * det_log1p(days / low)) / (1 + days / high);
  }
  return change;
}

// |d ln(risk)/dt| = sum w_j h_j |d ln(odds_j)/dt|, and h_j <= min(1, odds_j).
double log_risk_rate_max(const ChurnModel& model, const RawModel& raw, const ChurnInput& input,
                         const Steps& odds) {
  double sum = 0;
  const double growth_max =
      odds_change(model, raw, input, 0).growth_max;  // Largest for the first week.
  for (std::size_t j = 0; j < kChurnStepCount; ++j) {
    const double day = kChurnStepDays * static_cast<double>(static_cast<int>(j));
    const double weight = j + 1 < kChurnStepCount ? 1 : kLastStepShare;
    const double hazard = odds[j] / (1 + odds[j]);
    const double hazard_max = std::min(1.0, growth_max * hazard);
    sum += weight * hazard_max * odds_change(model, raw, input, day).rate_max;
  }
  return sum;
}

// Rows per inner loop of the fit.
constexpr std::size_t kBlock = 64;
constexpr std::size_t kColumns = kHazardFeatureCount + 1;  // The features and 1 for the intercept.
using Column = std::array<double, kBlock>;

// All weeks' rows as one structure of arrays, padded to whole blocks with rows of weight 0.
struct Design {
  std::array<std::vector<double>, kColumns>
      x;                       // Standardised; the last column is 1, or 0 in the padding.
  std::vector<double> offset;  // ln of the NBD odds.
  std::vector<double> label;
};

void standardise(std::span<const ChurnWeek> weeks, ChurnModel& model) {
  for (std::size_t f = 0; f < kHazardFeatureCount; ++f) {
    double sum = 0;
    double count = 0;
    for (const ChurnWeek& week : weeks) {
      for (const double v : week.features[f]) sum += v;
      count += static_cast<double>(week.features[f].size());
    }
    model.mean[f] = count > 0 ? sum / count : 0;
    double squares = 0;
    for (const ChurnWeek& week : weeks) {
      for (const double v : week.features[f]) squares += (v - model.mean[f]) * (v - model.mean[f]);
    }
    const double sd = count > 0 ? std::sqrt(squares / count) : 0;
    model.sd[f] = sd > 1e-9 ? sd : 1;
  }
}

// ln of the NBD odds of a purchase in the next step (see weekly_odds).
template <typename V>
V nbd_log_odds(const ChurnModel& model, V age_days, V repeat_count) {
  constexpr double kExpm1Max = 700;  // Far above what data give; keeps the odds finite.
  const V age = model.nbd_alpha_days + age_days;
  const V step = det_log_positive(age + kChurnStepDays) - det_log_positive(age);
  const V exponent = (model.nbd_r + repeat_count) * step;
  const V bounded = exponent < kExpm1Max ? exponent : V{} + kExpm1Max;
  return det_log_positive(det_expm1_finite(bounded));
}

// Writes one week's rows from row `first` on, two at a time.
void add_week(const ChurnWeek& week, const ChurnModel& model, std::size_t first, Design& design) {
  const std::size_t rows = week.label.size();
  const std::size_t even = rows / 2 * 2;
  for (std::size_t f = 0; f < kHazardFeatureCount; ++f) {
    const double* raw = week.features[f].data();
    double* x = design.x[f].data() + first;
    for (std::size_t i = 0; i < even; i += 2) {
      store_two(x + i, (load_two(raw + i) - model.mean[f]) / model.sd[f]);
    }
    if (even < rows) x[even] = (raw[even] - model.mean[f]) / model.sd[f];
  }
  double* offset = design.offset.data() + first;
  for (std::size_t i = 0; i < even; i += 2) {
    const Two repeats = {static_cast<double>(week.repeat_counts[i]),
                         static_cast<double>(week.repeat_counts[i + 1])};
    store_two(offset + i, nbd_log_odds(model, load_two(week.age_days.data() + i), repeats));
  }
  if (even < rows) {
    offset[even] =
        nbd_log_odds(model, week.age_days[even], static_cast<double>(week.repeat_counts[even]));
  }
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

double dot(const double* a, const double* b) {
  Two low = {0, 0};
  Two high = {0, 0};
  for (std::size_t i = 0; i < kBlock; i += 4) {
    low += load_two(a + i) * load_two(b + i);
    high += load_two(a + i + 2) * load_two(b + i + 2);
  }
  const Two sum = low + high;
  return sum[0] + sum[1];
}

// Gradient and Hessian of the log-likelihood; residual y - p, Hessian weight p (1 - p).
Normal normal_equations(const Design& design, const Vector& beta) {
  Normal normal;
  Column residual;
  Column weighted;
  Column variance;
  for (std::size_t first = 0; first < design.label.size(); first += kBlock) {
    for (std::size_t i = 0; i < kBlock; i += 2) {
      Two eta = load_two(design.offset.data() + first + i);
      for (std::size_t c = 0; c < kColumns; ++c)
        eta += beta[c] * load_two(design.x[c].data() + first + i);
      const Two bound = {kLogOddsMax, kLogOddsMax};
      const Two p = 1.0 / (1.0 + det_exp_finite(larger(-bound, smaller(bound, -eta))));
      store_two(residual.data() + i, load_two(design.label.data() + first + i) - p);
      store_two(variance.data() + i, p * (1.0 - p));
    }
    for (std::size_t c = 0; c < kColumns; ++c) {
      const double* x = design.x[c].data() + first;
      normal.gradient[c] += dot(residual.data(), x);
      for (std::size_t i = 0; i < kBlock; i += 2) {
        store_two(weighted.data() + i, load_two(variance.data() + i) * load_two(x + i));
      }
      for (std::size_t other = 0; other <= c; ++other) {
        normal.hessian[c][other] += dot(weighted.data(), design.x[other].data() + first);
      }
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
  const RawModel raw = raw_model(previous);
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

double purchase_gap_days(double age_days, double recency_days, double frequency) {
  return frequency > 1 ? positive(age_days - recency_days) / (frequency - 1) : positive(age_days);
}

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

double churn_risk(const ChurnModel& model, const ChurnInput& input) {
  return risk_of(weekly_odds(model, raw_model(model), input));
}

double churn_log_risk_rate_max(const ChurnModel& model, const ChurnInput& input) {
  return churn_score(model, input).log_risk_rate_max;
}

ChurnScore churn_score(const ChurnModel& model, const ChurnInput& input) {
  const RawModel raw = raw_model(model);
  const Steps odds = weekly_odds(model, raw, input);
  return {.risk = risk_of(odds), .log_risk_rate_max = log_risk_rate_max(model, raw, input, odds)};
}

ChurnWeek label_week(std::span<const SampleRow> sample, std::span<const SampleRow> later,
                     std::int64_t epoch, std::int64_t at_ms, int rows_max) {
  ChurnWeek week;
  week.epoch = epoch;
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
    week.features[kRecency].push_back(det_log1p_finite(input.recency_days));
    week.features[kFrequency].push_back(det_log1p_finite(input.frequency));
    week.features[kMonetary].push_back(det_log1p_finite(positive(input.monetary)));
    week.features[kGap].push_back(det_log1p_finite(input.gap_days));
    week.features[kRatio].push_back(det_log1p_finite(ratio));
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
