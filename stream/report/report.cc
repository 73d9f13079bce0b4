#include "stream/report/report.h"

#include <fmt/format.h>

#include <iterator>

#include "stream/report/figure_text.h"
#include "stream/report/html_text.h"
#include "stream/report/report_style.h"
#include "stream/report/sections.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr std::string_view kDefinitions =
    "<li>An order is an invoice with its own number. One that its credits take back as a whole "
    "counts neither as an order nor as the last purchase, if they name its invoice. A credit that "
    "names none, as in the Online Retail data, takes its money off and leaves the order.</li>\n"
    "<li>Shares of the customers in segments are of all customers, also of those without an order "
    "that counts (<em>no purchase</em>).</li>\n"
    "<li>Cohorts, lost customers and those who spend less are told from the customers' invoices, "
    "sales less credits, each on its own day.</li>\n"
    "<li>Lost: 90 days without an order, booked on the 90th day. With the next order the customer "
    "has come back.</li>\n"
    "<li>Sales by month, country, hour and product are of everybody, with a customer or without, "
    "as known now; credits subtract on their own day. Times are UTC.</li>\n"
    "<li>Adjustments, which are the rows of a sheet whose invoice number is an A and digits (in "
    "Online Retail, of bad debt), are no sales and in no sum.</li>\n"
    "<li>Sales without a customer are counted by record: each line, where they come as lines, "
    "because nothing says which are one invoice.</li>\n"
    "<li>The churn risk is the probability of no order in the next 90 days.</li>\n";

// The sums that are of unlike people, each with its name.
std::string sums_text(const ReportInput& input) {
  const ProfileSums& all = input.census.segments().all();
  std::string text = fmt::format(
      "<li>The {0} of all customers, {1}, is also of those without an order that counts, who may "
      "have credits; that of the customers who bought is {2}.",
      revenue_name(input), money_text(all.monetary, input.currency),
      money_text(input.census.population().concentration(1).back().monetary, input.currency));
  if (!input.sales.empty()) {
    text += fmt::format(" Net sales, {}, are of everybody, with a customer or without.",
                        money_text(input.sales.all().net(), input.currency));
  }
  return text + "</li>\n";
}

std::vector<ReportSection> sections_of(const ReportInput& input) {
  std::vector<ReportSection> sections = {overview_section(input), best_customers_section(input),
                                         concentration_section(input)};
  const Rules& rules = input.census.rules();
  for (const std::size_t s : rules.precedence) {
    sections.push_back(segments_section(input, s));
    if (has_grid(input, s)) sections.push_back(grid_section(input, s));
  }
  sections.push_back(natural_classes_section(input));
  sections.push_back(cluster_counts_section(input));
  sections.push_back(countries_section(input));
  sections.push_back(cohorts_section(input));
  sections.push_back(lost_section(input));
  sections.push_back(spends_less_section(input));
  sections.push_back(sales_months_section(input));
  sections.push_back(sales_countries_section(input));
  sections.push_back(sales_hours_section(input));
  sections.push_back(sales_products_section(input));
  sections.push_back(risk_section(input));
  sections.push_back(churn_figures_section(input));
  return sections;
}

}  // namespace

std::string report_html(const ReportInput& input) {
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n"
      "<title>Customers as of {0}</title>\n<style>{1}</style>\n</head>\n<body>\n<main>\n"
      "<h1>Customers as of {0}</h1>\n",
      to_date(input.census.as_of()), kReportStyle);
  const auto out = std::back_inserter(html);
  fmt::format_to(out,
                 "<p class=\"about\">From {}, as of {}; {} in {}; model version {}, rules version "
                 "{}.</p>\n",
                 escaped_html(input.source), to_rfc3339(input.census.as_of()), revenue_name(input),
                 escaped_html(currency_name(input)), input.version.number,
                 input.census.rules().version);
  const std::vector<ReportSection> sections = sections_of(input);
  html += "<nav aria-label=\"Contents\"><ul>\n";
  for (const ReportSection& section : sections) {
    fmt::format_to(out, "<li><a href=\"#{}\">{}</a></li>\n", section.id,
                   escaped_html(section.title));
  }
  html += "<li><a href=\"#definitions\">How it is counted</a></li>\n</ul></nav>\n";
  for (const ReportSection& section : sections) {
    fmt::format_to(out,
                   "<section>\n<h2 id=\"{}\">{}</h2>\n<p class=\"finding\">{}</p>\n{}"
                   "</section>\n",
                   section.id, escaped_html(section.title), escaped_html(section.finding),
                   section.body);
  }
  html += "<h2 id=\"definitions\">How it is counted</h2>\n<ul>\n";
  html += sums_text(input);
  html += kDefinitions;
  return html + "</ul>\n</main>\n</body>\n</html>\n";
}

}  // namespace rfm
