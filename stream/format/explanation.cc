#include "stream/format/explanation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "model/axis_value.h"
#include "model/day.h"
#include "state/damping.h"
#include "state/evaluation.h"
#include "state/segmenter.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr std::size_t kExplanationSize = 192;  // Most are shorter.

template <class... Arguments>
void append(std::string& out, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Arguments>(arguments)...);
}

// Whole numbers, so that what is shown is exact: rounded to the nearest, halves away from zero.
std::int64_t rounded_ratio(std::int64_t value, std::int64_t unit) {
  return (value + (value < 0 ? -unit : unit) / 2) / unit;
}

NumberText amount_text(std::int64_t units) {
  return {rounded_ratio(units, Money::kUnitsPerCurrencyUnit / 100), 2};
}

NumberText amount_text(Money amount) { return amount_text(amount.units); }

NumberText days_text(std::int64_t ms) { return {rounded_ratio(ms, kDayMs / 10), 1}; }

// "no purchase for 90.2 days, usually every 21"
void append_silence(std::string& out, const CustomerFacts& facts) {
  append(out, "no purchase for {} days", days_text(recency_ms(facts)).view());
  const std::int64_t history = (facts.last_purchase - facts.first_purchase).count();
  if (facts.frequency > 1 && history > 0)
    append(out, ", usually every {}",
           std::max<std::int64_t>(1, rounded_ratio(history / (facts.frequency - 1), kDayMs)));
}

std::string purchases_text(std::uint32_t count) {
  return fmt::format("{} {}", count, count == 1 ? "purchase" : "purchases");
}

// "bought again after 3.1 days: 4 purchases, 1204.50"
void append_purchase(std::string& out, const Transition& t) {
  const CustomerFacts& before = t.before;
  const CustomerFacts& after = t.after;
  if (before.frequency == 0) {
    append(out, "{}, {}", t.seq > 1 ? "bought again" : "first purchase",
           amount_text((after.monetary - before.monetary).units).view());
    if (before.monetary != Money{}) append(out, ": {} in all", amount_text(after.monetary).view());
    return;
  }
  const std::int64_t silence = (after.last_purchase - before.last_purchase).count();
  if (t.reason == Reason::kLateEvent || silence < 0) {
    append(out, "a purchase came late");
  } else if (silence < kDayMs) {
    append(out, "bought again within a day");
  } else {
    append(out, "bought again after {} days", days_text(silence).view());
  }
  append(out, ": {}, {}", purchases_text(after.frequency), amount_text(after.monetary).view());
}

// "gave back 20.00: 180.00 in all, 3 purchases left"
void append_act(std::string& out, const Transition& t) {
  const CustomerFacts& before = t.before;
  const CustomerFacts& after = t.after;
  if (after.frequency > before.frequency) return append_purchase(out, t);
  const Money less = before.monetary - after.monetary;
  if (less == Money{}) {
    append(out, "corrected");
  } else {
    append(out, "{} {}: {} in all", less > Money{} ? "gave back" : "corrected by",
           amount_text(std::abs(less.units)).view(), amount_text(after.monetary).view());
  }
  if (after.frequency < before.frequency && after.frequency > 0)
    append(out, ", {} left", purchases_text(after.frequency));
}

// Of an axis that bears one letter: as it is known.
std::string name_of(const Axis& axis) {
  if (axis.name.size() > 1) return axis.name;
  return {absl::ascii_toupper(static_cast<unsigned char>(axis.name.front()))};
}

// From one score to another on an axis.
struct Step {
  std::size_t axis = 0;
  int was = 0;  // 0: there was none.
  int now = 0;

  // The limit next to the score that holds now.
  std::int64_t limit(const Axis& in, std::span<const std::int64_t> cuts) const {
    const int upper = now > was ? now : now + 1;
    const int index = is_less_better(in.cuts.quantity) ? in.cuts.bins - upper : upper - 2;
    return cuts[static_cast<std::size_t>(std::clamp(index, 0, static_cast<int>(cuts.size()) - 1))];
  }
};

