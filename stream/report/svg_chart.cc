#include "stream/report/svg_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "stream/report/html_text.h"

namespace rfm {
namespace {

constexpr double kWidth = 720;

class Svg {
 public:
  Svg(std::string_view title, double width, double height)
      : text_(fmt::format("<figcaption>{0}</figcaption>\n<svg viewBox=\"0 0 {1:.0f} {2:.0f}\" "
                          "role=\"img\" aria-label=\"{0}\" preserveAspectRatio=\"xMinYMin meet\">",
                          escaped_html(title), width, height)) {}

  void rectangle(double x, double y, double width, double height, std::string_view style,
                 std::string_view hint) {
    fmt::format_to(out(),
                   "<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
                   "height=\"{:.1f}\"><title>{}</title></rect>",
                   style, x, y, std::max(0., width), std::max(0., height), escaped_html(hint));
  }
  void line(double x1, double y1, double x2, double y2, std::string_view style) {
    fmt::format_to(out(),
                   "<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>",
                   style, x1, y1, x2, y2);
  }
  // `anchor`: start, middle or end.
  void text(double x, double y, std::string_view anchor, std::string_view text) {
    fmt::format_to(out(), "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>", x, y,
                   anchor, escaped_html(text));
  }
  void cell(double x, double y, double width, double height, double share) {
    fmt::format_to(out(),
                   "<rect class=\"heat\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
                   "height=\"{:.1f}\" fill-opacity=\"{:.3f}\"/>",
                   x, y, width, height, std::clamp(share, 0., 1.));
  }
  void raw(std::string_view svg) { text_ += svg; }
  std::string finish() { return "<figure>" + text_ + "</svg></figure>\n"; }

 private:
  std::back_insert_iterator<std::string> out() { return std::back_inserter(text_); }

  std::string text_;
};

// How wide text is in the fonts that browsers have, rather more than less.
double width_of(char c) {
  if ((static_cast<unsigned char>(c) & 0xC0U) == 0x80U) return 0;  // Within a character.
  if (std::string_view("MW%@").find(c) != std::string_view::npos) return 11.5;
  if (c >= 'A' && c <= 'Z') return 9;
  return std::string_view(" .,:;'il|()").find(c) != std::string_view::npos ? 4 : 7.5;
}

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

double width_of(std::string_view text) {
  double width = 0;
  for (const char c : text) width += width_of(c);
  return width;
}

std::string shortened(std::string_view label, double width_max) {
  constexpr double kEllipsis = 11;
  if (width_of(label) <= width_max) return std::string(label);
  double width = kEllipsis;
  std::size_t end = 0;
  while (end < label.size() && width + width_of(label[end]) <= width_max)
    width += width_of(label[end++]);
  // Not within a character, nor after a space.
  while (end > 0 && (width_of(label[end]) == 0 || label[end - 1] == ' ')) --end;
  return std::string(label.substr(0, end)) + "…";
}

// 1, 2 or 5 times a power of ten: at most five of them reach `most`.
double step_of(double most) {
  if (most <= 0) return 1;
  const double power = std::pow(10, std::floor(std::log10(most / 5)));
  for (const double factor : {1., 2., 5.}) {
    if (power * factor * 5 >= most) return power * factor;
  }
  return power * 10;
}

std::string amount_text(double value) {
  const double size = std::abs(value);
  if (size >= 1e6) return fmt::format("{:g} M", value / 1e6);
  if (size >= 1e4) return fmt::format("{:g} k", value / 1e3);
  return fmt::format("{:g}", value);
}

}  // namespace

std::string bar_chart(std::string_view title, const std::vector<ChartBar>& bars) {
  constexpr double kRow = 24;
  constexpr double kLabels = 240;
  constexpr double kValues = 130;
  double most = 0;
  for (const ChartBar& bar : bars) most = std::max(most, bar.value);
  Svg svg(title, kWidth, kRow * static_cast<double>(bars.size()) + 4);
  double y = 2;
  for (const ChartBar& bar : bars) {
    const double length =
        most > 0 ? std::max(0., bar.value) / most * (kWidth - kLabels - kValues) : 0;
    svg.text(kLabels - 8, y + 15, "end", shortened(bar.label, kLabels - 12));
    svg.rectangle(kLabels, y + 3, length, kRow - 7, "bar", bar.label + ": " + bar.shown);
    svg.text(kLabels + length + 6, y + 15, "start", bar.shown);
    y += kRow;
  }
  return svg.finish();
}

std::string column_chart(std::string_view title, const std::vector<std::string>& labels,
                         const std::vector<ColumnSeries>& series) {
  constexpr double kTop = 24;
  constexpr double kPlot = 190;
  constexpr double kLeft = 64;
  constexpr std::array<std::string_view, 2> kStyles = {"bar", "bar second"};
  double most = 0;
  double least = 0;
  for (const ColumnSeries& one : series) {
    for (const double value : one.values) {
      most = std::max(most, value);
      least = std::min(least, value);
    }
  }
  const double step = step_of(std::max(most, -least));
  most = std::ceil(most / step) * step;
  least = std::floor(least / step) * step;
  const double span = most > least ? most - least : 1;
  const auto y_of = [&](double value) { return kTop + (most - value) / span * kPlot; };
  Svg svg(title, kWidth, kTop + kPlot + 26);
  for (double value = least; value <= most + step / 2; value += step) {
    svg.line(kLeft, y_of(value), kWidth, y_of(value), "grid");
    svg.text(kLeft - 6, y_of(value) + 4, "end", amount_text(value));
  }
  const double slot = (kWidth - kLeft) / std::max<double>(1, static_cast<double>(labels.size()));
  const double width = slot * .8 / std::max<double>(1, static_cast<double>(series.size()));
  double widest = 0;
  for (const std::string& label : labels) widest = std::max(widest, width_of(label));
  const auto every = static_cast<std::size_t>(std::ceil((widest + 8) / slot));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double x = kLeft + slot * (static_cast<double>(i) + .1);
    for (std::size_t s = 0; s < series.size(); ++s) {
      const double value = series[s].values[i];
      svg.rectangle(x + width * static_cast<double>(s), y_of(std::max(0., value)), width - 1,
                    std::abs(value) / span * kPlot, kStyles.at(s),
                    fmt::format("{} {}: {:g}", labels[i], series[s].name, value));
    }
    if (i % every == 0) svg.text(x + slot * .4, kTop + kPlot + 18, "middle", labels[i]);
  }
  double x = kLeft;
  for (std::size_t s = 0; s < series.size() && series.size() > 1; ++s) {
    svg.rectangle(x, 4, 12, 12, kStyles.at(s), series[s].name);
    svg.text(x + 18, 14, "start", series[s].name);
    x += 40 + 8 * static_cast<double>(series[s].name.size());
  }
  return svg.finish();
}

