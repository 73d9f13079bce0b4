// Cohorts, lost customers, churn risk and how good it was.
#include <fmt/format.h>

#include <algorithm>

#include "model/axis_value.h"
#include "state/evaluation.h"
#include "stream/analyse/money_sum.h"
#include "stream/report/figure_text.h"
#include "stream/report/html_text.h"
#include "stream/report/sections.h"
#include "stream/report/svg_chart.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr std::size_t kMonthsShown = 13;
constexpr std::size_t kAtRiskListed = 15;

bool is_complete(const ReportInput& input, CalendarMonth month) {
  return month_start(month + 1) <= input.census.as_of();
}

// Of those whose second month is over, how many bought in it.
struct SecondMonth {
  std::int64_t customers = 0;
  std::int64_t buyers = 0;
};
SecondMonth second_month(const ReportInput& input, const std::vector<Cohort>& cohorts) {
  SecondMonth sum;
  for (const Cohort& cohort : cohorts) {
    if (!is_complete(input, cohort.month + 1)) continue;
    sum.customers += cohort.customers;
    sum.buyers += cohort.until(cohort.month + 1).back().buyers;
  }
  return sum;
}

std::string auc_text(const std::optional<double>& auc) {
  return auc ? fmt::format("{:.3f}", *auc) : "-";
}

// The share lost among the tenth of highest risk, by that of all.
double lift_of(const ChurnAssessment& split) {
  return split.calibration.empty()
             ? 0
             : ratio(split.calibration.back().happened_share, split.churned_share);
}

// What the first and the last row of the calibration say.
std::string tenths_text(const ChurnAssessment& split) {
  if (split.calibration.empty()) return "";
  constexpr double kAlike = .02;
  const CalibrationBin& low = split.calibration.front();
  const CalibrationBin& high = split.calibration.back();
  const double excess = high.score_mean - high.happened_share;
  return fmt::format(
      " The tenth of highest risk was given {} on average, and {} of them bought nothing: the "
      "highest risks were {}. In the tenth of lowest risk it was {} and {}.",
      percent_text(high.score_mean), percent_text(high.happened_share),
      excess > kAlike    ? "overstated"
      : excess < -kAlike ? "understated"
                         : "about right",
      percent_text(low.score_mean), percent_text(low.happened_share));
}

std::string calibration_part(const ChurnAssessment& split) {
  std::vector<ChartPoint> points;
  HtmlTable table("Customers in ten groups by their risk, and what came true",
                  {{"Risk from"}, {"to"}, {"Customers"}, {"Mean risk"}, {"Lost"}});
  for (const CalibrationBin& bin : split.calibration) {
    points.push_back({bin.score_mean, bin.happened_share});
    table.row({percent_text(bin.score_min), percent_text(bin.score_max),
               count_text(static_cast<std::int64_t>(bin.count)), percent_text(bin.score_mean),
               percent_text(bin.happened_share)});
  }
  return share_chart("What came true by what was predicted; the diagonal is perfect",
                     "Predicted risk", "Share that bought nothing in the 90 days after", points) +
         table.html();
}

}  // namespace

