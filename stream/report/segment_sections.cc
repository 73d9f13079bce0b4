// Segments, the grid of scores, countries, and classes of one dimension.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "model/axis_value.h"
#include "model/day.h"
#include "stream/analyse/money_sum.h"
#include "stream/analyse/segmentation_basis.h"
#include "stream/report/figure_text.h"
#include "stream/report/html_text.h"
#include "stream/report/sections.h"
#include "stream/report/svg_chart.h"

namespace rfm {
namespace {

constexpr std::size_t kCountriesListed = 10;
constexpr int kNaturalClasses = 4;

std::string segments_table(const ReportInput& input, std::size_t segmentation,
                           const std::vector<SegmentProfile>& profiles) {
  const ProfileSums& all = input.census.segments().all();
  HtmlTable table("Sizes and means, of all customers; amounts in " + currency_name(input),
                  {{"Segment", Align::kLeft},
                   {"Customers"},
                   {"Share"},
                   {revenue_name(input)},
                   {"Share of it"},
                   {"Orders"},
                   {"Average order"},
                   {"Days since the last"},
                   {"Orders each"},
                   {"Revenue each"},
                   {"Churn risk"},
                   {"Value at risk"}});
  for (const auto& [code, sums] : profiles) {
    table.row({segment_name(input, segmentation, code), count_text(sums.customers),
               percent_text(share_of(sums.customers, all.customers)), amount_text(sums.monetary),
               percent_text(share_of(sums.monetary, all.monetary)), count_text(sums.orders),
               sums.orders > 0 ? number_text(sums.order_value(), 2) : "",
               sums.buyers > 0 ? number_text(sums.recency_days(), 1) : "",
               number_text(sums.frequency(), 2), number_text(sums.monetary_mean(), 2),
               sums.scored > 0 ? percent_text(sums.churn_risk()) : "",
               sums.scored > 0 ? amount_text(sums.value_at_risk) : ""});
  }
  return table.html();
}

// An axis as people call it; one that a map names itself stays as it is.
std::string axis_words(const std::string& axis) {
  static const std::map<std::string, std::string> kWords = {
      {"r", "recency"}, {"f", "frequency"}, {"m", "monetary"}, {"fm", "F+M"}};
  const auto found = kWords.find(axis);
  return found == kWords.end() ? axis : found->second;
}

std::string cut_text(const GridCuts& axis, std::int64_t cut) {
  switch (axis.quantity) {
    case Quantity::kRecency:
      return number_text(static_cast<double>(cut) / kDayMs, 1);
    case Quantity::kMonetary:
    case Quantity::kOrderValue:
    case Quantity::kValue:
      return amount_text({cut});
    case Quantity::kOverdue:
      return number_text(static_cast<double>(cut) / 1'000, 2);
    case Quantity::kRisk:
      return percent_text(static_cast<double>(cut) / kRiskUnits);
    case Quantity::kFrequency:
      return count_text(cut);
  }
  return "";
}

std::string unit_of(const ReportInput& input, Quantity quantity) {
  switch (quantity) {
    case Quantity::kRecency:
      return "days since the last purchase";
    case Quantity::kFrequency:
      return "orders";
    case Quantity::kMonetary:
      return revenue_name(input) + ", " + input.currency;
    case Quantity::kOrderValue:
      return "average order, " + input.currency;
    case Quantity::kOverdue:
      return "silence by the usual gap between purchases";
    case Quantity::kRisk:
      return "churn risk";
    case Quantity::kValue:
      return "expected value of 90 days, " + input.currency;
  }
  return "";
}

std::string class_table(std::string_view caption, std::string_view unit,
                        const std::vector<NaturalClass>& classes, double units, int decimals) {
  HtmlTable table(caption,
                  {{"Score"}, {"Customers"}, {fmt::format("From, {}", unit)}, {"to"}, {"Mean"}});
  for (std::size_t score = classes.size(); score > 0; --score) {
    const NaturalClass& one = classes[score - 1];
    if (one.customers == 0) continue;
    table.row({std::to_string(score - 1), count_text(one.customers),
               number_text(static_cast<double>(one.least) / units, decimals),
               number_text(static_cast<double>(one.most) / units, decimals),
               number_text(one.mean / units, decimals)});
  }
  return table.html();
}

}  // namespace

ReportSection segments_section(const ReportInput& input, std::size_t segmentation) {
  const Rules& rules = input.census.rules();
  const std::string& name = rules.segmentations[segmentation].name();
  const std::vector<SegmentProfile> profiles = input.census.segments().of(rules, segmentation);
  const ProfileSums& all = input.census.segments().all();
  ReportSection section{.id = "segments-" + std::to_string(segmentation),
                        .title = fmt::format("Segments: {}, by {}", name,
                                             basis_text(rules.segmentations[segmentation])),
                        .finding = "There are no customers yet.",
                        .body = ""};
  if (profiles.empty()) return section;
  const auto& [first, most] = *std::ranges::max_element(
      profiles, {}, [](const SegmentProfile& profile) { return profile.sums.monetary; });
  section.finding =
      fmt::format("Of the {} of all customers most comes from {}: {} of them bring {}.",
                  revenue_name(input), segment_name(input, segmentation, first),
                  percent_text(share_of(most.customers, all.customers)),
                  percent_text(share_of(most.monetary, all.monetary)));
  if (all.scored > 0) {
    const auto& [second, risk] = *std::ranges::max_element(
        profiles, {}, [](const SegmentProfile& profile) { return profile.sums.value_at_risk; });
    section.finding += fmt::format(" Most value at risk in the next 90 days is in {}: {}.",
                                   segment_name(input, segmentation, second),
                                   money_text(risk.value_at_risk, input.currency));
  }
  std::vector<ChartBar> bars;
  for (const auto& [code, sums] : profiles) {
    bars.push_back({segment_name(input, segmentation, code), currency_units(sums.monetary),
                    fmt::format("{} ({})", percent_text(share_of(sums.monetary, all.monetary)),
                                percent_text(share_of(sums.customers, all.customers)))});
  }
  section.body = bar_chart("Share of the revenue (and of the customers who bring it)", bars) +
                 segments_table(input, segmentation, profiles);
  return section;
}

bool has_grid(const ReportInput& input, std::size_t segmentation) {
  return score_grid(input.census.rules(), segmentation, input.version, Population{}).axes.size() ==
         2;
}

ReportSection grid_section(const ReportInput& input, std::size_t segmentation) {
  const Segmentation& meaning = input.census.rules().segmentations[segmentation];
  const ScoreGrid grid = input.census.grid(segmentation, input.version);
  ReportSection section{.id = "grid-" + std::to_string(segmentation),
                        .title = "Grid: " + meaning.name(),
                        .finding = "",
                        .body = ""};
  std::map<int, std::map<int, const GridCell*>, std::greater<>> by_row;
  const GridCell* fullest = &grid.cells.front();
  std::int64_t customers = 0;
  for (const GridCell& cell : grid.cells) {
    by_row[cell.scores[0]][cell.scores[1]] = &cell;
    if (cell.customers > fullest->customers) fullest = &cell;
    customers += cell.customers;
  }
  const auto scores_text = [&](const GridCell& cell) {
    return fmt::format("{} {}, {} {}", axis_words(grid.axes[0].name), cell.scores[0],
                       axis_words(grid.axes[1].name), cell.scores[1]);
  };
  const auto names = [&](const GridCell& cell) {
    std::string text;
    for (const std::uint16_t segment : cell.segments)
      (text += text.empty() ? "" : ", ") += meaning.info(segment).name;
    return text;
  };
  section.finding = fmt::format("Of the {} who bought, {} score {} ({}): more than anywhere else.",
                                plural_text(customers, "customer"), count_text(fullest->customers),
                                scores_text(*fullest), names(*fullest));
  std::vector<std::string> rows;
  std::vector<std::string> columns;
  std::vector<std::vector<HeatCell>> cells;
  HtmlTable table("Cells", {{"Scores", Align::kLeft},
                            {"Segments", Align::kLeft},
                            {"Customers"},
                            {revenue_name(input)},
                            {"Median"}});
  for (const auto& [row, by_column] : by_row) {
    rows.push_back(fmt::format("{} {}", axis_words(grid.axes[0].name), row));
    cells.emplace_back();
    for (const auto& [column, cell] : by_column) {
      if (cells.size() == 1)
        columns.push_back(fmt::format("{} {}", axis_words(grid.axes[1].name), column));
      cells.back().push_back({fmt::format("{} {}", count_text(cell->customers), names(*cell)),
                              .8 * share_of(cell->customers, fullest->customers)});
      table.row({scores_text(*cell), names(*cell), count_text(cell->customers),
                 money_text(cell->monetary, input.currency), amount_text(cell->monetary_median)});
    }
  }
  section.body = heat_map("Customers by their scores", rows, columns, cells) + table.html();
  if (std::ranges::any_of(grid.axes, [](const GridAxis& axis) { return axis.name == "fm"; })) {
    section.body +=
        "<p>F+M: the mean of the scores of frequency and monetary, halves rounded up.</p>\n";
  }
  for (const GridCuts& axis : grid.cuts) {
    std::string cuts;
    for (const std::int64_t cut : axis.cuts)
      (cuts += cuts.empty() ? "" : ", ") += cut_text(axis, cut);
    section.body +=
        "<p>" +
        escaped_html(fmt::format("{}: one score ends and the next begins at {} ({}).",
                                 axis_words(axis.name), cuts, unit_of(input, axis.quantity))) +
        "</p>\n";
  }
  return section;
}

ReportSection countries_section(const ReportInput& input) {
  const Rules& rules = input.census.rules();
  const std::size_t segmentation = rules.precedence.front();
  struct Country {
    std::string name;
    std::int64_t customers = 0;
    Money monetary;
    SegmentCountry largest;
  };
  std::vector<Country> countries;
  for (const SegmentCountry& row : input.census.segments().countries(rules, segmentation)) {
    if (countries.empty() || countries.back().name != row.country)
      countries.push_back({row.country, 0, {}, row});
    Country& country = countries.back();
    country.customers += row.customers;
    add_to(country.monetary, row.monetary);
    if (row.monetary > country.largest.monetary) country.largest = row;
  }
  std::ranges::stable_sort(countries, std::greater<>(), &Country::monetary);
  ReportSection section{.id = "countries",
                        .title = "Segments by country",
                        .finding = "There are no customers yet.",
                        .body = ""};
  if (countries.empty()) return section;
  const Money all = input.census.segments().all().monetary;
  const Country& first = countries.front();
  section.finding = fmt::format(
      "{} from {}; those from {} bring {} of the {} of all customers.",
      plural_text(input.census.segments().all().customers, "customer"),
      countries.size() == 1 ? "1 country" : fmt::format("{} countries", countries.size()),
      named(first.name), percent_text(share_of(first.monetary, all)), revenue_name(input));
  std::vector<ChartBar> bars;
  HtmlTable table("By the country of the customer's newest invoice", {{"Country", Align::kLeft},
                                                                      {"Customers"},
                                                                      {revenue_name(input)},
                                                                      {"Share"},
                                                                      {"Most from", Align::kLeft},
                                                                      {"which is"}});
  for (std::size_t i = 0; i < std::min(countries.size(), kCountriesListed); ++i) {
    const Country& one = countries[i];
    bars.push_back(
        {named(one.name), currency_units(one.monetary), money_text(one.monetary, input.currency)});
    table.row({named(one.name), count_text(one.customers), money_text(one.monetary, input.currency),
               percent_text(share_of(one.monetary, all)),
               segment_name(input, segmentation, one.largest.segment),
               percent_text(share_of(one.largest.monetary, one.monetary))});
  }
  section.body = bar_chart("Revenue by country of the customers", bars) + table.html();
  return section;
}

ReportSection natural_classes_section(const ReportInput& input) {
  const NaturalTables tables = input.census.population().natural_tables(kNaturalClasses);
  ReportSection section{.id = "overall-score",
                        .title = "One-dimensional K-Means and the overall score",
                        .finding = "Nobody has bought yet.",
                        .body = ""};
  if (tables.overall.empty()) return section;
  double all = 0;
  double high_money = 0;
  std::int64_t customers = 0;
  std::int64_t high = 0;
  for (const OverallScoreRow& row : tables.overall) {
    const double money = row.monetary * static_cast<double>(row.customers);
    all += money;
    customers += row.customers;
    if (row.score < 5) continue;
    high += row.customers;
    high_money += money;
  }
  section.finding = fmt::format(
      "Of the {} who bought, {} ({}) score 5 or more of 9 and bring {} of their {}. Each of "
      "recency, frequency and monetary is split into {} classes by K-Means on its own; the overall "
      "score is their sum.",
      plural_text(customers, "customer"), count_text(high), percent_text(share_of(high, customers)),
      percent_text(ratio(high_money, all)), revenue_name(input), kNaturalClasses);
  HtmlTable overall("Means by overall score", {{"Overall score"},
                                               {"Customers"},
                                               {"Days since the last"},
                                               {"Orders"},
                                               {revenue_name(input)},
                                               {"Share of it"}});
  for (const OverallScoreRow& row : tables.overall) {
    overall.row({std::to_string(row.score), count_text(row.customers),
                 number_text(row.recency_days, 1), number_text(row.frequency, 2),
                 number_text(row.monetary, 2),
                 percent_text(ratio(row.monetary * static_cast<double>(row.customers), all))});
  }
  section.body =
      overall.html() +
      class_table("Recency: few days score high", "days", tables.recency, kDayMs, 1) +
      class_table("Frequency", "orders", tables.frequency, 1, 1) +
      class_table("Monetary", input.currency, tables.monetary, Money::kUnitsPerCurrencyUnit, 2);
  return section;
}

}  // namespace rfm
