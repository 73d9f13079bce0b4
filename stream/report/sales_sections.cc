// Sales by month, country, weekday and hour, and product: of everybody, also of those without a
// name.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <optional>

#include "state/sales_book.h"
#include "stream/analyse/money_sum.h"
#include "stream/report/figure_text.h"
#include "stream/report/html_text.h"
#include "stream/report/sections.h"
#include "stream/report/svg_chart.h"

namespace rfm {
namespace {

constexpr std::size_t kCountriesListed = 15;
constexpr std::size_t kProductsListed = 15;
constexpr std::size_t kHoursOfDay = 24;
constexpr std::array<std::string_view, 7> kWeekdays = {
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

std::string units_text(std::int64_t units) {
  return number_text(static_cast<double>(units) / Money::kUnitsPerCurrencyUnit, 0);
}

ReportSection empty_section(std::string id, std::string title) {
  return {.id = std::move(id),
          .title = std::move(title),
          .finding = "The state keeps no sales.",
          .body = ""};
}

// Else nobody has said what it is, or it is of those that are not counted apart.
bool is_one(std::string_view name) { return !name.empty() && name != kOtherName; }

// How the book of a table counts.
enum class Counted : unsigned char { kApart, kInOne };

std::vector<std::string> sums_row(const std::string& name, const SalesSums& sums, Money all,
                                  Counted counted) {
  std::vector<std::string> row = {name, amount_text(sums.gross), amount_text(sums.credits),
                                  amount_text(sums.net()), percent_text(share_of(sums.net(), all))};
  if (counted == Counted::kApart) {
    row.push_back(count_text(sums.invoices));
    row.push_back(count_text(sums.unnamed_records));
  } else {
    row.push_back(count_text(sums.invoices_and_unnamed_sales));
  }
  row.push_back(units_text(sums.units));
  return row;
}

HtmlTable sums_table(const ReportInput& input, std::string_view caption, std::string_view name,
                     Counted counted) {
  std::vector<HtmlTable::Column> columns = {
      {std::string(name), Align::kLeft}, {"Gross"}, {"Credits"}, {"Net"}, {"Share"}};
  if (counted == Counted::kApart) {
    columns.push_back({"Invoices of customers"});
    columns.push_back({"Records without a customer"});
  } else {
    columns.push_back({"Invoices, and sales without a customer by record"});
  }
  columns.push_back({"Units"});
  return HtmlTable(fmt::format("{}; amounts in {}", caption, currency_name(input)), columns);
}

}  // namespace

ReportSection sales_months_section(const ReportInput& input) {
  ReportSection section = empty_section("sales-months", "Sales by month");
  if (input.sales.empty()) return section;
  const std::vector<NamedSales> months = input.sales.months();
  const SalesSums all = input.sales.all();
  const SalesSums unnamed = input.sales.unnamed();
  const auto& best = *std::ranges::max_element(
      months, {}, [](const NamedSales& month) { return month.sums.net(); });
  section.finding = fmt::format(
      "Sales of {} less credits of {}, of everybody, make net sales of {}. {} was the best month: "
      "{}. {} of the net sales are without a customer.",
      money_text(all.gross, input.currency), money_text(all.credits, input.currency),
      money_text(all.net(), input.currency), best.name, money_text(best.sums.net(), input.currency),
      percent_text(share_of(unnamed.net(), all.net())));
  std::vector<std::string> labels;
  ColumnSeries net{.name = "net", .values = {}};
  HtmlTable table = sums_table(input, "By month (UTC)", "Month", Counted::kApart);
  for (const NamedSales& month : months) {
    labels.push_back(month.name);
    net.values.push_back(currency_units(month.sums.net()));
    table.row(sums_row(month.name, month.sums, all.net(), Counted::kApart));
  }
  table.row(sums_row("all", all, all.net(), Counted::kApart), HtmlTable::Row::kSum);
  if (unnamed.unnamed_records > 0) {
    table.row(sums_row("of which without a customer", unnamed, all.net(), Counted::kApart),
              HtmlTable::Row::kSum);
  }
  section.body = column_chart("Net sales by month", labels, {net}) + table.html();
  return section;
}

ReportSection sales_countries_section(const ReportInput& input) {
  ReportSection section = empty_section("sales-countries", "Sales by country");
  if (input.sales.empty()) return section;
  const std::vector<NamedSales> countries = input.sales.countries();
  const Money all = input.sales.all().net();
  const auto best = std::ranges::find_if(
      countries, [](const NamedSales& country) { return is_one(country.name); });
  if (best == countries.end()) {
    section.finding = "No sale names its country.";
  } else {
    const double share = share_of(best->sums.net(), all);
    section.finding =
        countries.size() == 1
            ? fmt::format("All sales are in {}.", best->name)
            : fmt::format("{} brings {} of the net sales, everywhere else together {}.", best->name,
                          percent_text(share), percent_text(1 - share));
  }
  std::vector<ChartBar> bars;
  HtmlTable table = sums_table(input, "By country of the sale", "Country", Counted::kApart);
  for (std::size_t i = 0; i < std::min(countries.size(), kCountriesListed); ++i) {
    const NamedSales& country = countries[i];
    bars.push_back({named(country.name), currency_units(country.sums.net()),
                    money_text(country.sums.net(), input.currency)});
    table.row(sums_row(named(country.name), country.sums, all, Counted::kApart));
  }
  section.body = bar_chart("Net sales by country", bars) + table.html();
  return section;
}

ReportSection sales_hours_section(const ReportInput& input) {
  ReportSection section = empty_section("sales-hours", "Sales by weekday and hour");
  if (input.sales.empty()) return section;
  const std::array<SalesSums, kHoursOfWeek> week = input.sales.week();
  std::array<SalesSums, kWeekdays.size()> days{};
  std::size_t fullest = 0;
  for (std::size_t hour = 0; hour < week.size(); ++hour) {
    days.at(hour / kHoursOfDay).add(week.at(hour));
    if (week.at(hour).net() > week.at(fullest).net()) fullest = hour;
  }
  const auto best = static_cast<std::size_t>(
      std::ranges::max_element(days, {}, [](const SalesSums& sums) { return sums.net(); }) -
      days.begin());
  const Money all = input.sales.all().net();
  section.finding = fmt::format(
      "{} brings most, {} of the net sales; the hour that brings most is {} from {}:00 UTC: {}.",
      kWeekdays.at(best), percent_text(share_of(days.at(best).net(), all)),
      kWeekdays.at(fullest / kHoursOfDay), fullest % kHoursOfDay,
      money_text(week.at(fullest).net(), input.currency));
  HtmlTable table = sums_table(input, "By weekday (UTC)", "Weekday", Counted::kInOne);
  std::vector<std::string> rows;
  std::vector<std::string> columns;
  std::vector<std::vector<HeatCell>> cells;
  for (std::size_t hour = 0; hour < kHoursOfDay; ++hour) columns.push_back(std::to_string(hour));
  for (std::size_t day = 0; day < days.size(); ++day) {
    table.row(sums_row(std::string(kWeekdays.at(day)), days.at(day), all, Counted::kInOne));
    rows.emplace_back(kWeekdays.at(day));
    cells.emplace_back();
    for (std::size_t hour = 0; hour < kHoursOfDay; ++hour) {
      const Money net = week.at(day * kHoursOfDay + hour).net();
      const double thousands = currency_units(net) / 1'000;
      cells.back().push_back(
          {net.units == 0 ? "" : fmt::format("{:.0f}", std::round(thousands) + 0.),
           .8 * share_of(net, week.at(fullest).net())});
    }
  }
  section.body =
      heat_map("Net sales by weekday and hour (UTC), in thousands", rows, columns, cells) +
      table.html();
  return section;
}

ReportSection sales_products_section(const ReportInput& input) {
  ReportSection section = empty_section("sales-products", "Sales by product");
  if (input.sales.empty()) return section;
  std::vector<ProductSales> products = input.sales.products_in_all();
  std::optional<ProductSales> others;
  if (const auto found = std::ranges::find(products, kOtherName, &ProductSales::product);
      found != products.end())
    others = *found;
  std::erase_if(products, [](const ProductSales& one) { return !is_one(one.product); });
  if (products.empty()) {
    section.finding = "No sale names its products.";
    return section;
  }
  const Money all = input.sales.all().net();
  const ProductSales first = products.front();
  Money best;
  const std::size_t listed = std::min(products.size(), kProductsListed);
  for (std::size_t i = 0; i < listed; ++i) add_to(best, products[i].sums.net());
  section.finding = fmt::format(
      "Of {}{} {}{} brings most: {}. The best {} bring {} of the net sales.",
      plural_text(std::ssize(products), "product"), others ? " counted apart" : "", first.product,
      first.description.empty() ? "" : fmt::format(" ({})", first.description),
      money_text(first.sums.net(), input.currency), listed, percent_text(share_of(best, all)));
  const auto table = [&](std::string_view caption) {
    HtmlTable made(fmt::format("{}; amounts in {}", caption, currency_name(input)),
                   {{"Stock code", Align::kLeft},
                    {"Description", Align::kLeft},
                    {"Net"},
                    {"Share"},
                    {"Credits"},
                    {"Units"}});
    const auto cells = [&](const ProductSales& one) {
      return std::vector<std::string>{one.product,
                                      one.description,
                                      amount_text(one.sums.net()),
                                      percent_text(share_of(one.sums.net(), all)),
                                      amount_text(one.sums.credits),
                                      units_text(one.sums.units)};
    };
    for (std::size_t i = 0; i < listed; ++i) made.row(cells(products[i]));
    if (others) made.row(cells(*others), HtmlTable::Row::kSum);
    return made.html();
  };
  std::vector<ChartBar> bars;
  for (std::size_t i = 0; i < listed; ++i) {
    const ProductSales& one = products[i];
    bars.push_back({one.description.empty() ? one.product : one.description,
                    currency_units(one.sums.net()), money_text(one.sums.net(), input.currency)});
  }
  section.body = bar_chart("Net sales of the best products", bars) + table("By net sales");
  std::ranges::stable_sort(products, std::greater<>(),
                           [](const ProductSales& one) { return one.sums.units; });
  section.body += table("By units");
  return section;
}

}  // namespace rfm