ReportSection cohorts_section(const ReportInput& input) {
  const std::vector<Cohort> cohorts = input.census.cohorts().all();
  ReportSection section{.id = "retention",
                        .title = "Who comes back",
                        .finding = "Nobody has bought yet.",
                        .body = ""};
  if (cohorts.empty()) return section;
  const auto& largest = *std::ranges::max_element(cohorts, {}, &Cohort::customers);
  const SecondMonth second = second_month(input, cohorts);
  section.finding = fmt::format("Most customers, {}, first bought in {}.",
                                count_text(largest.customers), month_text(largest.month));
  if (second.customers > 0) {
    section.finding += fmt::format(" Of {} customers whose second month is over {} bought in it.",
                                   count_text(second.customers),
                                   percent_text(share_of(second.buyers, second.customers)));
  }
  const CalendarMonth last = calendar_month_of(input.census.as_of());
  const auto first = static_cast<std::size_t>(
      std::max<std::ptrdiff_t>(0, std::ssize(cohorts) - std::ptrdiff_t{kMonthsShown}));
  std::vector<std::string> rows;
  std::vector<std::string> columns = {"new"};
  std::vector<std::vector<HeatCell>> cells;
  HtmlTable table("Revenue since the first purchase, sales less credits",
                  {{"First purchase", Align::kLeft},
                   {"Customers"},
                   {"Revenue"},
                   {"Revenue each"},
                   {"Bought in the last full month"}});
  for (std::size_t m = 0; m < kMonthsShown; ++m) columns.push_back(fmt::format("+{}", m));
  for (std::size_t c = first; c < cohorts.size(); ++c) {
    const Cohort& cohort = cohorts[c];
    rows.push_back(month_text(cohort.month));
    cells.push_back({{count_text(cohort.customers), 0}});
    Money revenue;
    std::string newest;
    for (const CohortMonth& month : cohort.until(last)) {
      add_to(revenue, month.revenue);
      const double share = share_of(month.buyers, cohort.customers);
      const bool complete = is_complete(input, month.month);
      if (complete && month.month > cohort.month) newest = percent_text(share);
      if (cells.back().size() <= kMonthsShown) {
        cells.back().push_back({fmt::format("{:.0f} %", share * 100), .8 * share, !complete});
      }
    }
    table.row(
        {month_text(cohort.month), count_text(cohort.customers),
         money_text(revenue, input.currency),
         number_text(ratio(currency_units(revenue), static_cast<double>(cohort.customers)), 2),
         newest});
  }
  section.body = heat_map(
                     "Share of each month's new customers who bought again, by months since; "
                     "hatched: the month is not over",
                     rows, columns, cells) +
                 table.html();
  return section;
}

ReportSection lost_section(const ReportInput& input) {
  std::vector<LostMonth> months = input.census.lost().all();
  ReportSection section{.id = "lost",
                        .title = "Customers lost by month",
                        .finding = "Nobody has been silent for 90 days yet.",
                        .body = ""};
  if (months.empty()) return section;
  std::int64_t lost = 0;
  std::int64_t regained = 0;
  for (const LostMonth& month : months) {
    lost += month.lost;
    regained += month.regained;
  }
  const auto& worst = *std::ranges::max_element(months, {}, &LostMonth::lost);
  section.finding = fmt::format(
      "{} times a customer bought nothing for 90 days; {} times one came back after that ({}). "
      "Most were lost in {}: {}.",
      count_text(lost), count_text(regained), percent_text(share_of(regained, lost)),
      month_text(worst.month), count_text(worst.lost));
  ColumnSeries lost_series{.name = "lost", .values = {}};
  ColumnSeries regained_series{.name = "came back", .values = {}};
  std::vector<std::string> labels;
  HtmlTable table("Lost on the 90th day without a purchase, and came back",
                  {{"Month", Align::kLeft}, {"Lost"}, {"Came back"}});
  for (const LostMonth& month : months) {
    labels.push_back(month_text(month.month));
    lost_series.values.push_back(static_cast<double>(month.lost));
    regained_series.values.push_back(static_cast<double>(month.regained));
    table.row({month_text(month.month) + (is_complete(input, month.month) ? "" : " (not over)"),
               count_text(month.lost), count_text(month.regained)});
  }
  section.body = column_chart("Customers lost and come back by month", labels,
                              {lost_series, regained_series}) +
                 table.html();
  return section;
}

