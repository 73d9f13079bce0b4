#include "stream/app/table_output.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "stream/app/command.h"

namespace rfm {
namespace {

// Quoted where it must be, quotes doubled.
void append_cell(std::string& line, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    line += text;
    return;
  }
  line += '"';
  for (const char c : text) {
    if (c == '"') line += '"';
    line += c;
  }
  line += '"';
}

}  // namespace

void add_column(std::vector<TableColumn>& columns, std::string name, ColumnType type,
                const std::vector<TableColumn>& fixed) {
  const auto is_this = [&](const TableColumn& column) {
    return absl::EqualsIgnoreCase(column.name, name);
  };
  while (std::ranges::any_of(columns, is_this) || std::ranges::any_of(fixed, is_this))
    name += "_segment";
  columns.push_back({std::move(name), type});
}

absl::StatusOr<CsvFile> CsvFile::open(const std::string& path) {
  absl::StatusOr<OutputFile> file = OutputFile::open(path, OutputFile::Place::kBeside);
  if (!file.ok()) return file.status();
  return CsvFile(*std::move(file));
}

absl::Status CsvFile::begin(std::string_view /*table*/, const std::vector<TableColumn>& columns) {
  TableRow names;
  for (const TableColumn& column : columns) names.text(column.name);
  return write(names);
}

absl::Status CsvFile::write(const TableRow& row) {
  line_.clear();
  for (std::size_t cell = 0; cell < row.size(); ++cell) {
    if (cell > 0) line_ += ',';
    append_cell(line_, row[cell]);
  }
  line_ += '\n';
  return file_.write(line_);
}

absl::StatusOr<TableOutput> TableOutput::csv(const std::string& path) {
  absl::StatusOr<CsvFile> file = CsvFile::open(path);
  if (!file.ok()) return file.status();
  return TableOutput(*std::move(file));
}

absl::StatusOr<TableOutput> TableOutput::sqlite(const std::string& path) {
  absl::StatusOr<SqliteFile> file = SqliteFile::open(path);
  if (!file.ok()) return file.status();
  return TableOutput(*std::move(file));
}

absl::Status TableOutput::begin(std::string_view table, const std::vector<TableColumn>& columns) {
  return std::visit([&](auto& file) { return file.begin(table, columns); }, file_);
}

absl::Status TableOutput::write(const TableRow& row) {
  if (stop_->asked()) return interrupted("the output is not complete");
  return std::visit([&](auto& file) { return file.write(row); }, file_);
}

absl::Status TableOutput::finish() {
  return std::visit([](auto& file) { return file.finish(); }, file_);
}

}  // namespace rfm