// Where the scores themselves have not changed, because a margin or a stay held the segment back:
// of one axis the step from the nearest score of the segment that was left; of several what counts.
std::vector<Step> held_steps(const Transition& t, const Segmentation& segmentation) {
  std::vector<Step> steps;
  if (t.call.code < kFirstSegment) return steps;
  const AxisScores& called =
      segmentation.scores_of(static_cast<std::uint16_t>(t.call.code - kFirstSegment));
  const std::size_t axes = segmentation.axes().size();
  for (std::size_t a = 0; a < axes; ++a)
    if (called[a] != 0) steps.push_back({a, 0, called[a]});
  if (axes > 1 || steps.empty() || t.from < kFirstSegment) return steps;
  int nearest = kBinsMax + 1;
  for (std::uint8_t was = 1; was <= segmentation.axes()[0].cuts.bins; ++was) {
    const std::uint16_t cell = segmentation.cell_of(std::array{was});
    const int distance = std::abs(was - called[0]);
    if (segmentation.segment_of(cell) != t.from - kFirstSegment || distance >= nearest) continue;
    nearest = distance;
    steps[0].was = was;
  }
  return steps;
}

// Every axis whose score is another one.
std::vector<Step> steps_of(const Transition& t, const Segmenter& segmenter) {
  std::vector<Step> steps;
  const auto before = segmenter.scores(t.before);
  const auto after = segmenter.scores(t.after);
  if (!after) return steps;
  for (std::size_t a = 0; a < segmenter.segmentation().axes().size(); ++a) {
    const Step step{a, before ? (*before)[a] : 0, (*after)[a]};
    if (step.now != step.was && step.now != 0) steps.push_back(step);
  }
  return steps.empty() ? held_steps(t, segmenter.segmentation()) : steps;
}

// "R 3 -> 2 past 90.0 days"
void append_step(std::string& out, const Transition& t, const Segmenter& segmenter,
                 const Step& step) {
  const Axis& axis = segmenter.segmentation().axes()[step.axis];
  const Quantity quantity = axis.cuts.quantity;
  append(out, "; {} ", name_of(axis));
  if (step.was == 0) return append(out, "{}", step.now);
  append(out, "{} -> {}", step.was, step.now);
  const auto cuts = segmenter.cuts_of(step.axis, *t.after.version);
  const std::string limit = axis_text(quantity, step.limit(axis, cuts));
  const auto old_cuts = segmenter.cuts_of(step.axis, *t.before.version);
  const bool is_up = step.now > step.was;
  if (t.before.version != t.after.version && !std::ranges::equal(cuts, old_cuts)) {
    append(out, " as its limit moved to {}", limit);
  } else if (is_up) {
    append(out, " {} {}", is_less_better(quantity) ? "within" : "above", limit);
  } else if (!is_less_better(quantity)) {
    append(out, ", no longer above {}", limit);
  } else if (quantity != Quantity::kRecency ||
             limit != axis_text(quantity, recency_ms(t.after))) {  // Said already.
    append(out, " past {}", limit);
  }
}

// "; churn risk 0.31 -> 0.34, limit 0.33"
void append_risk(std::string& out, const TransitionRisks& risks, std::string_view limit) {
  if (!risks.after) return;
  const int digits = NumberText(*risks.after, 2).view() == limit ? kRiskDigits : 2;
  const NumberText after(*risks.after, digits);
  append(out, "; churn risk ");
  if (risks.before && NumberText(*risks.before, digits).view() != after.view())
    append(out, "{} -> ", NumberText(*risks.before, digits).view());
  append(out, "{}", after.view());
  if (!limit.empty()) append(out, ", limit {}", limit);
}

// Which limits were passed, and the churn risk where it is asked.
void append_steps(std::string& out, const Transition& t, const TransitionRisks& risks,
                  const Segmenter& segmenter) {
  const Segmentation& segmentation = segmenter.segmentation();
  std::string risk_limit;
  for (const Step& step : steps_of(t, segmenter)) {
    const Axis& axis = segmentation.axes()[step.axis];
    if (axis.cuts.quantity != Quantity::kRisk) {
      append_step(out, t, segmenter, step);
    } else if (step.was != 0) {
      risk_limit = axis_text(Quantity::kRisk,
                             step.limit(axis, segmenter.cuts_of(step.axis, *t.after.version)));
    }
  }
  if (segmentation.follows_risk()) append_risk(out, risks, risk_limit);
}

