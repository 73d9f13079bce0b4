// The way of one partition into memory: what the store holds, then what the changelog has beyond
// it, which goes to the store as well.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "state/state_store.h"
#include "state/time_context.h"
#include "stream/format/partition_meta.h"
#include "stream/pipeline/lane_partition.h"
#include "stream/record/record.h"
#include "stream/record/stop_limit.h"

namespace rfm {

class PartitionRestore {
 public:
  // `store`, what `logs` refers to and `stop` (absent: nobody asks) outlive it. Once a stop is
  // asked every call soon says kCancelled.
  PartitionRestore(std::unique_ptr<LanePartition> partition, StateStore& store,
                   const TimeContext& logs, const StopLimit* stop);

  absl::Status read_store();

  // How far the state is, at first as the store has it.
  const PartitionMeta& meta() const { return partition_->meta(); }

  // One record of the changelog, from `meta().changelog_next` on.
  absl::Status apply(const RecordView& record);
  // The changelog has been read to its end.
  absl::Status finish();

  // Derives from the rows what is derived of them. After all else.
  absl::Status index();

  std::unique_ptr<LanePartition> take() { return std::move(partition_); }

 private:
  absl::Status check_stop() const;
  absl::Status restore_row(std::string_view customer_id, std::string_view bytes);
  absl::Status restore_cell(std::string_view key, std::string_view bytes);
  absl::Status write_batch();

  std::unique_ptr<LanePartition> partition_;
  StateStore& store_;
  TimeContext logs_;
  const StopLimit* stop_;
  bool behind_ = false;  // The changelog held more than the store.
  std::vector<StoreWrite> batch_;
  std::size_t batch_bytes_ = 0;
};

}  // namespace rfm
