// Goal: the report says what the census says, in HTML that is whole whatever customers are called.
#include "stream/report/report.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "stream/report/figure_text.h"
#include "stream/report/html_text.h"
#include "stream/report/svg_chart.h"
#include "tests/stream/analyse/census_cases.h"

namespace rfm {
namespace {

// Fails where tags do not match or text is not escaped.
void expect_whole(const std::string& html) {
  const std::set<std::string> empty = {"meta", "!DOCTYPE"};
  std::vector<std::string> open;
  const std::size_t style = html.find("<style>");
  const std::size_t style_end = html.find("</style>");
  for (std::size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
    if (style != std::string::npos && at > style && at < style_end) continue;
    const std::size_t end = html.find('>', at);
    ASSERT_NE(end, std::string::npos);
    const std::string tag = html.substr(at + 1, end - at - 1);
    ASSERT_EQ(tag.find('<'), std::string::npos) << tag;
    const std::string name = tag.substr(0, tag.find_first_of(" /", 1));
    if (empty.contains(name) || tag.back() == '/') continue;
    if (tag.front() != '/') {
      open.push_back(name);
      continue;
    }
    ASSERT_FALSE(open.empty()) << tag;
    ASSERT_EQ(tag.substr(1), open.back());
    open.pop_back();
  }
  EXPECT_TRUE(open.empty());
}

ReportInput input_of(const Census& census, const ModelVersion& version, const SalesSummary& sales) {
  return {.census = census,
          .version = version,
          .sales = sales,
          .currency = "GBP",
          .source = "a \"file\" <of> mine & yours",
          .best_by_units = {{"<most>", 30'000}},
          .churn = nullptr,
          .churn_missing = "Nobody has judged it."};
}

TEST(Report, IsWholeOfAnyCustomers) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    const CensusCases cases(seed, 40);
    Census census(cases.rules(), {});
    for (const CensusCustomer& customer : cases.all()) cases.add_to(census, customer);
    const std::string html = report_html(input_of(census, cases.version(), {}));
    expect_whole(html);
    EXPECT_NE(html.find("a &quot;file&quot; &lt;of&gt; mine &amp; yours"), std::string::npos);
    EXPECT_NE(html.find("Nobody has judged it."), std::string::npos);
    EXPECT_EQ(html.find("<script"), std::string::npos);
    EXPECT_EQ(html.find("http://"), std::string::npos);
    EXPECT_EQ(html.find("https://"), std::string::npos);
    EXPECT_NE(html.find("&lt;most&gt;</th><td class=\"n\">3</td>"), std::string::npos);
    EXPECT_EQ(html.find("nan"), std::string::npos);
  }
}

// Two groups far from each other, and one.
TEST(Report, SaysWhetherThereIsAnElbow) {
  const Rules rules;
  const ModelVersion version;
  const auto report_of = [&](int groups) {
    Census census(rules, {});
    for (int i = 0; i < 60; ++i) {
      CustomerRow row;
      row.id = std::to_string(i);
      row.segments.resize(rules.segmentations.size());
      const bool is_far = i % groups == 1;
      const Duration silent =
          (is_far ? std::chrono::days{300} : std::chrono::days{2}) + std::chrono::hours{i % 7};
      row.ledger.put({.number_hash = 1,
                      .amount = {(is_far ? 90'000'000 : 100'000) + i * 1'000},
                      .time = kCensusAt - silent},
                     rules, kCensusAt);
      census.add(row, facts_of(row, rules, &version, kCensusAt), rules);
    }
    return report_html(input_of(census, version, {}));
  };
  const std::string two = report_of(2);
  EXPECT_NE(two.find("The inertia has an elbow at 2 clusters; the silhouette is highest with 2 "),
            std::string::npos)
      << two.substr(two.find("cluster-counts\">H"), 500);
  const std::string one = report_of(1);
  expect_whole(one);
  EXPECT_NE(one.find("There is no clear elbow"), std::string::npos);
}

TEST(Report, EscapesWhatCustomersAreCalled) {
  Rules rules;
  const ModelVersion version;
  Census census(rules, {});
  CustomerRow row;
  row.id = "<script>alert('1')</script>";
  row.country = "\"><img src=x>";
  row.segments.resize(rules.segmentations.size());
  row.ledger.put({.number_hash = 1, .amount = {10'000}, .time = kCensusAt}, rules, kCensusAt);
  census.add(row, facts_of(row, rules, &version, kCensusAt), rules);
  const std::string html = report_html(input_of(census, version, {}));
  expect_whole(html);
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find("<img"), std::string::npos);
  EXPECT_NE(html.find("&lt;script&gt;"), std::string::npos);
  for (const char* part : {"1 customer bought 1 time since", "1 customer from 1 country;",
                           "bought most often: 1 time."})
    EXPECT_NE(html.find(part), std::string::npos) << part;
}

TEST(Report, SaysWhatIsMissingWhereThereIsNothing) {
  const Rules rules;
  const ModelVersion version;
  Census census(rules, {});
  census.reach(kCensusAt);
  const std::string html = report_html(input_of(census, version, {}));
  expect_whole(html);
  for (const char* part :
       {"Nobody has bought yet.", "There is no revenue yet.",
        "There is no churn model yet: it takes some weeks of history.",
        "Nobody has been silent for 90 days yet.", "It takes more than 8 customers who differ."}) {
    EXPECT_NE(html.find(part), std::string::npos) << part;
  }
}

TEST(FigureText, MarksThousandsAndRounds) {
  EXPECT_EQ(count_text(-1'234'567), "-1,234,567");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(number_text(1234.56, 1), "1,234.6");
  EXPECT_EQ(percent_text(.1234), "12.3 %");
  EXPECT_EQ(amount_text({12'345'650}), "1,234.57");
  EXPECT_EQ(amount_text({12'345'649}), "1,234.56");
  EXPECT_EQ(amount_text({-12'345'650}), "-1,234.57");
  EXPECT_EQ(amount_text({-49}), "0.00");
  EXPECT_EQ(money_text({10'000}, "EUR"), "1.00 EUR");
}

TEST(SvgChart, IsWholeOfNothingAndOfNegativeValues) {
  expect_whole(bar_chart("\"bars\"", {}));
  expect_whole(bar_chart("bars", {{"a<b", -1, "-1"}, {"b", 0, "0"}}));
  expect_whole(column_chart("columns", {}, {}));
  const std::string down = column_chart("columns", {"x"}, {{"a", {-3}}, {"b", {5}}});
  expect_whole(down);
  EXPECT_EQ(down.find("height=\"-"), std::string::npos);
  expect_whole(share_chart("curve", "x", "y", {}));
  expect_whole(heat_map("heat", {"r"}, {"c"}, {{{"text", .5}, {"", 0, true}}}));
}

TEST(SvgChart, LabelsHaveRoom) {
  const std::vector<std::string> months(13, "2010-12");
  const std::string columns = column_chart("months", months, {{"net", std::vector<double>(13, 1)}});
  std::size_t shown = 0;
  for (std::size_t at = columns.find("2010-12</text>"); at != std::string::npos;
       at = columns.find("2010-12</text>", at + 1))
    ++shown;
  EXPECT_EQ(shown, 7U);  // Every other one.
  const std::string hours = heat_map("hours", {"r"}, std::vector<std::string>(24, "c"),
                                     {{{"123456", .5}, {"some words", .5}}});
  EXPECT_NE(hours.find(">123456</text>"), std::string::npos) << hours;
  EXPECT_EQ(hours.find(">some words</text>"), std::string::npos) << hours;
  const std::string bars = bar_chart("bars", {{"CREAM HANGING HEART T-LIGHT HOLDER", 1, "1"},
                                              {"REGENCY CAKESTAND 3 TIER", 1, "1"},
                                              {"\u00c9CLAIRS \u00e9\u00e9\u00e9\u00e9", 1, "1"}});
  EXPECT_NE(bars.find(">CREAM HANGING HEART T-LIG…</text>"), std::string::npos) << bars;
  EXPECT_NE(bars.find(">REGENCY CAKESTAND 3 TIER</text>"), std::string::npos);
  EXPECT_NE(bars.find(">\u00c9CLAIRS \u00e9\u00e9\u00e9\u00e9</text>"), std::string::npos);
}

}  // namespace
}  // namespace rfm
