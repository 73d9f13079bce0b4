#include "stream/app/book_tables.h"

#include "state/epoch.h"
#include "stream/analyse/calendar_month.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr int kHoursOfDay = 24;

void fill_money(const SalesSums& sums, TableRow& row) {
  row.money(sums.gross);
  row.money(sums.credits);
  row.money(sums.net());
}

// Quantities have four decimals, as money has.
void fill_units(const SalesSums& sums, TableRow& row) { row.money({sums.units}); }

// Writes the rows that `fill` makes of the items.
template <class Items, class Fill>
absl::Status write_rows(const Items& items, const std::string& currency, TableOutput& output,
                        const Fill& fill) {
  TableRow row;
  for (const auto& item : items) {
    row.clear();
    fill(item, row);
    row.text(currency);
    if (absl::Status written = output.write(row); !written.ok()) return written;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status write_sales_by_day(const SalesSummary& sales, const std::string& currency,
                                TableOutput& output) {
  const absl::Status begun =
      output.begin("sales_by_day", {{"date", ColumnType::kText},
                                    {"country", ColumnType::kText},
                                    {"customer_known", ColumnType::kInteger},
                                    {"gross", ColumnType::kReal},
                                    {"credits", ColumnType::kReal},
                                    {"net", ColumnType::kReal},
                                    {"invoices", ColumnType::kInteger},
                                    {"credit_notes", ColumnType::kInteger},
                                    {"unnamed_records", ColumnType::kInteger},
                                    {"units", ColumnType::kReal},
                                    {"customers", ColumnType::kInteger},
                                    {"currency", ColumnType::kText}});
  if (!begun.ok()) return begun;
  return write_rows(sales.days(), currency, output, [](const DaySales& day, TableRow& row) {
    row.text(to_date(boundary_of(day.day)));
    row.text(day.country);
    row.integer(day.buyer == Buyer::kKnown ? 1 : 0);
    fill_money(day.sums, row);
    row.integer(day.sums.invoices);
    row.integer(day.sums.credit_notes);
    row.integer(day.sums.unnamed_records);
    fill_units(day.sums, row);
    row.integer(day.sums.customers);
  });
}

absl::Status write_sales_by_hour(const SalesSummary& sales, const std::string& currency,
                                 TableOutput& output) {
  const absl::Status begun =
      output.begin("sales_by_hour", {{"month", ColumnType::kText},
                                     {"weekday", ColumnType::kInteger},
                                     {"hour", ColumnType::kInteger},
                                     {"gross", ColumnType::kReal},
                                     {"credits", ColumnType::kReal},
                                     {"net", ColumnType::kReal},
                                     {"invoices_and_unnamed_sales", ColumnType::kInteger},
                                     {"units", ColumnType::kReal},
                                     {"currency", ColumnType::kText}});
  if (!begun.ok()) return begun;
  return write_rows(sales.hours(), currency, output, [](const HourSales& hour, TableRow& row) {
    row.text(month_text(static_cast<CalendarMonth>(hour.month)));
    row.integer(1 + hour.hour_of_week / kHoursOfDay);
    row.integer(hour.hour_of_week % kHoursOfDay);
    fill_money(hour.sums, row);
    row.integer(hour.sums.invoices_and_unnamed_sales);
    fill_units(hour.sums, row);
  });
}

absl::Status write_sales_by_product(const SalesSummary& sales, const std::string& currency,
                                    TableOutput& output) {
  const absl::Status begun = output.begin("sales_by_product", {{"month", ColumnType::kText},
                                                               {"stock_code", ColumnType::kText},
                                                               {"description", ColumnType::kText},
                                                               {"gross", ColumnType::kReal},
                                                               {"credits", ColumnType::kReal},
                                                               {"net", ColumnType::kReal},
                                                               {"units", ColumnType::kReal},
                                                               {"lines", ColumnType::kInteger},
                                                               {"currency", ColumnType::kText}});
  if (!begun.ok()) return begun;
  return write_rows(sales.products(), currency, output,
                    [](const ProductSales& product, TableRow& row) {
                      row.text(month_text(static_cast<CalendarMonth>(product.month)));
                      row.text(product.product);
                      row.text(product.description);
                      fill_money(product.sums, row);
                      fill_units(product.sums, row);
                      row.integer(product.lines);
                    });
}

absl::Status write_transitions(const MovesSummary& moves, const std::string& currency,
                               TableOutput& output) {
  const absl::Status begun = output.begin("transitions", {{"date", ColumnType::kText},
                                                          {"segmentation", ColumnType::kText},
                                                          {"from", ColumnType::kText},
                                                          {"to", ColumnType::kText},
                                                          {"reason", ColumnType::kText},
                                                          {"actionable", ColumnType::kInteger},
                                                          {"moves", ColumnType::kInteger},
                                                          {"monetary", ColumnType::kReal},
                                                          {"currency", ColumnType::kText}});
  if (!begun.ok()) return begun;
  return write_rows(moves.flows(), currency, output, [](const DayFlow& flow, TableRow& row) {
    row.text(to_date(boundary_of(flow.day)));
    row.text(flow.segmentation);
    row.text(flow.from);
    row.text(flow.to);
    row.text(name(flow.reason));
    row.integer(flow.is_actionable ? 1 : 0);
    row.integer(flow.moves);
    row.money(flow.monetary);
  });
}

absl::Status write_segments_by_day(const MovesSummary& moves, const std::string& currency,
                                   TableOutput& output) {
  const absl::Status begun = output.begin("segments_by_day", {{"date", ColumnType::kText},
                                                              {"segmentation", ColumnType::kText},
                                                              {"segment", ColumnType::kText},
                                                              {"customers", ColumnType::kInteger},
                                                              {"monetary", ColumnType::kReal},
                                                              {"currency", ColumnType::kText}});
  if (!begun.ok()) return begun;
  return write_rows(moves.stocks(), currency, output, [](const DayStock& stock, TableRow& row) {
    row.text(to_date(boundary_of(stock.day)));
    row.text(stock.segmentation);
    row.text(stock.segment);
    row.integer(stock.customers);
    row.money(stock.monetary);
  });
}

}  // namespace rfm
