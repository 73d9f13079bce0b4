#include "stream/evaluate/churn_evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <string>

#include "model/churn.h"
#include "state/epoch.h"
#include "stream/pipeline/lane.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr std::size_t kBinCount = 10;
constexpr Duration kHorizon = std::chrono::hours{24 * static_cast<int>(kChurnHorizonDays)};
constexpr Duration kFirstModel = std::chrono::hours{24 * 15};  // Two refits that see customers.

PredictionFigures figures_of(std::span<const ScoredOutcome> outcomes) {
  return {.auc = area_under_roc(outcomes),
          .brier = brier_score(outcomes),
          .ece = expected_calibration_error(calibration_bins(outcomes, kBinCount))};
}

// With zero weights the hazards are those of the NBD alone.
ChurnModel nbd_alone(const ChurnModel& model) {
  return {.nbd_r = model.nbd_r, .nbd_alpha_days = model.nbd_alpha_days};
}

std::optional<double> mean_where_present(
    std::span<const ChurnAssessment> weeks,
    const std::function<std::optional<double>(const ChurnAssessment&)>& value) {
  double sum = 0;
  double count = 0;
  for (const ChurnAssessment& week : weeks) {
    if (const std::optional<double> v = value(week)) {
      sum += *v;
      ++count;
    }
  }
  return count == 0 ? std::nullopt : std::optional(sum / count);
}

}  // namespace

void SaleTimes::add(const CustomerRow& row) {
  Sales sales{.times = {},
              .folded_first = row.ledger.folded().first_purchase,
              .folded_last = row.ledger.folded().last_purchase};
  for (const LedgerInvoice& invoice : row.ledger.invoices()) {
    if (invoice.type == InvoiceType::kInvoice) sales.times.push_back(invoice.time);
  }
  std::sort(sales.times.begin(), sales.times.end());
  by_customer_[row.id_hash] = std::move(sales);
}

std::optional<bool> SaleTimes::bought(std::uint64_t customer_hash, EventTime from,
                                      EventTime to) const {
  const auto found = by_customer_.find(customer_hash);
  if (found == by_customer_.end()) return std::nullopt;
  const Sales& sales = found->second;
  const auto first = std::lower_bound(sales.times.begin(), sales.times.end(), from);
  return (first != sales.times.end() && *first < to) ||
         (sales.folded_first < to && sales.folded_last >= from);
}

ChurnAssessment assess_churn(std::span<const SampleRow> sample, EventTime at,
                             const ChurnModel& model, const SaleTimes& sales) {
  const ChurnModel nbd = nbd_alone(model);
  ChurnAssessment assessment;
  assessment.at = at;
  std::vector<ScoredOutcome> by_model;
  std::vector<ScoredOutcome> by_nbd;
  std::vector<ScoredOutcome> by_recency;
  double churned_count = 0;
  for (const SampleRow& row : sample) {
    const std::optional<bool> bought = sales.bought(row.id_hash, at, at + kHorizon);
    if (!bought) {
      ++assessment.erased;
      continue;
    }
    const ChurnInput input = churn_input(row, to_ms(at));
    const bool churned = !*bought;
    by_model.push_back({churn_risk(model, input), churned});
    by_nbd.push_back({churn_risk(nbd, input), churned});
    by_recency.push_back({input.recency_days, churned});
    churned_count += churned ? 1 : 0;
  }
  assessment.customers = by_model.size();
  if (!by_model.empty())
    assessment.churned_share = churned_count / static_cast<double>(by_model.size());
  assessment.model = figures_of(by_model);
  assessment.nbd = figures_of(by_nbd);
  assessment.recency_auc = area_under_roc(by_recency);
  assessment.calibration = calibration_bins(by_model, kBinCount);
  return assessment;
}

ChurnAssessment mean_of(std::span<const ChurnAssessment> weeks) {
  ChurnAssessment mean;
  const auto n = static_cast<double>(weeks.size());
  for (const ChurnAssessment& week : weeks) {
    mean.customers += week.customers;
    mean.churned_share += week.churned_share / n;
    mean.model.brier += week.model.brier / n;
    mean.model.ece += week.model.ece / n;
    mean.nbd.brier += week.nbd.brier / n;
    mean.nbd.ece += week.nbd.ece / n;
  }
  if (!weeks.empty()) mean.customers /= weeks.size();
  mean.model.auc = mean_where_present(weeks, [](const auto& week) { return week.model.auc; });
  mean.nbd.auc = mean_where_present(weeks, [](const auto& week) { return week.nbd.auc; });
  mean.recency_auc = mean_where_present(weeks, [](const auto& week) { return week.recency_auc; });
  return mean;
}

