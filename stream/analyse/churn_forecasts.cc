#include "stream/analyse/churn_forecasts.h"

#include <algorithm>

#include "model/churn.h"
#include "model/training.h"
#include "state/epoch.h"

namespace rfm {
namespace {

constexpr std::size_t kBinCount = 10;
constexpr Duration kHorizon = std::chrono::hours{24 * static_cast<int>(kChurnHorizonDays)};

// Invoices that the ledger has folded together are purchases all through their time.
bool bought(const LedgerHistory& history, EventTime from, EventTime to) {
  const FoldedInvoices& folded = history.folded();
  if (folded.count > 0 && folded.first_purchase < to && folded.last_purchase >= from) return true;
  const auto first = std::ranges::lower_bound(history.purchases(), from, {}, &Purchase::time);
  return first != history.purchases().end() && first->time < to;
}

}  // namespace

ChurnForecasts::ChurnForecasts(std::span<const PastChurnModel> models, std::int64_t population) {
  for (const PastChurnModel& past : models.last(std::min(models.size(), kModelsMax)))
    judged_.push_back({.past = past});
  while (population >> sample_shift_ > kCustomersMax) ++sample_shift_;
}

void ChurnForecasts::add(const CustomerRow& row, const CustomerFacts& facts,
                         const Rules& row_rules) {
  if (judged_.empty() || !is_sampled(row.id_hash, sample_shift_)) return;
  history_.read(row.ledger);
  for (Judged& judged : judged_) {
    const EventTime at = judged.past.at;
    if (facts.at < at + kHorizon) break;
    // How much of what is folded came before is not known.
    if (const EventTime newest = history_.folded().newest; newest != kBeforeAll && newest >= at)
      continue;
    const PastSums sums = history_.sums_before(at, row_rules);
    if (sums.frequency == 0) continue;
    const SampleRow then{.id_hash = row.id_hash,
                         .first_purchase_ms = to_ms(sums.first_purchase),
                         .last_purchase_ms = to_ms(sums.last_purchase),
                         .monetary = sums.monetary.units,
                         .frequency = sums.frequency};
    judged.outcomes.push_back({.score = churn_risk(judged.past.model, churn_input(then, to_ms(at))),
                               .happened = !bought(history_, at, at + kHorizon)});
  }
}

void ChurnForecasts::merge(const ChurnForecasts& other) {
  for (const Judged& theirs : other.judged_) {
    const auto mine = std::ranges::find_if(
        judged_, [&](const Judged& judged) { return judged.past.at == theirs.past.at; });
    if (mine == judged_.end()) continue;
    mine->outcomes.insert(mine->outcomes.end(), theirs.outcomes.begin(), theirs.outcomes.end());
  }
}

std::vector<ChurnForecast> ChurnForecasts::figures() const {
  std::vector<ChurnForecast> figures;
  for (const Judged& judged : judged_) {
    const std::vector<ScoredOutcome>& outcomes = judged.outcomes;
    if (outcomes.empty()) continue;
    const auto gone = std::ranges::count_if(outcomes, &ScoredOutcome::happened);
    figures.push_back(
        {.at = judged.past.at,
         .customers = outcomes.size(),
         .gone_share = static_cast<double>(gone) / static_cast<double>(outcomes.size()),
         .auc = area_under_roc(outcomes),
         .brier = brier_score(outcomes),
         .ece = expected_calibration_error(calibration_bins(outcomes, kBinCount))});
  }
  return figures;
}

}  // namespace rfm
