// RocksDB behind the store's seam: one database, one column family per kind, keys prefixed by
// partition.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "state/state_store.h"

namespace rfm {

enum class StoreAccess : std::uint8_t {
  kReadWrite,
  kReadOnly,       // Where there is a branch, that.
  kReadOnlyTrunk,  // What a branch was made from, too.
};

struct RocksdbOptions {
  std::string directory;
  StoreAccess access = StoreAccess::kReadWrite;
};

// How the database is, for whoever watches.
struct StoreFigures {
  std::uint64_t live_bytes = 0;      // An estimate, of what is not overwritten.
  std::uint64_t table_bytes = 0;     // Of all table files.
  std::uint64_t memtable_bytes = 0;  // Not in a table file yet.
  std::uint64_t kept_sales = 0;      // An estimate: what of kSaleLines is not expired.
  std::uint64_t wal_bytes_written = 0;
  std::uint64_t running_flushes = 0;
  std::uint64_t running_compactions = 0;
  std::uint64_t pending_compaction_bytes = 0;  // An estimate.
  std::uint64_t background_errors = 0;
  std::uint64_t slowdowns = 0;  // Writes that were slowed down, as long as it is open.
  std::uint64_t stops = 0;      // Writes that had to wait until something was flushed or compacted.
  std::uint64_t stall_micros = 0;                     // How long both took.
  std::optional<std::uint64_t> disk_free_bytes = {};  // Of its file system, for this user.

  // What only grows starts at 0 when a database is opened: `before` was counted before that.
  void add_counters(const StoreFigures& before);
};

// One process per directory (RocksDB's lock). Rows live in a vector memtable: nothing may read a
// row while the store is written to; scans happen at start.
class RocksdbStateStore final : public StateStore {
 public:
  ~RocksdbStateStore() override;

  absl::Status scan(StoreKind kind, std::int32_t partition, const Visit& visit) override;
  absl::StatusOr<std::optional<std::string>> find(StoreKind kind, std::int32_t partition,
                                                  std::string_view key) override;
  absl::Status write(std::span<const StoreWrite> writes) override;
  absl::Status drop_partition(std::int32_t partition) override;

  // Any thread, also while it is written to. Some tenths of a millisecond.
  StoreFigures figures() const;

  // From here on all this store does is done to a branch: a copy that shares its files, in the
  // subdirectory `branch`. What is there so far stays as it is, for whoever opens it to write next;
  // who opens it to read sees the branch. A crash at any moment leaves the one or the other.
  absl::Status branch();
  // Before that: a branch that an earlier process left is no more.
  absl::Status drop_branch();

 private:
  class Database;
  friend absl::StatusOr<std::unique_ptr<RocksdbStateStore>> open_rocksdb_store(
      const RocksdbOptions& options);

  RocksdbStateStore(RocksdbOptions options, std::unique_ptr<Database> database);

  RocksdbOptions options_;
  mutable std::shared_mutex branching_;  // Nothing is written meanwhile.
  std::unique_ptr<Database> trunk_;      // Where there is a branch.
  std::unique_ptr<Database> database_;
};

// kFailedPrecondition: another process has it open. kNotFound (read only): none there. kDataLoss:
// damaged, as later scans may find too.
absl::StatusOr<std::unique_ptr<RocksdbStateStore>> open_rocksdb_store(
    const RocksdbOptions& options);

// Where the branch of the store in `directory` is, if there is one.
std::string branch_directory(const std::string& directory);
// Whether a store has ever been opened there to write.
bool is_store_directory(const std::string& directory);

// Renames a directory that nothing has open, so that a new one takes its place; returns the name it
// has now.
absl::StatusOr<std::string> set_aside(const std::string& directory);

}  // namespace rfm