PredictionFigures worst_of(std::span<const ChurnAssessment> weeks) {
  PredictionFigures worst;
  for (const ChurnAssessment& week : weeks) {
    if (week.model.auc) worst.auc = std::min(worst.auc.value_or(1), *week.model.auc);
    worst.brier = std::max(worst.brier, week.model.brier);
    worst.ece = std::max(worst.ece, week.model.ece);
  }
  return worst;
}

void ChurnEvaluation::on_contribution(const Contribution& contribution) {
  const EventTime at = boundary_of(contribution.epoch);
  const bool is_split = options_.split && at == *options_.split;
  const bool wanted =
      contribution.has_sample && is_refit_epoch(options_.schedule, contribution.epoch) &&
      (!options_.split || at <= *options_.split) && (at >= options_.from || is_split);
  if (!wanted) return;
  std::vector<SampleRow>& sample = samples_[contribution.epoch];
  sample.insert(sample.end(), contribution.sample.begin(), contribution.sample.end());
}

absl::StatusOr<EventTime> ChurnEvaluation::split_of(const ModelTimeline& models,
                                                    EventTime history_end) const {
  const EventTime begin = models.started() ? boundary_of(models.start_epoch()) : history_end;
  const std::string none_fits = fmt::format(
      "no split fits, because it also needs 15 days before it for the first churn model, 105 days "
      "in all, and the input begins at {}",
      to_date(begin));
  if (!options_.split) {
    const auto after = samples_.upper_bound(epoch_of(history_end - kHorizon));
    if (after != samples_.begin()) return boundary_of(std::prev(after)->first);
    return absl::FailedPreconditionError(
        fmt::format("the input ends at {}: {}", to_date(history_end), none_fits));
  }
  const EventTime labels_end = *options_.split + kHorizon;
  if (history_end >= labels_end) return *options_.split;
  const EventTime latest = boundary_of(epoch_of(history_end - kHorizon));
  return absl::InvalidArgumentError(fmt::format(
      "the split {} needs history up to {}, 90 days after it, but the input ends at {}: {}",
      to_date(*options_.split), to_date(labels_end), to_date(history_end),
      latest >= begin + kFirstModel ? "the latest split is " + to_date(latest) : none_fits));
}

absl::StatusOr<ChurnReport> ChurnEvaluation::finish(const ModelTimeline& models,
                                                    const SaleTimes& sales,
                                                    EventTime history_end) const {
  const absl::StatusOr<EventTime> split = split_of(models, history_end);
  if (!split.ok()) return split.status();
  const auto split_sample = samples_.find(epoch_of(*split));
  if (split_sample == samples_.end() || split_sample->second.empty()) {
    return absl::FailedPreconditionError(fmt::format(
        "no customer had bought before the split {}: choose a later one", to_date(*split)));
  }
  ChurnReport report;
  for (const auto& [epoch, sample] : samples_) {
    if (boundary_of(epoch) > *split) break;
    const ModelVersion& version = *models.effective_in(epoch);
    if (!version.churn) {
      ++report.weeks_without_model;
      continue;
    }
    ChurnAssessment week = assess_churn(sample, boundary_of(epoch), *version.churn, sales);
    week.version = version.number;
    report.weeks.push_back(std::move(week));
  }
  if (report.weeks.empty() || report.weeks.back().at != *split) {
    return absl::FailedPreconditionError(
        fmt::format("there was no churn model yet at the split {}: the first one takes two refits "
                    "that see customers, so at least 15 days of history before the split",
                    to_date(*split)));
  }
  report.split = report.weeks.back();
  return report;
}

absl::StatusOr<ChurnReport> ChurnEvaluation::finish(const Lane& lane) const {
  SaleTimes sales;
  EventTime history_end = kBeforeAll;
  for (const Partition* partition : lane.partitions()) {
    partition->rows().for_each([&](const CustomerRow& row) { sales.add(row); });
    history_end = std::max(history_end, partition->meta().watermark);
  }
  return finish(lane.models(), sales, history_end);
}

}  // namespace rfm
