// RocksDB behind the store's seam: one database, one column family per kind, keys prefixed by
// partition.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "state/state_store.h"

namespace rfm {

enum class StoreAccess : std::uint8_t { kReadWrite, kReadOnly };

struct RocksdbOptions {
  std::string directory;
  StoreAccess access = StoreAccess::kReadWrite;
};

// One process per directory (RocksDB's lock). Rows live in a vector memtable: nothing may read a
// row while the store is written to; scans happen at start. kFailedPrecondition: another process
// has it open. kNotFound (read only): none there. kDataLoss: damaged, as later scans may find too.
absl::StatusOr<std::unique_ptr<StateStore>> open_rocksdb_store(const RocksdbOptions& options);

// Renames a directory that nothing has open, so that a new one takes its place; returns the name it
// has now.
absl::StatusOr<std::string> set_aside(const std::string& directory);

}  // namespace rfm
