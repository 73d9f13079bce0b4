#include "stream/format/explanation.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "model/nearest_centroid.h"
#include "state/evaluation.h"
#include "stream/text/number_text.h"

namespace rfm {
namespace {

constexpr std::size_t kExplanationSize = 192;  // Most are shorter.

std::int64_t recency_ms(const CustomerFacts& facts) {
  return std::max<std::int64_t>(0, (facts.at - facts.last_purchase).count());
}

// Whole numbers, so that what is shown is exact: rounded to the nearest, halves away from zero.
std::int64_t rounded_ratio(std::int64_t value, std::int64_t unit) {
  return (value + (value < 0 ? -unit : unit) / 2) / unit;
}

NumberText amount_text(std::int64_t units) {
  return {rounded_ratio(units, Money::kUnitsPerCurrencyUnit / 100), 2};
}

NumberText days_text(std::int64_t ms) { return {rounded_ratio(ms, kDayMs / 10), 1}; }

// One axis of the scores, in words.
struct Axis {
  std::string_view name;
  std::string_view unit;  // With a space before it, or empty.
  char letter = 'R';
  const AxisCuts& cuts_before;
  const AxisCuts& cuts_after;
  std::int64_t value_before = 0;
  std::int64_t value_after = 0;
  int score_before = 0;
  int score_after = 0;
};

void append_value(std::string& out, const Axis& axis, std::int64_t value) {
  if (axis.letter == 'F') {
    fmt::format_to(std::back_inserter(out), FMT_COMPILE("{}"), value);
  } else {
    out += (axis.letter == 'R' ? days_text(value) : amount_text(value)).view();
  }
}

// The cut next to the old score in the direction of the new one. Recency scores run the other way.
std::size_t crossed_cut(const Axis& axis) {
  const bool up = axis.score_after > axis.score_before;
  const int nearest = up ? axis.score_before - 1 : axis.score_before - 2;
  return static_cast<std::size_t>(axis.letter == 'R' ? kCutCount - 1 - nearest : nearest);
}

void append_axis(std::string& out, const Axis& axis) {
  if (axis.score_before == axis.score_after) return;
  if (!out.empty()) out += "; ";
  const std::size_t cut = crossed_cut(axis);
  const bool by_cut =
      axis.value_before == axis.value_after && axis.cuts_before[cut] != axis.cuts_after[cut];
  if (by_cut) {
    ((out += "the cut of ") += axis.name) += " moved from ";
    append_value(out, axis, axis.cuts_before[cut]);
    out += " to ";
    append_value(out, axis, axis.cuts_after[cut]);
    (out += axis.unit) += " and passed ";
    append_value(out, axis, axis.value_after);
  } else {
    (out += axis.name) += ' ';
    append_value(out, axis, axis.value_after);
    out += axis.unit;
    out +=
        axis.value_after < axis.value_before ? " no longer exceeds the cut " : " passed the cut ";
    append_value(out, axis, axis.cuts_after[cut]);
  }
  fmt::format_to(std::back_inserter(out), FMT_COMPILE(": {} {} -> {}"), axis.letter,
                 axis.score_before, axis.score_after);
}

std::string explain_rfm(const Transition& t) {
  const Scores before = scores_of(t.before);
  const Scores after = scores_of(t.after);
  const ScoreCuts& old_cuts = t.before.version->cuts;
  const ScoreCuts& new_cuts = t.after.version->cuts;
  const auto recency = [](const CustomerFacts& f) { return (f.at - f.last_purchase).count(); };
  if (t.before.frequency == 0) {
    return fmt::format("first purchase that counts: R {} F {} M {}", after.r, after.f, after.m);
  }
  std::string out;
  out.reserve(kExplanationSize);
  append_axis(out, {"recency", " days", 'R', old_cuts.recency_ms, new_cuts.recency_ms,
                    recency(t.before), recency(t.after), before.r, after.r});
  append_axis(out, {"frequency", "", 'F', old_cuts.frequency, new_cuts.frequency,
                    t.before.frequency, t.after.frequency, before.f, after.f});
  append_axis(out, {"monetary", "", 'M', old_cuts.monetary, new_cuts.monetary,
                    t.before.monetary.units, t.after.monetary.units, before.m, after.m});
  if (old_cuts.absolute != new_cuts.absolute) {
    out += new_cuts.absolute ? " (few customers: fixed thresholds from now on)"
                             : " (quintiles from now on)";
  }
  // Held back before, by the least time in a segment.
  if (out.empty())
    out = fmt::format("R {} F {} M {}, held back until now", after.r, after.f, after.m);
  return out;
}

std::string explain_cluster(const Transition& t, const Rules& rules) {
  if (!t.after.version->clusters)
    return "no clusters yet: too few customers or too short a history";
  const ClusterModel& model = *t.after.version->clusters;
  const FeatureVector x = features_of(t.after);
  const auto distance = [&](SegmentCode code) {
    return std::sqrt(squared_distance(
        model.weight, x, model.centroids[static_cast<std::size_t>(code - kFirstSegment)]));
  };
  const std::int64_t recency = recency_ms(t.after);
  std::string out;
  out.reserve(kExplanationSize);
  fmt::format_to(
      std::back_inserter(out), FMT_COMPILE("recency {} days, frequency {}, monetary {}: "),
      days_text(recency).view(), t.after.frequency, amount_text(t.after.monetary.units).view());
  const auto name_of = [&](SegmentCode code) {
    return segment_name(Segmentation::kCluster, code, rules, *t.after.version);
  };
  const std::string_view to = name_of(t.to);
  const NumberText to_distance(distance(t.to), 3);
  if (t.from < kFirstSegment) {
    fmt::format_to(std::back_inserter(out), FMT_COMPILE("nearest centroid {} at {}"), to,
                   to_distance.view());
    return out;
  }
  fmt::format_to(std::back_inserter(out), FMT_COMPILE("centroid {} at {} is nearer than {} at {}"),
                 to, to_distance.view(), name_of(t.from), NumberText(distance(t.from), 3).view());
  if (rules.cluster_hysteresis > 0) {
    fmt::format_to(std::back_inserter(out), FMT_COMPILE(" (hysteresis {} on squares)"),
                   NumberText(rules.cluster_hysteresis, 2).view());
  }
  return out;
}

std::string explain_churn(const Transition& t, const TransitionRisks& risks, const Rules& rules) {
  const auto& [before, after] = risks;
  if (!after) return "no churn model yet";
  std::string out;
  out.reserve(kExplanationSize);
  (out += "P(no purchase within 90 days) ") += NumberText(*after, 3).view();
  if (!before) return out += ": first estimate";
  // What counts is the band that it was in: time alone may have carried it over the limit since.
  const bool rose = t.to > t.from;
  const SegmentCode entered = rose ? t.to : static_cast<SegmentCode>(t.to + 1);
  const double limit =
      entered == kFirstSegment + 1 ? rules.churn_medium_from : rules.churn_high_from;
  fmt::format_to(std::back_inserter(out), FMT_COMPILE(", before {}, {} {}"),
                 NumberText(*before, 3).view(), rose ? "passed" : "came back under",
                 NumberText(limit, 2).view());
  return out;
}

}  // namespace

double recency_days(const CustomerFacts& facts) {
  return static_cast<double>(recency_ms(facts)) / kDayMs;
}

TransitionRisks risks_of(const Transition& t) {
  return {.before = churn_risk_of(t.before), .after = churn_risk_of(t.after)};
}

std::string explain(const Transition& t, const TransitionRisks& risks, const Rules& rules) {
  if (t.reason == Reason::kErasure) return "the customer was erased";
  if (t.to == kNoSegmentCode) return "no purchase counts any more";
  switch (t.segmentation) {
    case Segmentation::kChurn:
      return explain_churn(t, risks, rules);
    case Segmentation::kCluster:
      return explain_cluster(t, rules);
    case Segmentation::kRfm:
      break;
  }
  return explain_rfm(t);
}

}  // namespace rfm
