#include "stream/app/customers_table.h"

#include <algorithm>
#include <optional>

#include "state/evaluation.h"
#include "state/segmenter.h"
#include "stream/analyse/customer_outlook.h"
#include "stream/app/table_output.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

// Of an axis that follows the churn risk the segment says all.
bool has_column(const Axis& axis) { return axis.cuts.quantity != Quantity::kRisk; }

void fill_scores(const CustomerFigures& figures, TableRow& row) {
  for (const Segmentation& segmentation : figures.rules.segmentations.all()) {
    const Rules& rules = figures.row_rules;
    const std::size_t s = rules.segmentations.find(segmentation.name());
    std::optional<AxisScores> scores;
    if (s < rules.segmentations.size() && rules.segmentations[s] == segmentation)
      scores = Segmenter(rules, s).scores(figures.facts);
    for (std::size_t a = 0; a < segmentation.axes().size(); ++a) {
      if (!has_column(segmentation.axes()[a])) continue;
      if (scores) {
        row.integer((*scores)[a]);
      } else {
        row.absent();
      }
    }
  }
}

void fill_segments(const CustomerFigures& figures, TableRow& row) {
  for (const Segmentation& segmentation : figures.rules.segmentations.all()) {
    const Rules& rules = figures.row_rules;
    const std::size_t s = rules.segmentations.find(segmentation.name());
    if (s < rules.segmentations.size()) {
      row.text(segment_info(rules.segmentations[s], figures.row.segments[s].segment).name);
    } else {
      row.absent();
    }
  }
}

// Where each segment goes, and when, if the customer does nothing more.
void fill_outlook(const CustomerFigures& figures, TableRow& row) {
  for (const Segmentation& segmentation : figures.rules.segmentations.all()) {
    const Rules& rules = figures.row_rules;
    const std::size_t s = rules.segmentations.find(segmentation.name());
    const std::optional<NextChange> next = s < rules.segmentations.size()
                                               ? next_change(s, figures.row, figures.facts, rules)
                                               : std::nullopt;
    if (next) {
      row.text(segment_info(rules.segmentations[s], next->to).name);
      row.text(to_rfc3339(next->at));
    } else {
      row.absent();
      row.absent();
    }
  }
}

}  // namespace

std::vector<TableColumn> customers_columns(const Segmentations& shown, Outlook outlook) {
  std::vector<TableColumn> columns = {
      {"customer_id", ColumnType::kText},    {"country", ColumnType::kText},
      {"first_purchase", ColumnType::kText}, {"last_purchase", ColumnType::kText},
      {"recency_days", ColumnType::kReal},   {"frequency", ColumnType::kInteger},
      {"monetary", ColumnType::kReal},       {"aov", ColumnType::kReal}};
  const std::vector<TableColumn> last = {{"churn_risk", ColumnType::kReal},
                                         {"value_at_risk", ColumnType::kReal},
                                         {"action", ColumnType::kText},
                                         {"as_of", ColumnType::kText},
                                         {"partition", ColumnType::kInteger}};
  for (const Segmentation& segmentation : shown.all()) {
    for (const Axis& axis : segmentation.axes()) {
      if (has_column(axis))
        add_column(columns, segmentation.name() + "_" + axis.name, ColumnType::kInteger, last);
    }
  }
  for (const Segmentation& segmentation : shown.all())
    add_column(columns, segmentation.name(), ColumnType::kText, last);
  if (outlook == Outlook::kNextChange) {
    for (const Segmentation& segmentation : shown.all()) {
      add_column(columns, segmentation.name() + "_next", ColumnType::kText, last);
      add_column(columns, segmentation.name() + "_next_at", ColumnType::kText, last);
    }
  }
  columns.insert(columns.end(), last.begin(), last.end());
  return columns;
}

void fill_customer(const CustomerFigures& figures, PartitionId partition, Outlook outlook,
                   TableRow& row) {
  const CustomerFacts& facts = figures.facts;
  row.clear();
  row.text(figures.row.id);
  row.text(figures.row.country);
  if (facts.frequency > 0) {
    row.text(to_rfc3339(facts.first_purchase));
    row.text(to_rfc3339(facts.last_purchase));
    row.real(recency_days(facts), 6);
  } else {
    for (int cell = 0; cell < 3; ++cell) row.absent();
  }
  row.integer(facts.frequency);
  row.money(facts.monetary);
  if (facts.frequency > 0) {
    const double orders = static_cast<double>(facts.frequency) * Money::kUnitsPerCurrencyUnit;
    row.real(static_cast<double>(facts.monetary.units) / orders, 4);
  } else {
    row.absent();
  }
  fill_scores(figures, row);
  fill_segments(figures, row);
  if (outlook == Outlook::kNextChange) fill_outlook(figures, row);
  if (const std::optional<double> risk = churn_risk_of(facts)) {
    row.real(*risk, 10);
    row.money(figures.value_at_risk);
  } else {
    row.absent();
    row.absent();
  }
  row.text(advised_action(figures.row, figures.row_rules));
  row.text(to_rfc3339(facts.at));
  row.integer(partition);
}

std::string_view advised_action(const CustomerRow& row, const Rules& rules) {
  const auto segment_in = [&](std::size_t s) -> const SegmentInfo& {
    return segment_info(rules.segmentations[s], row.segments[s].segment);
  };
  for (const std::size_t s : rules.precedence) {
    for (const SegmentAction& action : segment_in(s).actions) {
      if (action.where_segmentation.empty()) return action.text;
      const std::string& there =
          segment_in(rules.segmentations.find(action.where_segmentation)).name;
      if (std::ranges::find(action.where_segments, there) != action.where_segments.end())
        return action.text;
    }
  }
  return {};
}

}  // namespace rfm
