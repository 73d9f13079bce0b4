#include "stream/explanation.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <string_view>

#include "model/nearest_centroid.h"
#include "state/evaluation.h"

namespace rfm {
namespace {

std::string amount_text(std::int64_t units) {
  return fmt::format("{:.2f}", static_cast<double>(units) / Money::kUnitsPerCurrencyUnit);
}

std::string days_text(std::int64_t ms) {
  return fmt::format("{:.1f}", static_cast<double>(ms) / kDayMs);
}

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
  std::string (*show)(std::int64_t);
};

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
  const std::string value = axis.show(axis.value_after);
  const std::string limit = axis.show(axis.cuts_after[cut]);
  const bool by_cut =
      axis.value_before == axis.value_after && axis.cuts_before[cut] != axis.cuts_after[cut];
  if (by_cut) {
    fmt::format_to(std::back_inserter(out),
                   "the cut of {} moved from {} to {}{} and passed {}: {} {} -> {}", axis.name,
                   axis.show(axis.cuts_before[cut]), limit, axis.unit, value, axis.letter,
                   axis.score_before, axis.score_after);
  } else {
    const bool fell = axis.value_after < axis.value_before;
    fmt::format_to(std::back_inserter(out), "{} {}{} {} the cut {}: {} {} -> {}", axis.name, value,
                   axis.unit, fell ? "came back under" : "passed", limit, axis.letter,
                   axis.score_before, axis.score_after);
  }
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
  append_axis(out, {"recency", " days", 'R', old_cuts.recency_ms, new_cuts.recency_ms,
                    recency(t.before), recency(t.after), before.r, after.r, days_text});
  append_axis(out, {"frequency", "", 'F', old_cuts.frequency, new_cuts.frequency,
                    t.before.frequency, t.after.frequency, before.f, after.f,
                    [](std::int64_t v) { return fmt::format("{}", v); }});
  append_axis(out,
              {"monetary", "", 'M', old_cuts.monetary, new_cuts.monetary, t.before.monetary.units,
               t.after.monetary.units, before.m, after.m, amount_text});
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
  if (!t.after.version->clusters) return "no clusters yet: too few customers";
  const ClusterModel& model = *t.after.version->clusters;
  const FeatureVector x = features_of(t.after);
  const auto distance = [&](SegmentCode code) {
    return std::sqrt(squared_distance(
        model.weight, x, model.centroids[static_cast<std::size_t>(code - kFirstSegment)]));
  };
  std::string where =
      fmt::format("recency {:.1f} days, frequency {}, monetary {}", recency_days(t.after),
                  t.after.frequency, amount_text(t.after.monetary.units));
  if (t.from < kFirstSegment) {
    return fmt::format("{}: nearest centroid {} at {:.3f}", where,
                       model.names[static_cast<std::size_t>(t.to - kFirstSegment)], distance(t.to));
  }
  return fmt::format("{}: centroid {} at {:.3f} is nearer than {} at {:.3f}{}", where,
                     model.names[static_cast<std::size_t>(t.to - kFirstSegment)], distance(t.to),
                     model.names[static_cast<std::size_t>(t.from - kFirstSegment)],
                     distance(t.from),
                     rules.cluster_hysteresis > 0
                         ? fmt::format(" (hysteresis {:.2f} on squares)", rules.cluster_hysteresis)
                         : "");
}

std::string explain_churn(const Transition& t, const TransitionRisks& risks, const Rules& rules) {
  const auto& [before, after] = risks;
  if (!after) return "no churn model yet";
  std::string out = fmt::format("P(no purchase within 90 days) {:.3f}", *after);
  if (!before) return out + ": first estimate";
  // What counts is the band that it was in: time alone may have carried it over the limit since.
  const bool rose = t.to > t.from;
  const SegmentCode entered = rose ? t.to : static_cast<SegmentCode>(t.to + 1);
  const double limit =
      entered == kFirstSegment + 1 ? rules.churn_medium_from : rules.churn_high_from;
  fmt::format_to(std::back_inserter(out), ", before {:.3f}, {} {:.2f}", *before,
                 rose ? "passed" : "came back under", limit);
  return out;
}

}  // namespace

double recency_days(const CustomerFacts& facts) {
  return static_cast<double>(std::max<std::int64_t>(0, (facts.at - facts.last_purchase).count())) /
         kDayMs;
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
