#include "model/churn_risk.h"

#include <algorithm>

#include "model/deterministic_math.h"
#include "model/four_doubles.h"

namespace rfm {
namespace {

constexpr double kLastStepShare = kChurnHorizonDays / kChurnStepDays - (kChurnStepCount - 1);
constexpr double kLogOddsMax = 45;
constexpr double kOddsMax = 1e20;     // Keeps products of 13 odds finite and the risk above 0.
constexpr double kUnboundedMax = 22;  // Two factors below exp of this are below kOddsMax.
constexpr double kLeast = 1e-6;       // Of -ln(risk); what is less than that is not told from it.

constexpr std::size_t kWeeks = 16;  // Four at a time; those after kChurnStepCount + 1 are not used.
using Weeks = std::array<double, kWeeks>;

double positive(double v) { return v > 0 ? v : 0; }

// What is the same in every week.
struct Constants {
  RawHazard raw;
  double tau = 0;    // alpha + age: the NBD's time.
  double shape = 0;  // r + F - 1.
  double recency = 0;
  double gap = 0;
  double ratio_gap = 0;  // max(gap, 1).
  double log_odds = 0;   // What F, M and, with F > 1, the gap add to ln(odds).
  bool single = false;   // F = 1: the gap is the age and grows.
};

[[gnu::always_inline]] inline Constants constants_of(const ChurnModel& model,
                                                     const ChurnInput& input) {
  Constants c{.raw = raw_hazard(model)};
  c.tau = model.nbd_alpha_days + positive(input.age_days);
  c.shape = model.nbd_r + positive(input.frequency - 1);
  c.recency = positive(input.recency_days);
  c.gap = positive(input.gap_days);
  c.ratio_gap = std::max(c.gap, 1.0);
  c.single = input.frequency <= 1;
  const auto& slope = c.raw.slope;
  const Four logs = det_log_positive(
      Four{1 + positive(input.frequency), 1 + positive(input.monetary), 1 + c.gap, c.ratio_gap});
  c.log_odds =
      c.raw.intercept + slope[kHazardFrequency] * logs[0] + slope[kHazardMonetary] * logs[1];
  if (!c.single) c.log_odds += slope[kHazardGap] * logs[2] - slope[kHazardRatio] * logs[3];
  return c;
}

struct WeeklyOdds {
  alignas(32) Weeks odds;
  alignas(32) Weeks nbd_odds;
  bool bounded = false;  // A bound may have kept some odds finite.
};

// What gap and ratio add to ln(odds), `days` from now.
[[gnu::always_inline]] inline Four gap_log_odds(const Constants& c, Four days, Four log_recency) {
  const double gap_slope = c.raw.slope[kHazardGap];
  const double ratio_slope = c.raw.slope[kHazardRatio];
  if (!c.single) return ratio_slope * det_log_positive((c.ratio_gap + c.recency) + days);
  const Four gap = c.gap + days;
  const Four ratio = (c.recency + days) / larger(gap, Four{1, 1, 1, 1});
  // All but always the only purchase is the first and the last one.
  const Four log_gap = c.gap == c.recency ? log_recency : det_log_positive(1.0 + gap);
  return gap_slope * log_gap + ratio_slope * det_log_positive(1.0 + ratio);
}

// Odds h_j / (1 - h_j) of a purchase in week j. With s = (r + F - 1) (ln(alpha + T + 7) - ln(alpha
// + T)) the NBD odds are expm1(s); the logistic part multiplies them.
[[gnu::always_inline]] inline WeeklyOdds weekly_odds(const Constants& c) {
  constexpr Four kDays = {0, kChurnStepDays, 2 * kChurnStepDays, 3 * kChurnStepDays};
  constexpr Four kBound = {kLogOddsMax, kLogOddsMax, kLogOddsMax, kLogOddsMax};
  constexpr Four kOddsBound = {kOddsMax, kOddsMax, kOddsMax, kOddsMax};
  std::array<double, kWeeks + 1> log_tau;
  for (std::size_t j = 0; j < kWeeks; j += 4) {
    const Four days = kDays + kChurnStepDays * static_cast<double>(static_cast<int>(j));
    store_four(log_tau.data() + j, det_log_positive(c.tau + days));
  }
  log_tau[kWeeks] = log_tau[kWeeks - 1];
  WeeklyOdds result;
  Four largest = {};
  for (std::size_t j = 0; j < kWeeks; j += 4) {
    const Four days = kDays + kChurnStepDays * static_cast<double>(static_cast<int>(j));
    const Four step = load_four(log_tau.data() + j + 1) - load_four(log_tau.data() + j);
    const Four exponent = c.shape * step;
    const Four nbd_odds = det_expm1_finite(smaller(kBound, exponent));
    const Four log_recency = det_log_positive((1 + c.recency) + days);
    const Four log_odds = (c.log_odds + c.raw.slope[kHazardRecency] * log_recency) +
                          gap_log_odds(c, days, log_recency);
    const Four factor = det_exp_finite(larger(-kBound, smaller(kBound, log_odds)));
    store_four(result.nbd_odds.data() + j, nbd_odds);
    store_four(result.odds.data() + j, smaller(kOddsBound, nbd_odds * factor));
    largest = larger(largest, larger(exponent, larger(log_odds, -log_odds)));
  }
  result.bounded = !(largest[0] < kUnboundedMax && largest[1] < kUnboundedMax &&
                     largest[2] < kUnboundedMax && largest[3] < kUnboundedMax);
  return result;
}

// -ln(risk), now and a week later: then every week is where the next one is now.
struct LogRisks {
  double now = 0;
  double later = 0;
};

[[gnu::always_inline]] inline LogRisks log_risks(const Weeks& odds) {
  const Four product = ((1.0 + load_four(odds.data())) * (1.0 + load_four(odds.data() + 4))) *
                       (1.0 + load_four(odds.data() + 8));
  const double whole = (product[0] * product[1]) * (product[2] * product[3]);
  const double last = 1 + odds[kChurnStepCount - 1];
  const Four logs = det_log_positive(Four{whole, last, 1 + odds[0], 1 + odds[kChurnStepCount]});
  return {.now = logs[0] + kLastStepShare * logs[1],
          .later = positive((logs[0] - logs[2]) + (logs[1] + kLastStepShare * logs[3]))};
}

[[gnu::always_inline]] inline double risk_inline(const ChurnModel& model, const ChurnInput& input) {
  return det_exp_finite(-log_risks(weekly_odds(constants_of(model, input)).odds).now);
}

// Between what bounds d ln(odds) / dt of a week lies, per day, for all weeks and the next 7 days.
struct RateBounds {
  double low = 0;
  double high = 0;
};

// ln(odds), as a function of the time x from now at which the week begins, 0 <= x <= 7 * 13, is the
// same function for every week. Its derivative is a sum of terms each of which is monotonic in x,
// so that their values at both ends bound them:
//   NBD, s = shape ln(1 + 7/tau), tau = alpha + T + x: s' / (1 - exp(-s)), s' = -7 shape / (tau
//     (tau + 7)). It is negative and rises: ln expm1 has the derivatives f' = 1 / (1 - exp(-s)) and
//     f'' = -exp(-s) f'^2, so that (ln expm1(s))'' = f' s'' + f'' s'^2 >= 0 if expm1(s) s'' >=
//     s'^2; s'' / s'^2 = (2 tau + 7) / (7 shape), and expm1(s) >= s >= 14 shape / (2 tau + 7);
//   recency: b / (1 + R + x); ratio: b / (gap + R + x);
//   F = 1: the gap is the recency, b / (1 + gap + x); the ratio is R + x below one day, b / (1 + R
//     + x), and 1 from there on, 0.
// A bound of weekly_odds that is in force takes a term out: then 0 counts too.
[[gnu::always_inline]] inline RateBounds rate_bounds(const Constants& c, const WeeklyOdds& weeks) {
  constexpr double kSpan = kChurnStepDays * kChurnStepCount;
  const auto& slope = c.raw.slope;
  const double tau_end = c.tau + kSpan;
  const double first = weeks.nbd_odds[0];
  const double end = weeks.nbd_odds[kChurnStepCount];
  const double step = kChurnStepDays * c.shape;
  const bool ratio_moves = !c.single || c.recency < 1;
  const double gap_slope = c.single ? slope[kHazardGap] : 0;
  const double ratio_base = c.single ? 1 : c.ratio_gap;
  const Four at_start = Four{-step * (1 + first), slope[kHazardRecency],
                             ratio_moves ? slope[kHazardRatio] : 0, gap_slope} /
                        Four{c.tau * (c.tau + kChurnStepDays) * first, 1 + c.recency,
                             ratio_base + c.recency, 1 + c.gap};
  const Four at_end = Four{-step * (1 + end), slope[kHazardRecency],
                           c.single ? 0 : slope[kHazardRatio], gap_slope} /
                      Four{tau_end * (tau_end + kChurnStepDays) * end, 1 + c.recency + kSpan,
                           ratio_base + c.recency + kSpan, 1 + c.gap + kSpan};
  Four low = smaller(at_start, at_end);
  Four high = larger(at_start, at_end);
  if (weeks.bounded) {
    low = smaller(low, Four{});
    high = larger(high, Four{});
  }
  return {.low = (low[0] + low[1]) + (low[2] + low[3]),
          .high = (high[0] + high[1]) + (high[2] + high[3])};
}

[[gnu::always_inline]] inline ChurnOutlook outlook_inline(const ChurnModel& model,
                                                          const ChurnInput& input) {
  const Constants c = constants_of(model, input);
  const WeeklyOdds weeks = weekly_odds(c);
  const LogRisks log_risk = log_risks(weeks.odds);
  ChurnOutlook outlook{.risk = det_exp_finite(-log_risk.now)};
  outlook.foresees =
      c.tau < 1e6 && weeks.nbd_odds[kChurnStepCount] > 1e-12 && (!c.single || c.gap == c.recency);
  if (!outlook.foresees) return outlook;
  const Four logs = det_log_positive(
      larger(Four{log_risk.now, log_risk.later, 1, 1}, Four{kLeast, kLeast, kLeast, kLeast}));
  const RateBounds rate = rate_bounds(c, weeks);
  outlook.now = logs[0];
  outlook.later = logs[1];
  outlook.rate_low = rate.low;
  outlook.rate_high = rate.high;
  return outlook;
}

// y = -ln(risk) = sum w_j ln(1 + odds_j), y' = sum w_j h_j (ln odds_j)', and 0 < h_j <= ln(1 +
// odds_j): so y'/y lies between the bounds of (ln odds_j)' and 0, and ln y between straight lines
// through its values now and a week later. `level` = ln(-ln(limit)).
double quiet_days_of(const ChurnOutlook& outlook, double level) {
  constexpr double kSlack = 1e-8;  // Far above the rounding of `now` and `later`.
  const double side = outlook.now > level ? 1 : -1;
  const double fall =  // Towards the level.
      std::max(0.0, side > 0 ? -outlook.rate_low : outlook.rate_high);
  const double rise = std::max(0.0, side > 0 ? outlook.rate_high : -outlook.rate_low);
  const double distance = side * (outlook.now - level) - kSlack;
  if (!(distance > 0)) return 0;
  const double from_now = fall * kChurnStepDays < distance ? kChurnStepDays : distance / fall;
  if (from_now >= kChurnStepDays) return kChurnStepDays;
  const double distance_later = side * (outlook.later - level) - kSlack;
  const bool meets = distance_later > rise * (kChurnStepDays - from_now);
  return meets ? kChurnStepDays : positive(from_now);
}

#ifdef __x86_64__
[[gnu::target("avx2")]] double risk_avx2(const ChurnModel& model, const ChurnInput& input) {
  return risk_inline(model, input);
}

[[gnu::target("avx2")]] ChurnOutlook outlook_avx2(const ChurnModel& model,
                                                  const ChurnInput& input) {
  return outlook_inline(model, input);
}
#endif

}  // namespace

double purchase_gap_days(double age_days, double recency_days, double frequency) {
  return frequency > 1 ? positive(age_days - recency_days) / (frequency - 1) : positive(age_days);
}

RawHazard raw_hazard(const ChurnModel& model) {
  RawHazard raw;
  raw.intercept = model.intercept;
  for (std::size_t i = 0; i < kHazardFeatureCount; ++i) {
    if (model.sd[i] > 0) raw.slope[i] = model.coefficient[i] / model.sd[i];
    raw.intercept -= raw.slope[i] * model.mean[i];
  }
  return raw;
}

double churn_risk(const ChurnModel& model, const ChurnInput& input) {
#ifdef __x86_64__
  if (kHasAvx2) return risk_avx2(model, input);
#endif
  return risk_inline(model, input);
}

ChurnOutlook churn_outlook(const ChurnModel& model, const ChurnInput& input) {
#ifdef __x86_64__
  if (kHasAvx2) return outlook_avx2(model, input);
#endif
  return outlook_inline(model, input);
}

ChurnOutlook churn_outlook_plain(const ChurnModel& model, const ChurnInput& input) {
  return outlook_inline(model, input);
}

double quiet_days(const ChurnOutlook& outlook, const std::array<double, 2>& limits) {
  const double low = -det_log(limits[0]);
  const double high = -det_log(limits[1]);
  const bool comparable = low > 2 * kLeast && high > 2 * kLeast && low < 700 && high < 700;
  if (!outlook.foresees || !comparable) return 0;
  const Four levels = det_log_positive(Four{low, high, 1, 1});
  return std::min(quiet_days_of(outlook, levels[0]), quiet_days_of(outlook, levels[1]));
}

}  // namespace rfm
