// Best customers, concentration, and who spends less.
#include <fmt/format.h>

#include <algorithm>

#include "model/day.h"
#include "state/evaluation.h"
#include "stream/analyse/money_sum.h"
#include "stream/report/figure_text.h"
#include "stream/report/html_text.h"
#include "stream/report/sections.h"
#include "stream/report/svg_chart.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr std::size_t kListed = 10;
constexpr std::size_t kSpendsLessListed = 15;
constexpr std::size_t kCurvePoints = 100;

std::vector<ListedCustomer> first_of(std::vector<ListedCustomer> customers, std::size_t count) {
  customers.resize(std::min(customers.size(), count));
  return customers;
}

std::string customers_table(const ReportInput& input, std::string_view caption,
                            const std::vector<ListedCustomer>& customers) {
  const std::size_t shown = input.census.rules().precedence.front();
  HtmlTable table(caption, {{"Customer", Align::kLeft},
                            {"Country", Align::kLeft},
                            {"Orders"},
                            {"Days since the last"},
                            {revenue_name(input)},
                            {"Average order"},
                            {"Segment", Align::kLeft}});
  for (const ListedCustomer& customer : customers) {
    const CustomerFacts& facts = customer.facts;
    table.row({customer.id, customer.country, count_text(facts.frequency),
               number_text(recency_days(facts), 0), money_text(facts.monetary, input.currency),
               number_text(ratio(currency_units(facts.monetary), facts.frequency), 2),
               segment_name(input, shown, customer.segments[shown])});
  }
  return table.html();
}

}  // namespace

ReportSection overview_section(const ReportInput& input) {
  const ProfileSums& all = input.census.segments().all();
  const std::vector<Cohort> cohorts = input.census.cohorts().all();
  ReportSection section{
      .id = "overview", .title = "All customers", .finding = "Nobody has bought yet.", .body = ""};
  const std::optional<PopulationMedians> medians = input.census.population().medians();
  if (!medians) return section;
  const Money bought = input.census.population().concentration(1).back().monetary;
  const auto buyers = static_cast<double>(all.buyers);
  const auto orders = static_cast<double>(all.orders);
  section.finding = fmt::format(
      "{} bought {} since {} for {} ({} of the customers who bought); an order is worth {} {} on "
      "average.",
      plural_text(all.buyers, "customer"), plural_text(all.orders, "time"),
      month_text(cohorts.front().month), money_text(bought, input.currency), revenue_name(input),
      number_text(ratio(currency_units(bought), orders), 2), input.currency);
  if (all.customers > all.buyers) {
    section.finding += fmt::format(
        " {} more {} no order that counts; all {} together make {}.",
        count_text(all.customers - all.buyers), all.customers - all.buyers == 1 ? "has" : "have",
        count_text(all.customers), money_text(all.monetary, input.currency));
  }
  HtmlTable table("Mean and median of the customers who bought",
                  {{"", Align::kLeft}, {"Mean"}, {"Median"}});
  table.row({"Days since the last purchase", number_text(all.recency_days(), 1),
             number_text(static_cast<double>(medians->recency_ms) / kDayMs, 1)});
  table.row({"Orders", number_text(ratio(orders, buyers), 2), count_text(medians->frequency)});
  table.row({revenue_name(input) + (input.currency.empty() ? "" : ", " + input.currency),
             number_text(ratio(currency_units(bought), buyers), 2),
             amount_text(medians->monetary)});
  section.body = table.html();
  return section;
}

