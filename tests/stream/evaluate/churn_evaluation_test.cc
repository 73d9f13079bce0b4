// Goal: every prediction is made by the version that was in effect, and judged by the sales that
// came later and by nothing else.
#include "stream/evaluate/churn_evaluation.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/churn.h"
#include "state/epoch.h"
#include "state/hashes.h"

namespace rfm {
namespace {

constexpr std::int64_t kFriday = 15226;  // 2011-09-09.
constexpr Duration kDay = std::chrono::hours{24};

ChurnModel model() { return {.nbd_r = .8, .nbd_alpha_days = 60, .sd = {1, 1, 1, 1, 1}}; }

CustomerRow customer(const std::string& id, const std::vector<LedgerInvoice>& invoices,
                     const Rules& rules = {}) {
  CustomerRow row;
  row.id = id;
  row.id_hash = customer_hash(id);
  for (const LedgerInvoice& invoice : invoices) row.ledger.put(invoice, rules, kNever);
  return row;
}

LedgerInvoice sale(std::uint64_t number, EventTime time) {
  return {.number_hash = number, .amount = {10'000}, .time = time};
}

LedgerInvoice credit(std::uint64_t number, EventTime time) {
  return {.number_hash = number, .amount = {-10'000}, .time = time, .type = InvoiceType::kCredit};
}

SampleRow sampled(const std::string& id, EventTime at, int age_days, int recency_days) {
  return {.id_hash = customer_hash(id),
          .first_purchase_ms = to_ms(at - age_days * kDay),
          .last_purchase_ms = to_ms(at - recency_days * kDay),
          .monetary = 1'000'000,
          .frequency = age_days == recency_days ? 1U : 2U};
}

TEST(SaleTimes, HoldTheWindowHalfOpenAndCountNoCredits) {
  const EventTime at = boundary_of(kFriday);
  SaleTimes sales;
  sales.add(customer("first instant", {sale(1, at)}));
  sales.add(customer("last instant", {sale(1, at + 90 * kDay)}));
  sales.add(customer("just before", {sale(1, at - Duration{1}), sale(2, at + 91 * kDay)}));
  sales.add(customer("credit", {sale(1, at - kDay), credit(2, at + kDay)}));
  const auto bought = [&](const char* id) {
    return sales.bought(customer_hash(id), at, at + 90 * kDay);
  };
  EXPECT_EQ(bought("first instant"), true);
  EXPECT_EQ(bought("last instant"), false);
  EXPECT_EQ(bought("just before"), false);
  EXPECT_EQ(bought("credit"), false);
  EXPECT_EQ(bought("nobody"), std::nullopt);
}

TEST(SaleTimes, CountFoldedInvoicesAllThroughTheirTime) {
  const EventTime at = boundary_of(kFriday);
  Rules rules;
  rules.ledger_entries_max = 4;
  rules.ledger_fold_age = {};
  std::vector<LedgerInvoice> invoices;
  for (int i = 0; i < 8; ++i)
    invoices.push_back(sale(static_cast<std::uint64_t>(i + 1), at + i * 10 * kDay));
  const CustomerRow row = customer("often", invoices, rules);
  ASSERT_GT(row.ledger.folded().count, 0U);
  SaleTimes sales;
  sales.add(row);
  EXPECT_EQ(sales.bought(row.id_hash, at + kDay, at + 2 * kDay), true);
  EXPECT_EQ(sales.bought(row.id_hash, at - 2 * kDay, at), false);
}

TEST(AssessChurn, ScoresEachCustomerAndLeavesOutTheErased) {
  const EventTime at = boundary_of(kFriday);
  const std::vector<SampleRow> sample = {sampled("a", at, 200, 180), sampled("b", at, 100, 3),
                                         sampled("c", at, 30, 30), sampled("gone", at, 50, 50)};
  SaleTimes sales;
  sales.add(customer("a", {}));
  sales.add(customer("b", {sale(1, at + 5 * kDay)}));
  sales.add(customer("c", {sale(1, at + 40 * kDay)}));
  const ChurnAssessment a = assess_churn(sample, at, model(), sales);
  EXPECT_EQ(a.customers, 3U);
  EXPECT_EQ(a.erased, 1U);
  EXPECT_NEAR(a.churned_share, 1.0 / 3, 1e-12);
  EXPECT_EQ(a.recency_auc, 1.0);
  double brier = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const double risk = churn_risk(model(), churn_input(sample[i], to_ms(at)));
    brier += (risk - (i == 0 ? 1 : 0)) * (risk - (i == 0 ? 1 : 0)) / 3;
  }
  EXPECT_NEAR(a.model.brier, brier, 1e-12);
  // With zero weights the model is its own baseline.
  EXPECT_EQ(a.model.brier, a.nbd.brier);
  EXPECT_EQ(a.model.auc, a.nbd.auc);
}

TEST(AssessChurn, TellsTheModelFromItsNbd) {
  const EventTime at = boundary_of(kFriday);
  const std::vector<SampleRow> sample = {sampled("a", at, 200, 180), sampled("b", at, 100, 3)};
  SaleTimes sales;
  sales.add(customer("a", {}));
  sales.add(customer("b", {sale(1, at + 5 * kDay)}));
  ChurnModel weighted = model();
  weighted.coefficient = {-.5, 0, 0, 0, 0};
  weighted.intercept = .3;
  const ChurnAssessment with = assess_churn(sample, at, weighted, sales);
  const ChurnAssessment without = assess_churn(sample, at, model(), sales);
  EXPECT_NE(with.model.brier, without.model.brier);
  EXPECT_EQ(with.nbd.brier, without.model.brier);
}

// Weekly samples of two customers and a model trained ten days before the split.
class ChurnEvaluationOfTwo : public testing::Test {
 protected:
  ChurnEvaluationOfTwo()
      : evaluation_({.schedule = {.refit_weekday = 4},
                     .from = boundary_of(kFriday - 21),
                     .split = boundary_of(kFriday)}) {
    const std::int64_t first = kFriday - 30;
    models_.start_at(first);
    for (std::int64_t epoch = first; epoch < kFriday; ++epoch) {
      auto version = std::make_shared<ModelVersion>();
      version->trained_epoch = epoch;
      version->number = epoch - first;
      if (epoch >= kFriday - 14) version->churn = model();
      models_.append(std::move(version));
    }
    sales_.add(customer("a", {sale(1, boundary_of(kFriday) + kDay)}));
    sales_.add(customer("b", {}));
  }

  void add(std::int64_t epoch) {
    const EventTime at = boundary_of(epoch);
    Contribution one{.epoch = epoch, .has_sample = true, .sample = {sampled("a", at, 200, 20)}};
    Contribution other = one;
    other.sample = {sampled("b", at, 100, 90)};
    evaluation_.on_contribution(one);
    evaluation_.on_contribution(other);
  }

  ChurnEvaluation evaluation_;
  ModelTimeline models_;
  SaleTimes sales_;
};

TEST_F(ChurnEvaluationOfTwo, ScoresEachWeekByTheVersionInEffect) {
  // Before `from`, not on a Friday, after the split: not wanted.
  for (const std::int64_t days : {28, 21, 14, 10, 7, 0, -7}) add(kFriday - days);
  const auto report = evaluation_.finish(models_, sales_, boundary_of(kFriday + 90));
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->weeks_without_model, 2U);  // What is trained at a boundary is too late for it.
  ASSERT_EQ(report->weeks.size(), 2U);
  EXPECT_EQ(report->weeks[0].at, boundary_of(kFriday - 7));
  EXPECT_EQ(report->weeks[0].version, 22);  // Trained the day before.
  EXPECT_EQ(report->split.at, boundary_of(kFriday));
  EXPECT_EQ(report->split.customers, 2U);
  EXPECT_EQ(report->split.churned_share, .5);
  const ChurnAssessment mean = mean_of(report->weeks);
  EXPECT_EQ(mean.customers, 2U);
  EXPECT_NEAR(mean.model.brier, (report->weeks[0].model.brier + report->weeks[1].model.brier) / 2,
              1e-15);
  const PredictionFigures worst = worst_of(report->weeks);
  EXPECT_EQ(worst.brier, std::max(report->weeks[0].model.brier, report->weeks[1].model.brier));
}

TEST_F(ChurnEvaluationOfTwo, RefusesASplitWhoseLabelsAreNotKnownYet) {
  add(kFriday);
  const auto report = evaluation_.finish(models_, sales_, boundary_of(kFriday + 90) - Duration{1});
  EXPECT_EQ(report.status().code(), absl::StatusCode::kInvalidArgument);
  const std::string message(report.status().message());
  EXPECT_NE(message.find("2011-12-08"), std::string::npos) << message;
  EXPECT_NE(message.find("the latest split is 2011-09-08"), std::string::npos) << message;
}

TEST_F(ChurnEvaluationOfTwo, SaysWhatAHistoryNeedsThatIsTooShortForAnySplit) {
  add(kFriday);
  // It begins 30 days before the split.
  for (const auto& [days, fits] : {std::pair(75, true), std::pair(74, false)}) {
    const auto report = evaluation_.finish(models_, sales_, boundary_of(kFriday + days));
    EXPECT_EQ(report.status().code(), absl::StatusCode::kInvalidArgument);
    const std::string message(report.status().message());
    EXPECT_EQ(message.find("the latest split is 2011-08-25") != std::string::npos, fits) << message;
    EXPECT_EQ(
        message.find("105 days in all, and the input begins at 2011-08-10") != std::string::npos,
        !fits)
        << message;
  }
}

TEST_F(ChurnEvaluationOfTwo, SaysWhereThereAreNoCustomersOrNoModelYet) {
  const EventTime end = boundary_of(kFriday + 90);
  const auto empty = evaluation_.finish(models_, sales_, end);
  EXPECT_EQ(empty.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(std::string(empty.status().message()).find("no customer had bought"),
            std::string::npos);
  add(kFriday);
  const auto untrained = evaluation_.finish(ModelTimeline(), sales_, end);
  EXPECT_EQ(untrained.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(std::string(untrained.status().message()).find("no churn model yet"),
            std::string::npos);
}

TEST(MeanOf, LeavesAbsentAreasOut) {
  std::vector<ChurnAssessment> weeks(2);
  weeks[0].model.auc = .7;
  EXPECT_EQ(mean_of(weeks).model.auc, .7);
  EXPECT_FALSE(mean_of(weeks).nbd.auc);
  EXPECT_EQ(worst_of(weeks).auc, .7);
}

}  // namespace
}  // namespace rfm
