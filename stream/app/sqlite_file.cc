#include "stream/app/sqlite_file.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <filesystem>
#include <system_error>
#include <utility>

namespace rfm {
namespace {

std::string_view type_of(ColumnType type) {
  switch (type) {
    case ColumnType::kText:
      return "TEXT";
    case ColumnType::kInteger:
      return "INTEGER";
    case ColumnType::kReal:
      return "REAL";
  }
  return "";
}

// A name in double quotes.
std::string in_quotes(std::string_view name) {
  std::string text = "\"";
  for (const char c : name) {
    if (c == '"') text += '"';
    text += c;
  }
  return text + '"';
}

}  // namespace

void SqliteFile::CloseDatabase::operator()(sqlite3* database) const noexcept {
  sqlite3_close(database);
}

void SqliteFile::EndStatement::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

absl::Status SqliteFile::failed() const {
  return absl::FailedPreconditionError(
      fmt::format("{} cannot be written: {}", path_, sqlite3_errmsg(database_.get())));
}

absl::Status SqliteFile::run(const std::string& sql) {
  return sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK
             ? absl::OkStatus()
             : failed();
}

absl::StatusOr<SqliteFile> SqliteFile::open(const std::string& path) {
  if (path == "-") {
    return absl::InvalidArgumentError(
        "--output: an SQLite file cannot go to standard output; name a file");
  }
  SqliteFile file;
  file.path_ = path;
  std::error_code unresolved;
  const std::filesystem::path resolved = std::filesystem::weakly_canonical(path, unresolved);
  if (!unresolved) file.path_ = resolved.string();
  const std::string part = file.path_ + ".part";
  std::filesystem::remove(part, unresolved);
  sqlite3* database = nullptr;
  const int opened =
      sqlite3_open_v2(part.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  file.database_.reset(database);
  if (opened != SQLITE_OK) return file.failed();
  file.part_ = part;
  // Whoever is interrupted begins anew: nothing has to be undone.
  const absl::Status begun =
      file.run("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;");
  if (!begun.ok()) return begun;
  return file;
}

SqliteFile::~SqliteFile() {
  insert_.reset();
  if (!database_) return;
  database_.reset();
  std::error_code ignored;
  if (!part_.empty()) std::filesystem::remove(part_, ignored);
}

absl::Status SqliteFile::begin(std::string_view table, const std::vector<TableColumn>& columns) {
  insert_.reset();
  std::string names;
  std::string places;
  for (const TableColumn& column : columns) {
    names += fmt::format("{}{} {}", names.empty() ? "" : ", ", in_quotes(column.name),
                         type_of(column.type));
    places += places.empty() ? "?" : ", ?";
  }
  const absl::Status created = run(fmt::format("CREATE TABLE {} ({});", in_quotes(table), names));
  if (!created.ok()) return created;
  const std::string insert = fmt::format("INSERT INTO {} VALUES ({});", in_quotes(table), places);
  sqlite3_stmt* statement = nullptr;
  const int prepared = sqlite3_prepare_v2(database_.get(), insert.c_str(), -1, &statement, nullptr);
  insert_.reset(statement);
  return prepared == SQLITE_OK ? absl::OkStatus() : failed();
}

// The columns' affinity makes numbers of the text; none is NULL.
absl::Status SqliteFile::write(const TableRow& row) {
  for (std::size_t cell = 0; cell < row.size(); ++cell) {
    const int place = static_cast<int>(cell) + 1;
    const std::string_view text = row[cell];
    const int bound = text.empty()
                          ? sqlite3_bind_null(insert_.get(), place)
                          : sqlite3_bind_text(insert_.get(), place, text.data(),
                                              static_cast<int>(text.size()), SQLITE_STATIC);
    if (bound != SQLITE_OK) return failed();
  }
  if (sqlite3_step(insert_.get()) != SQLITE_DONE) return failed();
  return sqlite3_reset(insert_.get()) == SQLITE_OK ? absl::OkStatus() : failed();
}

absl::Status SqliteFile::finish() {
  insert_.reset();
  if (absl::Status ended = run("COMMIT;"); !ended.ok()) return ended;
  database_.reset();
  std::error_code error;
  std::filesystem::rename(part_, path_, error);
  if (error) {
    return absl::FailedPreconditionError(
        fmt::format("{} could not be replaced: {}", path_, error.message()));
  }
  part_.clear();
  return absl::OkStatus();
}

}  // namespace rfm
