#include "stream/analyse/census.h"

#include <algorithm>
#include <optional>
#include <span>

#include "model/axis_value.h"
#include "state/epoch.h"
#include "state/evaluation.h"
#include "state/segmenter.h"
#include "stream/analyse/money_sum.h"

namespace rfm {

Census::Census(const Rules& rules, const CensusOptions& options)
    : rules_(&rules),
      past_model_(options.past_model),
      segments_(rules.segmentations.size()),
      spends_less_(options.spends_less),
      by_monetary_(CustomerSort::kMonetary, options.top_max),
      by_frequency_(CustomerSort::kFrequency, options.top_max),
      at_risk_(CustomerSort::kValueAtRisk, options.top_max) {}

void Census::add(const CustomerRow& row, const CustomerFacts& facts, const Rules& row_rules) {
  reach(facts.at);
  const CustomerFigures figures = figures_of(row, facts, row_rules, *rules_, history_);
  segments_.add(figures);
  cells_.assign(rules_->segmentations.size(), Population::kNoCell);
  for (std::size_t s = 0; s < cells_.size(); ++s) {
    if (const std::optional<AxisScores> scores = Segmenter(*rules_, s).scores(facts)) {
      const Segmentation& segmentation = rules_->segmentations[s];
      cells_[s] = segmentation.cell_of({scores->data(), segmentation.axes().size()});
    }
  }
  population_.add(figures, cells_);
  cohorts_.add(figures);
  lost_.add(figures);
  spends_less_.add(figures);
  if (past_model_ != nullptr) calibrate(figures);
  if (figures.risk) {
    const double share = static_cast<double>(*figures.risk) / kRiskUnits;
    RiskBin& bin = risk_[static_cast<std::size_t>(
        std::min<int>(kRiskBins - 1, static_cast<int>(share * kRiskBins)))];
    ++bin.customers;
    add_to(bin.value_at_risk, figures.value_at_risk);
    at_risk_.add(figures);
  }
  if (facts.frequency > 0) {
    by_monetary_.add(figures);
    by_frequency_.add(figures);
  }
}

void Census::calibrate(const CustomerFigures& figures) {
  const EventTime then = figures.facts.at - kRiskEpochs * kEpoch;
  const PastSums past = figures.history.sums_before(then, figures.row_rules);
  if (past.frequency == 0) return;
  const std::optional<double> risk = churn_risk_of({.at = then,
                                                    .first_purchase = past.first_purchase,
                                                    .last_purchase = past.last_purchase,
                                                    .frequency = past.frequency,
                                                    .monetary = past.monetary,
                                                    .version = past_model_});
  if (!risk) return;
  RiskOutcome& bin = calibration_[static_cast<std::size_t>(
      std::min<int>(kOutcomeBins - 1, static_cast<int>(*risk * kOutcomeBins)))];
  ++bin.customers;
  bin.risk += static_cast<std::int64_t>(*risk * kRiskUnits + .5);
  const std::span<const Purchase> purchases = figures.history.purchases();
  if (purchases.empty() || purchases.back().time < then) ++bin.gone;
}

void Census::merge(const Census& other) {
  reach(other.as_of_);
  segments_.merge(other.segments_);
  population_.merge(other.population_);
  cohorts_.merge(other.cohorts_);
  lost_.merge(other.lost_);
  spends_less_.merge(other.spends_less_);
  for (std::size_t i = 0; i < risk_.size(); ++i) {
    risk_[i].customers += other.risk_[i].customers;
    add_to(risk_[i].value_at_risk, other.risk_[i].value_at_risk);
  }
  for (std::size_t i = 0; i < calibration_.size(); ++i) {
    calibration_[i].customers += other.calibration_[i].customers;
    calibration_[i].risk += other.calibration_[i].risk;
    calibration_[i].gone += other.calibration_[i].gone;
  }
  by_monetary_.merge(other.by_monetary_);
  by_frequency_.merge(other.by_frequency_);
  at_risk_.merge(other.at_risk_);
}

}  // namespace rfm
