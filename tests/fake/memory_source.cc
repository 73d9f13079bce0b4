#include "tests/fake/memory_source.h"

#include <algorithm>

namespace rfm {

namespace {

absl::Status failed() { return absl::UnavailableError("no broker to read from"); }

}  // namespace

MemorySource::MemorySource(const MemoryInput& input, std::optional<std::uint64_t> random_batches,
                           Faults& faults)
    : input_(input), faults_(faults) {
  if (random_batches) random_.emplace(*random_batches);
}

absl::StatusOr<std::span<const RecordView>> MemorySource::read(PartitionId partition,
                                                               std::size_t records_max) {
  const std::optional<FaultKind> fault = faults_.next(Seam::kRead);
  if (fault == FaultKind::kBefore) return failed();
  const std::vector<MemoryRecord>& all = records(partition);
  Offset& next = next_[partition];
  std::vector<RecordView>& batch = batches_[partition];
  batch.clear();
  const std::size_t count = random_ ? 1 + (*random_)() % records_max : records_max;
  const std::size_t end = std::min(all.size(), static_cast<std::size_t>(next) + count);
  for (; static_cast<std::size_t>(next) < end; ++next) {
    const MemoryRecord& record = all[static_cast<std::size_t>(next)];
    RecordView view;
    view.key = record.key;
    view.value = record.value;
    view.offset = next;
    view.received_ms = record.received_ms;
    view.received_by_broker = record.received_by_broker;
    batch.push_back(view);
  }
  if (fault) return failed();
  return std::span<const RecordView>(batch);
}

absl::Status MemorySource::service() {
  return faults_.next(Seam::kService) ? failed() : absl::OkStatus();
}

bool MemorySource::at_end(PartitionId partition) const {
  const auto next = next_.find(partition);
  return next != next_.end() && static_cast<std::size_t>(next->second) >= records(partition).size();
}

}  // namespace rfm
