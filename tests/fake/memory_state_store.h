// A state store in memory: what it holds outlives the lanes that write to it, as a directory would.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>

#include "state/state_store.h"

namespace rfm {

class MemoryStateStore final : public StateStore {
 public:
  absl::Status scan(StoreKind kind, std::int32_t partition, const Visit& visit) override;
  absl::Status write(std::span<const StoreWrite> writes) override;
  absl::Status drop_partition(std::int32_t partition) override;

  // The write `n` writes from now (0: the next) fails and changes nothing; later ones work.
  void fail_at_write(std::uint64_t n) { fail_at_ = writes_ + n; }
  std::uint64_t writes() const { return writes_; }

 private:
  using Key = std::tuple<StoreKind, std::int32_t, std::string>;

  mutable std::mutex mutex_;
  std::map<Key, std::string> records_;
  std::uint64_t writes_ = 0;
  std::optional<std::uint64_t> fail_at_;
};

}  // namespace rfm