ReportSection risk_section(const ReportInput& input) {
  const ProfileSums& all = input.census.segments().all();
  ReportSection section{.id = "risk",
                        .title = "Churn risk and value at risk",
                        .finding = "There is no churn model yet: it takes some weeks of history.",
                        .body = ""};
  if (all.scored == 0) return section;
  std::int64_t high = 0;
  Money high_value;
  ColumnSeries series{.name = "customers", .values = {}};
  std::vector<std::string> labels;
  const RiskHistogram& histogram = input.census.risk();
  HtmlTable table("Customers by churn risk",
                  {{"Risk", Align::kLeft}, {"Customers"}, {"Value at risk"}});
  constexpr int kHighBin = kRiskBins * 2 / 3;
  for (int i = 0; i < kRiskBins; ++i) {
    const RiskBin& bin = histogram.at(static_cast<std::size_t>(i));
    labels.push_back(fmt::format("{} %", i * 100 / kRiskBins));
    series.values.push_back(static_cast<double>(bin.customers));
    table.row({fmt::format("{} - {} %", i * 100 / kRiskBins, (i + 1) * 100 / kRiskBins),
               count_text(bin.customers), money_text(bin.value_at_risk, input.currency)});
    if (i < kHighBin) continue;
    high += bin.customers;
    add_to(high_value, bin.value_at_risk);
  }
  section.finding = fmt::format(
      "Of the {} who bought, {} {} a churn risk (of buying nothing in the next 90 days) of {} % or "
      "more. {} are at risk in all, {} with them.",
      plural_text(all.scored, "customer"), count_text(high), high == 1 ? "has" : "have",
      kHighBin * 100 / kRiskBins, money_text(all.value_at_risk, input.currency),
      money_text(high_value, input.currency));
  HtmlTable top("Customers with most at risk", {{"Customer", Align::kLeft},
                                                {"Days since the last"},
                                                {"Orders"},
                                                {"Churn risk"},
                                                {"Value at risk"}});
  const std::vector<ListedCustomer> customers = input.census.most_at_risk().sorted();
  for (std::size_t i = 0; i < std::min(customers.size(), kAtRiskListed); ++i) {
    const ListedCustomer& one = customers[i];
    top.row({one.id, number_text(recency_days(one.facts), 0), count_text(one.facts.frequency),
             percent_text(static_cast<double>(one.risk.value_or(0)) / kRiskUnits),
             money_text(one.value_at_risk, input.currency)});
  }
  section.body = column_chart("Customers by churn risk", labels, {series}) + table.html() +
                 top.html() +
                 "<p>Value at risk: the risk times what the customer spent, less credits, in the "
                 "365 days before, for 90 days of it.</p>\n";
  return section;
}

ReportSection churn_figures_section(const ReportInput& input) {
  ReportSection section{.id = "churn-figures",
                        .title = "How good the churn risk was",
                        .finding = input.churn_missing,
                        .body = ""};
  if (input.churn == nullptr) return section;
  const ChurnAssessment& split = input.churn->split;
  section.finding = fmt::format(
      "On {} each of {} customers was given a risk; {} of them bought nothing in the 90 days "
      "after. Of two customers, one lost and one not, the lost one had the higher risk in {} of "
      "100 cases. Among the tenth of highest risk {:.2f} times as many were lost as among all.",
      to_date(split.at), count_text(static_cast<std::int64_t>(split.customers)),
      percent_text(split.churned_share),
      split.model.auc ? fmt::format("{:.0f}", *split.model.auc * 100) : "-", lift_of(split));
  section.finding += tenths_text(split);
  const ChurnAssessment mean = mean_of(input.churn->weeks);
  HtmlTable table("Figures", {{"", Align::kLeft},
                              {"AUC"},
                              {"Brier"},
                              {"Calibration error"},
                              {"Lift of the highest tenth"}});
  table.row({"This model", auc_text(split.model.auc), fmt::format("{:.3f}", split.model.brier),
             fmt::format("{:.3f}", split.model.ece), fmt::format("{:.2f}", lift_of(split))});
  table.row({"Purchase rate alone (NBD)", auc_text(split.nbd.auc),
             fmt::format("{:.3f}", split.nbd.brier), fmt::format("{:.3f}", split.nbd.ece), ""});
  table.row({"Days since the last purchase alone", auc_text(split.recency_auc), "", "", ""});
  table.row({fmt::format("This model, mean of {} weeks", input.churn->weeks.size()),
             auc_text(mean.model.auc), fmt::format("{:.3f}", mean.model.brier),
             fmt::format("{:.3f}", mean.model.ece), ""});
  section.body =
      calibration_part(split) + table.html() +
      fmt::format(
          "<p>Nothing was scored by a model that had seen what it predicts. "
          "<code>evaluate churn</code> judges at a date of its own, so its figures differ; "
          "with <code>--split {}</code> they are these.</p>\n",
          to_date(split.at));
  return section;
}

}  // namespace rfm
