// Charts as SVG that stands in an HTML page. Colours come from the page's style sheet, so that they
// follow light and dark. What a chart shows is also in a table beside it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rfm {

struct ChartBar {
  std::string label;
  double value = 0;
  std::string shown;  // The value as people read it.
};

// One under the other, with room for long labels.
std::string bar_chart(std::string_view title, const std::vector<ChartBar>& bars);

// Side by side, of up to two kinds; those of a kind that is less than zero go down.
struct ColumnSeries {
  std::string name;
  std::vector<double> values;  // One for each label.
};
std::string column_chart(std::string_view title, const std::vector<std::string>& labels,
                         const std::vector<ColumnSeries>& series);

struct ChartPoint {
  double x = 0;
  double y = 0;
};
// Points in [0, 1] x [0, 1], both axes in per cent, joined by a line; and the diagonal.
std::string share_chart(std::string_view title, std::string_view x_name, std::string_view y_name,
                        const std::vector<ChartPoint>& points);

struct HeatCell {
  std::string text;
  double share = 0;     // In [0, 1]: how strong its colour is.
  bool absent = false;  // There is nothing to show yet: hatched.
};
// `cells` by row.
std::string heat_map(std::string_view title, const std::vector<std::string>& rows,
                     const std::vector<std::string>& columns,
                     const std::vector<std::vector<HeatCell>>& cells);

}  // namespace rfm
