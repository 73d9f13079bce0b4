#include "stream/report/html_text.h"

#include "state/assertion.h"

namespace rfm {
namespace {

std::string_view class_of(Align align) { return align == Align::kRight ? " class=\"n\"" : ""; }

}  // namespace

std::string escaped_html(std::string_view text) {
  std::string html;
  html.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

HtmlTable::HtmlTable(std::string_view caption, const std::vector<Column>& columns)
    : columns_(columns) {
  html_ = "<div class=\"t\"><table><caption>" + escaped_html(caption) + "</caption><thead><tr>";
  for (const Column& column : columns_) {
    html_ += "<th scope=\"col\"";
    (html_ += class_of(column.align)) += '>';
    (html_ += escaped_html(column.name)) += "</th>";
  }
  html_ += "</tr></thead><tbody>\n";
}

void HtmlTable::row(const std::vector<std::string>& cells, Row kind) {
  RFM_ASSERT(cells.size() == columns_.size());
  html_ += kind == Row::kSum ? "<tr class=\"sum\">" : "<tr>";
  for (std::size_t i = 0; i < cells.size(); ++i) {
    html_ += i == 0 ? "<th scope=\"row\"" : "<td";
    (html_ += class_of(columns_[i].align)) += '>';
    html_ += escaped_html(cells[i]);
    html_ += i == 0 ? "</th>" : "</td>";
  }
  html_ += "</tr>\n";
}

}  // namespace rfm
