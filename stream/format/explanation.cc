#include "stream/format/explanation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string_view>

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
void append_act(std::string& out, const Transition& t) {
  const CustomerFacts& before = t.before;
  const CustomerFacts& after = t.after;
  if (before.frequency == 0) {
    append(out, "first purchase, {}", amount_text(after.monetary.units).view());
  } else if (after.frequency > before.frequency) {
    const std::int64_t silence = (after.last_purchase - before.last_purchase).count();
    if (t.reason == Reason::kLateEvent || silence < 0) {
      append(out, "a purchase came late");
    } else {
      append(out, "bought again after {} days", days_text(silence).view());
    }
    append(out, ": {}, {}", purchases_text(after.frequency),
           amount_text(after.monetary.units).view());
  } else {
    append(out, "{}: {} in all after {}",
           after.monetary < before.monetary ? "gave back" : "corrected",
           amount_text(after.monetary.units).view(), amount_text(before.monetary.units).view());
    if (after.frequency < before.frequency && after.frequency > 0)
      append(out, ", {} left", purchases_text(after.frequency));
  }
}

std::string_view words(Quantity quantity) {
  switch (quantity) {
    case Quantity::kRecency:
      return "R";
    case Quantity::kFrequency:
      return "F";
    case Quantity::kMonetary:
      return "M";
    case Quantity::kOrderValue:
      return "order value";
    case Quantity::kOverdue:
      return "overdue";
    case Quantity::kRisk:
      return "risk";
    case Quantity::kValue:
      break;
  }
  return "value";
}

// The cut between the score before and the next one on the way to that after.
std::int64_t crossed_cut(const Axis& axis, std::span<const std::int64_t> cuts, int before,
                         int after) {
  const int upper = after > before ? before + 1 : before;
  const int index = is_less_better(axis.cuts.quantity) ? axis.cuts.bins - upper : upper - 2;
  return cuts[static_cast<std::size_t>(std::clamp(index, 0, static_cast<int>(cuts.size()) - 1))];
}

// "; score R 3 ended at 90.0 days": every axis whose score is another one.
void append_scores(std::string& out, const Transition& t, const Segmenter& segmenter) {
  const auto before = segmenter.scores(t.before);
  const auto after = segmenter.scores(t.after);
  if (!after) return;
  const std::span<const Axis> axes = segmenter.segmentation().axes();
  for (std::size_t a = 0; a < axes.size(); ++a) {
    const Quantity quantity = axes[a].cuts.quantity;
    if (quantity == Quantity::kRisk) continue;  // Said by the risk itself.
    const int now = (*after)[a];
    const int was = before ? (*before)[a] : 0;
    if (now == was || now == 0) continue;
    if (was == 0) {
      append(out, "; {} {}", words(quantity), now);
      continue;
    }
    const auto cuts = segmenter.cuts_of(a, *t.after.version);
    const std::string limit = axis_text(quantity, crossed_cut(axes[a], cuts, was, now));
    const auto old_cuts = segmenter.cuts_of(a, *t.before.version);
    const bool moved = t.before.version != t.after.version && !std::ranges::equal(cuts, old_cuts);
    if (moved) {
      append(out, "; {} {} -> {} as its limit moved to {}", words(quantity), was, now, limit);
    } else if (now < was && follows_silence(quantity)) {
      append(out, "; score {} {} ended at {}", words(quantity), was, limit);
    } else {
      append(out, "; {} {} -> {} {} {}", words(quantity), was, now,
             now > was ? (is_less_better(quantity) ? "within" : "above") : "no longer above",
             limit);
    }
  }
}

// "; churn risk 0.31 -> 0.34, limit 0.33"
void append_risk(std::string& out, const Transition& t, const TransitionRisks& risks,
                 const Segmenter& segmenter) {
  if (!risks.after) return;
  append(out, "; churn risk ");
  const NumberText after(*risks.after, 2);
  if (risks.before && NumberText(*risks.before, 2).view() != after.view())
    append(out, "{} -> ", NumberText(*risks.before, 2).view());
  append(out, "{}", after.view());
  const auto before = segmenter.scores(t.before);
  const auto now = segmenter.scores(t.after);
  const std::span<const Axis> axes = segmenter.segmentation().axes();
  for (std::size_t a = 0; before && now && a < axes.size(); ++a) {
    if (axes[a].cuts.quantity != Quantity::kRisk || (*before)[a] == (*now)[a]) continue;
    append(out, ", limit {}",
           axis_text(Quantity::kRisk, crossed_cut(axes[a], segmenter.cuts_of(a, *t.after.version),
                                                  (*before)[a], (*now)[a])));
  }
}

void append_why(std::string& out, const Transition& t, const Segmentation& segmentation) {
  switch (t.reason) {
    case Reason::kPurchase:
    case Reason::kReturn:
    case Reason::kLateEvent:
      return append_act(out, t);
    case Reason::kInactivity:
      if (t.after.frequency == t.before.frequency && t.after.monetary == t.before.monetary)
        return append_silence(out, t.after);
      return append(out, "a purchase left the window: {}, {} in all",
                    purchases_text(t.after.frequency), amount_text(t.after.monetary.units).view());
    case Reason::kPopulationShift:
      return append(out, "{} with the other customers",
                    segmentation.is_cluster() ? "groups moved" : "limits moved");
    case Reason::kModelChange:
      if (t.before.version->cuts.empty() != t.after.version->cuts.empty() &&
          !segmentation.is_cluster()) {
        return append(out, "{}",
                      t.after.version->cuts.empty()
                          ? "few customers, fixed limits from now on"
                          : "enough customers, limits by rank from now on");
      }
      return append(out, "{}", t.from == kUnassigned ? "first model" : "new model");
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
  if (t.to == kNoSegmentCode) return out += "; no purchase counts any more";
  if (t.to == kUnassigned) return out += "; no model yet";
  append_scores(out, t, segmenter);
  if (segmentation.follows_risk()) append_risk(out, t, risks, segmenter);
  if (t.held) append(out, "; held back since {}", Rfc3339Text(t.held->since).view().substr(0, 10));
  return out;
}

}  // namespace rfm
