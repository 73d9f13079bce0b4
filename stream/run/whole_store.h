// A store that its owner may be writing to meanwhile, opened to be read.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "state/rocksdb_state_store.h"

namespace rfm {

// All of it as of one moment. `access` is to read. kUnavailable: each time it was opened its files
// changed.
absl::StatusOr<std::unique_ptr<RocksdbStateStore>> open_whole_store(const std::string& directory,
                                                                    StoreAccess access);

}  // namespace rfm
