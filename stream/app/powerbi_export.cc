#include "stream/app/powerbi_export.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>

#include "state/evaluation.h"
#include "stream/app/csv_sales.h"
#include "stream/app/progress.h"
#include "stream/app/state_census.h"
#include "stream/app/table_output.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

absl::Status write_customers(const OpenedState& state, TableOutput& output) {
  const Segmentations& shown = state.rules().segmentations;
  std::vector<TableColumn> columns = {
      {"CustomerID", ColumnType::kText}, {"Country", ColumnType::kText},
      {"Recency", ColumnType::kReal},    {"Frequency", ColumnType::kInteger},
      {"Monetary", ColumnType::kReal},   {"ChurnRisk", ColumnType::kReal}};
  for (const Segmentation& segmentation : shown.all())
    add_column(columns, segmentation.name(), ColumnType::kText, {});
  if (absl::Status begun = output.begin("customer_segments", columns); !begun.ok()) return begun;
  TableRow line;
  LedgerHistory history;
  return visit_customers(state, "exported",
                         [&](const PartitionSnapshot& /*partition*/, const CustomerRow& row,
                             const CustomerFacts& facts) {
                           if (facts.frequency == 0) return absl::OkStatus();
                           const CustomerFigures figures =
                               figures_of(row, facts, state.rules_of(row), state.rules(), history);
                           line.clear();
                           line.text(row.id);
                           line.text(row.country);
                           line.real(recency_days(facts), 6);
                           line.integer(facts.frequency);
                           line.money(facts.monetary);
                           if (const std::optional<double> risk = churn_risk_of(facts)) {
                             line.real(*risk, 10);
                           } else {
                             line.absent();
                           }
                           for (std::size_t s = 0; s < shown.size(); ++s)
                             line.text(segment_info(shown[s], segment_of(figures, s)).name);
                           return output.write(line);
                         });
}

// Behind what the state was made of. A service's clock is behind the newest record.
CsvEnd end_of(const OpenedState& state) {
  CsvEnd end{.time = state.snapshot->clock()};
  for (const PartitionSnapshot& partition : state.snapshot->partitions()) {
    end.time = std::max(end.time, partition.meta.max_event_time + Duration{1});
    end.rows += partition.meta.counters.records;
  }
  return end;
}

absl::StatusOr<CsvRead> write_sales(const std::string& input, const Settings& settings,
                                    const CsvEnd& end, TableOutput& output) {
  const absl::Status begun = output.begin("df_sales", {{"InvoiceNo", ColumnType::kText},
                                                       {"StockCode", ColumnType::kText},
                                                       {"Description", ColumnType::kText},
                                                       {"Quantity", ColumnType::kReal},
                                                       {"InvoiceDate", ColumnType::kText},
                                                       {"UnitPrice", ColumnType::kReal},
                                                       {"CustomerID", ColumnType::kText},
                                                       {"Country", ColumnType::kText},
                                                       {"Sales", ColumnType::kReal}});
  if (!begun.ok()) return begun;
  TableRow line;
  return read_csv_sales(input, settings, end, [&](const CsvSale& sale) {
    line.clear();
    line.text(sale.invoice_no);
    line.text(sale.stock_code);
    line.text(sale.description);
    line.text(sale.quantity);
    line.text(to_uci(sale.time));
    line.text(sale.unit_price);
    line.text(sale.customer_id);
    line.text(sale.country);
    line.money(sale.amount);
    return output.write(line);
  });
}

// As a replay notices that it goes on with another input.
bool begins_otherwise(const OpenedState& state, std::uint64_t input_mark) {
  return std::ranges::any_of(state.snapshot->partitions(), [&](const PartitionSnapshot& partition) {
    return partition.meta.input_mark != 0 && partition.meta.input_mark != input_mark;
  });
}

absl::Status write_files(const OpenedState& state, const std::string& input,
                         const Settings& settings, const std::string& directory) {
  const std::filesystem::path place(directory);
  absl::StatusOr<TableOutput> customers = TableOutput::csv((place / kPowerBiCustomers).string());
  if (!customers.ok()) return customers.status();
  absl::StatusOr<TableOutput> sales = TableOutput::csv((place / kPowerBiSales).string());
  if (!sales.ok()) return sales.status();
  if (absl::Status written = write_customers(state, *customers); !written.ok()) return written;
  const CsvEnd end = end_of(state);
  const absl::StatusOr<CsvRead> read = write_sales(input, settings, end, *sales);
  if (!read.ok()) return read.status();
  if (absl::Status done = customers->finish(); !done.ok()) return done;
  if (absl::Status done = sales->finish(); !done.ok()) return done;
  fmt::print(stderr, "{}: {} and {} ({} rows) as of {}\n", directory, kPowerBiCustomers,
             kPowerBiSales, grouped(read->rows - read->refused - read->later),
             to_rfc3339(state.snapshot->clock()));
  if (read->refused > 0) {
    fmt::print(stderr,
               "note: {} rows cannot be used and are left out (`rfmstream import` lists "
               "them)\n",
               grouped(read->refused));
  }
  if (read->later > 0) {
    fmt::print(stderr, "note: {} rows of {} or later are left out: the state has not read them\n",
               grouped(read->later), to_rfc3339(end.time));
  }
  if (begins_otherwise(state, read->input_mark)) {
    fmt::print(stderr,
               "note: the state was made from an input that begins with another record than {}: "
               "the two files are not of the same sales\n",
               input);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status export_for_powerbi(const OpenedState& state, const std::string& input,
                                const Settings& settings, const std::string& directory) {
  std::error_code error;
  const bool is_new = std::filesystem::create_directories(directory, error);
  if (error) {
    return absl::FailedPreconditionError(
        fmt::format("--output {} cannot be made: {}", directory, error.message()));
  }
  absl::Status written = write_files(state, input, settings, directory);
  if (!written.ok() && is_new) std::filesystem::remove(directory, error);  // It is empty.
  return written;
}

}  // namespace rfm