ReportSection best_customers_section(const ReportInput& input) {
  const std::vector<ListedCustomer> by_money =
      first_of(input.census.best_by_monetary().sorted(), kListed);
  const std::vector<ListedCustomer> by_orders =
      first_of(input.census.best_by_frequency().sorted(), kListed);
  ReportSection section{
      .id = "best", .title = "Best customers", .finding = "Nobody has bought yet.", .body = ""};
  if (by_money.empty()) return section;
  const Money all = input.census.segments().all().monetary;
  Money best;
  std::vector<ChartBar> bars;
  for (const ListedCustomer& customer : by_money) {
    add_to(best, customer.facts.monetary);
    bars.push_back({customer.id, currency_units(customer.facts.monetary),
                    money_text(customer.facts.monetary, input.currency)});
  }
  section.finding = fmt::format(
      "Customer {} brought most: {}, {} of the {} of all customers. The best {} together bring {}. "
      "Customer {} bought most often: {}.",
      by_money.front().id, money_text(by_money.front().facts.monetary, input.currency),
      percent_text(share_of(by_money.front().facts.monetary, all)), revenue_name(input),
      by_money.size(), percent_text(share_of(best, all)), by_orders.front().id,
      plural_text(by_orders.front().facts.frequency, "time"));
  section.body =
      bar_chart(fmt::format("The {} customers of most {}", by_money.size(), revenue_name(input)),
                bars) +
      customers_table(input, "By " + revenue_name(input), by_money) +
      customers_table(input, "By number of orders", by_orders);
  if (input.best_by_units.empty()) return section;
  HtmlTable units("By quantity, less what came back", {{"Customer", Align::kLeft}, {"Units"}});
  for (std::size_t i = 0; i < std::min(input.best_by_units.size(), kListed); ++i) {
    const CustomerUnits& one = input.best_by_units[i];
    units.row({one.customer_id,
               number_text(static_cast<double>(one.units) / Money::kUnitsPerCurrencyUnit, 0)});
  }
  section.body += units.html();
  return section;
}

ReportSection concentration_section(const ReportInput& input) {
  const Population& population = input.census.population();
  const std::vector<ConcentrationPoint> curve = population.concentration(kCurvePoints);
  const auto buyers = static_cast<std::int64_t>(population.size());
  const Money all = curve.back().monetary;
  ReportSection section{.id = "concentration",
                        .title = "How few bring how much",
                        .finding = "There is no revenue yet.",
                        .body = ""};
  if (all <= Money{}) return section;
  constexpr double kMost = .8;
  section.finding = fmt::format(
      "The best {} of the customers who bought bring 80 % of their {}; the best 20 % bring {}.",
      percent_text(share_of(population.customers_for(kMost), buyers)), revenue_name(input),
      percent_text(share_of(curve[kCurvePoints / 5].monetary, all)));
  std::vector<ChartPoint> points;
  HtmlTable table("The best customers and their share, of the customers who bought",
                  {{"Of the customers"}, {"Customers"}, {revenue_name(input)}, {"Share"}});
  for (std::size_t i = 0; i < curve.size(); ++i) {
    points.push_back({share_of(curve[i].customers, buyers), share_of(curve[i].monetary, all)});
    if (i == 0 || (i % 10 != 0 && i != 1 && i != 5)) continue;
    table.row({fmt::format("{} %", i), count_text(curve[i].customers),
               money_text(curve[i].monetary, input.currency),
               percent_text(share_of(curve[i].monetary, all))});
  }
  section.body =
      share_chart("Share of the revenue by share of the customers, the best first",
                  "Share of the customers", "Share of the " + revenue_name(input), points) +
      table.html();
  return section;
}

ReportSection spends_less_section(const ReportInput& input) {
  const SpendsLessList& list = input.census.spends_less();
  const std::vector<SpendsLess> customers = list.sorted();
  ReportSection section{.id = "spends-less",
                        .title = "Buy often, spend less",
                        .finding = "No customer with at least 6 orders spends less than before.",
                        .body = ""};
  if (customers.empty()) return section;
  section.finding = fmt::format(
      "{} customers with at least 6 orders spend less an order in the newer half of their orders "
      "than in the half before; at the former value those orders would have brought {} more.",
      count_text(list.customers()), money_text(list.missing(), input.currency));
  HtmlTable table("Those who leave most out", {{"Customer", Align::kLeft},
                                               {"Orders"},
                                               {"Average order before"},
                                               {"Average order now"},
                                               {"Change"},
                                               {"Missing"}});
  for (std::size_t i = 0; i < std::min(customers.size(), kSpendsLessListed); ++i) {
    const SpendsLess& one = customers[i];
    table.row({one.customer_id, count_text(one.frequency), number_text(one.order_value_before(), 2),
               number_text(one.order_value(), 2),
               percent_text(ratio(one.order_value(), one.order_value_before()) - 1),
               money_text(one.missing(), input.currency)});
  }
  section.body = table.html();
  return section;
}

}  // namespace rfm
