// Tables that a command writes for other tools: a CSV with one of them, or an SQLite file with any
// number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "state/money.h"
#include "stream/app/output_file.h"
#include "stream/app/sqlite_file.h"
#include "stream/app/stop_signal.h"
#include "stream/app/table_row.h"

namespace rfm {

// A column named by users: `_segment` is behind a name that `columns` or `fixed` have already, in
// whatever case.
void add_column(std::vector<TableColumn>& columns, std::string name, ColumnType type,
                const std::vector<TableColumn>& fixed);

// RFC 4180: a header line, LF at line ends, quoted where it must be.
class CsvFile {
 public:
  // "-": standard output.
  static absl::StatusOr<CsvFile> open(const std::string& path);

  absl::Status begin(std::string_view table, const std::vector<TableColumn>& columns);
  absl::Status write(const TableRow& row);
  absl::Status finish() { return file_.finish(); }

 private:
  explicit CsvFile(OutputFile file) : file_(std::move(file)) {}

  OutputFile file_;
  std::string line_;
};

// Takes the place of what is at the path when it is finished, not before. kCancelled: the process
// is asked to stop; nothing is left behind.
class TableOutput {
 public:
  static absl::StatusOr<TableOutput> csv(const std::string& path);
  static absl::StatusOr<TableOutput> sqlite(const std::string& path);

  // The rows that follow are of this table; a CSV has one only.
  absl::Status begin(std::string_view table, const std::vector<TableColumn>& columns);
  absl::Status write(const TableRow& row);
  absl::Status finish();

 private:
  using File = std::variant<CsvFile, SqliteFile>;
  explicit TableOutput(File file) : file_(std::move(file)) {}

  File file_;
  std::unique_ptr<const StopSignal> stop_ = std::make_unique<StopSignal>();
};

}  // namespace rfm