std::string share_chart(std::string_view title, std::string_view x_name, std::string_view y_name,
                        const std::vector<ChartPoint>& points) {
  constexpr double kLeft = 64;
  constexpr double kTop = 24;
  constexpr double kSide = 300;
  Svg svg(title, kWidth, kTop + kSide + 44);
  const auto x_of = [](double x) { return kLeft + x * kSide; };
  const auto y_of = [](double y) { return kTop + (1 - y) * kSide; };
  for (int i = 0; i <= 5; ++i) {
    const double at = i / 5.;
    svg.line(kLeft, y_of(at), kLeft + kSide, y_of(at), "grid");
    svg.text(kLeft - 6, y_of(at) + 4, "end", fmt::format("{} %", i * 20));
    svg.text(x_of(at), kTop + kSide + 18, "middle", fmt::format("{} %", i * 20));
  }
  svg.line(x_of(0), y_of(0), x_of(1), y_of(1), "diagonal");
  svg.text(kLeft, 14, "start", y_name);
  svg.text(kLeft + kSide / 2, kTop + kSide + 38, "middle", x_name);
  std::string path;
  for (const ChartPoint& point : points) {
    fmt::format_to(std::back_inserter(path), "{}{:.1f} {:.1f}", path.empty() ? "M" : " L",
                   x_of(std::clamp(point.x, 0., 1.)), y_of(std::clamp(point.y, 0., 1.)));
  }
  svg.raw(fmt::format("<path class=\"curve\" d=\"{}\"/>", path));
  return svg.finish();
}

std::string heat_map(std::string_view title, const std::vector<std::string>& rows,
                     const std::vector<std::string>& columns,
                     const std::vector<std::vector<HeatCell>>& cells) {
  constexpr double kLabels = 100;
  constexpr double kHeader = 22;
  constexpr double kRow = 24;
  constexpr double kColumnMax = 128;
  const double width = std::min(
      kColumnMax, (kWidth - kLabels) / std::max<double>(1, static_cast<double>(columns.size())));
  const double text_max = width - 3;
  Svg svg(title, kWidth, kHeader + kRow * static_cast<double>(rows.size()) + 4);
  svg.raw(
      "<defs><pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
      "patternTransform=\"rotate(45)\"><line class=\"grid\" x1=\"0\" y1=\"0\" x2=\"0\" "
      "y2=\"6\"/></pattern></defs>");
  for (std::size_t c = 0; c < columns.size(); ++c) {
    svg.text(kLabels + width * (static_cast<double>(c) + .5), 15, "middle",
             shortened(columns[c], text_max));
  }
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const double y = kHeader + kRow * static_cast<double>(r);
    svg.text(kLabels - 8, y + 16, "end", shortened(rows[r], kLabels - 10));
    for (std::size_t c = 0; c < cells[r].size(); ++c) {
      const HeatCell& cell = cells[r][c];
      const double x = kLabels + width * static_cast<double>(c);
      if (cell.absent) {
        svg.raw(
            fmt::format("<rect fill=\"url(#hatch)\" x=\"{:.1f}\" y=\"{:.1f}\" "
                        "width=\"{:.1f}\" height=\"{:.1f}\"/>",
                        x, y, width - 1, kRow - 1));
      } else {
        svg.cell(x, y, width - 1, kRow - 1, cell.share);
      }
      // A number without its end would be another one.
      const bool is_number = std::ranges::none_of(cell.text, is_letter);
      svg.text(x + width / 2, y + 16, "middle",
               is_number ? cell.text : shortened(cell.text, text_max));
    }
  }
  return svg.finish();
}

}  // namespace rfm
