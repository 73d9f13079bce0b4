#include "stream/analyse/customer_figures.h"

#include <algorithm>
#include <cmath>

#include "state/evaluation.h"

namespace rfm {
namespace {

constexpr double kYearDays = 365;

}  // namespace

Money value_at_risk_of(std::int64_t risk, Money year_spend) {
  if (year_spend.units <= 0) return {};
  const double spend = static_cast<double>(year_spend.units) * kChurnHorizonDays / kYearDays;
  return {
      static_cast<std::int64_t>(std::floor(static_cast<double>(risk) / kRiskUnits * spend + .5))};
}

CustomerFigures figures_of(const CustomerRow& row, const CustomerFacts& facts,
                           const Rules& row_rules, const Rules& rules, LedgerHistory& history) {
  history.read(row.ledger);
  CustomerFigures figures{.row = row,
                          .facts = facts,
                          .rules = rules,
                          .row_rules = row_rules,
                          .history = history,
                          .risk = std::nullopt,
                          .value_at_risk = {}};
  if (const std::optional<double> risk = churn_risk_of(facts)) {
    figures.risk = static_cast<std::int64_t>(*risk * kRiskUnits + .5);
    figures.value_at_risk =
        value_at_risk_of(*figures.risk, history.net_spend(facts.at - kYearSpan, facts.at));
  }
  return figures;
}

SegmentCode segment_of(const CustomerFigures& figures, std::size_t segmentation) {
  const Segmentation& shown = figures.rules.segmentations[segmentation];
  if (&figures.rules == &figures.row_rules) return figures.row.segments[segmentation].segment;
  const Segmentations& own = figures.row_rules.segmentations;
  const std::size_t s = own.find(shown.name());
  if (s == own.size()) return kNoSegmentCode;
  return find_segment(shown, segment_info(own[s], figures.row.segments[s].segment).name)
      .value_or(kUnassigned);
}

}  // namespace rfm