std::string_view model_change(const Transition& t, const Segmentation& segmentation) {
  const ModelVersion& before = *t.before.version;
  const ModelVersion& after = *t.after.version;
  if (segmentation.is_cluster()) {
    if (t.from == kUnassigned) return "first groups";
    const std::size_t id = t.call.code - std::size_t{kFirstSegment};
    const bool renamed = before.clusters && id < before.clusters->names.size() &&
                         before.clusters->names[id] == t.from - kFirstSegment;
    return renamed ? "the group has another name" : "groups formed anew";
  }
  if (before.cuts.empty() != after.cuts.empty())
    return after.cuts.empty() ? "few customers, fixed limits from now on"
                              : "enough customers, limits by rank from now on";
  if (segmentation.follows_risk())
    return t.from == kUnassigned ? "first estimate of risks" : "risks estimated anew";
  return "limits set anew";
}

void append_why(std::string& out, const Transition& t, const Segmentation& segmentation) {
  switch (t.reason) {
    case Reason::kPurchase:
    case Reason::kReturn:
    case Reason::kLateEvent:
      return append_act(out, t);
    case Reason::kInactivity:
      if (t.after.frequency == 0) return append(out, "the last purchase left the window");
      if (t.after.frequency == t.before.frequency && t.after.monetary == t.before.monetary)
        return append_silence(out, t.after);
      return append(out, "a purchase left the window: {}, {} in all",
                    purchases_text(t.after.frequency), amount_text(t.after.monetary).view());
    case Reason::kPopulationShift:
      return append(out, "{} moved with the other customers",
                    segmentation.is_cluster() ? "groups" : "limits");
    case Reason::kModelChange:
      return append(out, "{}", model_change(t, segmentation));
    case Reason::kRulesChange:
      return append(out, "the rules changed");
    case Reason::kBackfill:
      return append(out, "imported");
    case Reason::kErasure:
      break;
  }
  append(out, "the customer was erased");
}

}  // namespace

std::string axis_text(Quantity quantity, std::int64_t cut) {
  switch (quantity) {
    case Quantity::kRecency:
      return fmt::format("{} days", days_text(cut).view());
    case Quantity::kFrequency:
      return fmt::format("{}", cut);
    case Quantity::kOverdue:
      return fmt::format("{} times the usual gap", NumberText(rounded_ratio(cut, 10), 2).view());
    case Quantity::kRisk:
      return fmt::format("{}", NumberText(rounded_ratio(cut, 10'000'000), 2).view());
    case Quantity::kMonetary:
    case Quantity::kOrderValue:
    case Quantity::kValue:
      break;
  }
  return std::string(amount_text(cut).view());
}

std::string cuts_text(Quantity quantity, std::span<const std::int64_t> cuts) {
  std::vector<std::string> texts;
  for (const std::int64_t cut : cuts) texts.push_back(axis_text(quantity, cut));
  return fmt::format("{}", fmt::join(texts, ", "));
}

NumberText recency_text(const CustomerFacts& facts) { return days_text(recency_ms(facts)); }

TransitionRisks risks_of(const Transition& t, const Rules& rules) {
  if (!rules.segmentations[t.segmentation].follows_risk()) return {};
  return {.before = churn_risk_of(t.before), .after = churn_risk_of(t.after)};
}

std::string explain(const Transition& t, const TransitionRisks& risks, const Rules& rules) {
  const Segmenter segmenter(rules, t.segmentation);
  const Segmentation& segmentation = segmenter.segmentation();
  std::string out;
  out.reserve(kExplanationSize);
  append_why(out, t, segmentation);
  if (t.reason == Reason::kErasure) return out;
  if (t.to == kNoSegmentCode) {
    return out += t.reason == Reason::kRulesChange ? "; this segmentation ends"
                                                   : "; no purchase counts any more";
  }
  if (t.to == kUnassigned) return out += "; no model yet";
  append_steps(out, t, risks, segmenter);
  if (t.held) append(out, "; held back since {}", Rfc3339Text(t.held->since).date());
  return out;
}

}  // namespace rfm
