#include "tests/fake/memory_state_store.h"

#include <optional>
#include <utility>
#include <vector>

namespace rfm {

namespace {

absl::Status failed() { return absl::ResourceExhaustedError("the disk fails"); }

}  // namespace

absl::Status MemoryStateStore::scan(StoreKind kind, std::int32_t partition, const Visit& visit) {
  const std::optional<FaultKind> fault = faults_.next(Seam::kScan);
  if (fault == FaultKind::kBefore) return failed();
  std::vector<std::pair<std::string, std::string>> found;
  {
    const std::scoped_lock lock(mutex_);
    for (auto it = records_.lower_bound({kind, partition, ""}); it != records_.end(); ++it) {
      const auto& [key_kind, key_partition, key] = it->first;
      if (key_kind != kind || key_partition != partition) break;
      found.emplace_back(key, it->second);
    }
  }
  for (const auto& [key, value] : found) {
    const absl::Status visited = visit(key, value);
    if (!visited.ok()) return visited;
  }
  return fault ? failed() : absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> MemoryStateStore::find(StoreKind kind,
                                                                  std::int32_t partition,
                                                                  std::string_view key) {
  const std::optional<FaultKind> fault = faults_.next(Seam::kFind);
  if (fault) return failed();
  const std::scoped_lock lock(mutex_);
  const auto found = records_.find({kind, partition, std::string(key)});
  if (found == records_.end()) return std::nullopt;
  return found->second;
}

absl::Status MemoryStateStore::write(std::span<const StoreWrite> writes) {
  const std::optional<FaultKind> fault = faults_.next(Seam::kWrite);
  if (fault == FaultKind::kBefore) return failed();
  const std::scoped_lock lock(mutex_);
  for (const StoreWrite& write : writes) {
    const Key key{write.kind, write.partition, write.key};
    if (write.value) {
      records_.insert_or_assign(key, *write.value);
    } else {
      records_.erase(key);
    }
  }
  return fault ? failed() : absl::OkStatus();
}

absl::Status MemoryStateStore::drop_partition(std::int32_t partition) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(records_,
                [&](const auto& record) { return std::get<1>(record.first) == partition; });
  return absl::OkStatus();
}

}  // namespace rfm
