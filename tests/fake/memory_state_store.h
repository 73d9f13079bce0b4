// A state store in memory: what it holds outlives the lanes that write to it, as a directory would.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "state/state_store.h"
#include "tests/fake/faults.h"

namespace rfm {

class MemoryStateStore final : public StateStore {
 public:
  // `faults` outlives it.
  explicit MemoryStateStore(Faults& faults) : faults_(faults) {}

  absl::Status scan(StoreKind kind, std::int32_t partition, const Visit& visit) override;
  absl::StatusOr<std::optional<std::string>> find(StoreKind kind, std::int32_t partition,
                                                  std::string_view key) override;
  absl::Status write(std::span<const StoreWrite> writes) override;
  absl::Status drop_partition(std::int32_t partition) override;

 private:
  using Key = std::tuple<StoreKind, std::int32_t, std::string>;

  Faults& faults_;
  mutable std::mutex mutex_;
  std::map<Key, std::string> records_;
};

}  // namespace rfm
