// An SQLite file under construction: in PATH.part until it is whole.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/app/table_row.h"

struct sqlite3;
struct sqlite3_stmt;

namespace rfm {

class SqliteFile {
 public:
  // InvalidArgument: standard output; a database is no stream.
  static absl::StatusOr<SqliteFile> open(const std::string& path);

  SqliteFile(SqliteFile&& other) noexcept = default;
  SqliteFile& operator=(SqliteFile&& other) = delete;
  ~SqliteFile();  // Without `finish`: nothing is left of it.

  // A new table: TEXT, INTEGER and REAL columns; absent cells are NULL.
  absl::Status begin(std::string_view table, const std::vector<TableColumn>& columns);
  absl::Status write(const TableRow& row);
  absl::Status finish();

 private:
  struct CloseDatabase {
    void operator()(sqlite3* database) const noexcept;
  };
  struct EndStatement {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };

  SqliteFile() = default;
  absl::Status run(const std::string& sql);
  absl::Status failed() const;

  std::string path_;
  std::string part_;  // Empty: it has been finished.
  std::unique_ptr<sqlite3, CloseDatabase> database_;
  std::unique_ptr<sqlite3_stmt, EndStatement> insert_;
};

}  // namespace rfm
