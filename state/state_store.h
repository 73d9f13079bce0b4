// The durable copy of the resident rows. Seam: RocksDB (state/rocksdb_state_store.h), memory in
// tests. It holds committed data only, together with the input position it belongs to, in one
// write.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rfm {

enum class StoreKind : std::uint8_t {
  kRow,           // Key: customer id.
  kMeta,          // Key: empty; the partition's position, watermark and counters.
  kContribution,  // Key: epoch mod 196 and chunk (file mode only; with Kafka they are in a topic).
  kModelLog,      // Key: as in the model log (file mode only).
  kBook,          // Key: of a book's cell (state/book.h).
  kSaleLines,     // Key: state/sale_lines.h.
};
inline constexpr int kStoreKindCount = 6;

struct StoreWrite {
  StoreKind kind = StoreKind::kRow;
  std::int32_t partition = 0;
  std::string key;
  std::optional<std::string> value;  // Absent: delete.
};

class StateStore {
 public:
  StateStore() = default;
  StateStore(const StateStore&) = delete;
  StateStore& operator=(const StateStore&) = delete;
  virtual ~StateStore() = default;

  using Visit = std::function<absl::Status(std::string_view key, std::string_view value)>;

  // Visits all records of one kind and partition in order of key. Not while writes of that
  // partition run.
  virtual absl::Status scan(StoreKind kind, std::int32_t partition, const Visit& visit) = 0;

  // What the store holds under a key; absent: nothing. Of kSaleLines only, also while writes run.
  virtual absl::StatusOr<std::optional<std::string>> find(StoreKind kind, std::int32_t partition,
                                                          std::string_view key) = 0;

  // All or nothing, durable against a crash of the process. Thread-safe. An error leaves the store
  // unusable: the process must end and start again.
  virtual absl::Status write(std::span<const StoreWrite> writes) = 0;

  // Deletes everything of one partition.
  virtual absl::Status drop_partition(std::int32_t partition) = 0;
};

}  // namespace rfm
