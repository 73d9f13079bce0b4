#include "stream/pipeline/partition_restore.h"

#include <fmt/core.h>

#include <utility>

#include "state/row_codec.h"
#include "stream/format/changelog_codec.h"

namespace rfm {
namespace {

constexpr std::size_t kBatchBytesMax = std::size_t{8} << 20;

}  // namespace

PartitionRestore::PartitionRestore(std::unique_ptr<LanePartition> partition, StateStore& store,
                                   const TimeContext& logs, const StopLimit* stop)
    : partition_(std::move(partition)), store_(store), logs_(logs), stop_(stop) {}

absl::Status PartitionRestore::check_stop() const {
  if (stop_ == nullptr || !stop_->asked()) return absl::OkStatus();
  return absl::CancelledError("stopped while a partition was restored");
}

absl::Status PartitionRestore::read_store() {
  absl::StatusOr<std::optional<PartitionMeta>> stored = read_meta(store_, partition_->id());
  if (!stored.ok()) return stored.status();
  if (*stored) partition_->meta() = **std::move(stored);
  absl::Status scanned = store_.scan(StoreKind::kRow, partition_->id(),
                                     [this](std::string_view customer_id, std::string_view bytes) {
                                       return restore_row(customer_id, bytes);
                                     });
  if (!scanned.ok()) return scanned;
  return store_.scan(
      StoreKind::kBook, partition_->id(),
      [this](std::string_view key, std::string_view bytes) { return restore_cell(key, bytes); });
}

absl::Status PartitionRestore::restore_cell(std::string_view key, std::string_view bytes) {
  if (const absl::Status stopped = check_stop(); !stopped.ok()) return stopped;
  if (partition_->partition.books().restore(key, bytes)) return absl::OkStatus();
  return absl::DataLossError(fmt::format(
      "a cell of the books is damaged, or of a newer version ({} bytes)", bytes.size()));
}

absl::Status PartitionRestore::restore_row(std::string_view customer_id, std::string_view bytes) {
  if (const absl::Status stopped = check_stop(); !stopped.ok()) return stopped;
  absl::StatusOr<CustomerRow> row = decode_row(customer_id, bytes, logs_);
  if (!row.ok()) return row.status();
  partition_->partition.rows().restore(*std::move(row));
  return absl::OkStatus();
}

// Rows go to the store while more is read; the meta row, which makes them count, follows them all.
// Until then the store still belongs to the old position, from which a next start catches up again:
// the changelog's last word on a row is the same however often it is heard.
absl::Status PartitionRestore::apply(const RecordView& record) {
  absl::StatusOr<StoreWrite> write = decode_changelog(partition_->id(), record);
  if (!write.ok()) return write.status();
  behind_ = true;
  if (write->kind == StoreKind::kMeta) {
    absl::StatusOr<PartitionMeta> meta = decode_meta(*write->value);
    if (!meta.ok()) return meta.status();
    partition_->meta() = *std::move(meta);
    partition_->meta().changelog_next = record.offset + 1;
    return absl::OkStatus();
  }
  absl::Status restored;
  if (write->kind == StoreKind::kRow && write->value) {
    restored = restore_row(write->key, *write->value);
  } else if (write->kind == StoreKind::kRow) {
    partition_->partition.rows().forget(write->key);
  } else if (write->kind == StoreKind::kBook && write->value) {
    restored = restore_cell(write->key, *write->value);
  } else if (write->kind == StoreKind::kBook) {
    partition_->partition.books().forget(write->key);
  }
  if (!restored.ok()) return restored;
  batch_bytes_ += write->key.size() + (write->value ? write->value->size() : 0);
  batch_.push_back(*std::move(write));
  return batch_bytes_ < kBatchBytesMax ? absl::OkStatus() : write_batch();
}

absl::Status PartitionRestore::finish() {
  if (!behind_) return absl::OkStatus();
  batch_.push_back(meta_write(partition_->id(), partition_->meta()));
  return write_batch();
}

absl::Status PartitionRestore::index() {
  Partition& partition = partition_->partition;
  partition.books().index(partition.meta());
  for (std::size_t next = 0; next < partition.rows().places();) {
    if (const absl::Status stopped = check_stop(); !stopped.ok()) return stopped;
    next = partition.index_rows(next);
  }
  return absl::OkStatus();
}

absl::Status PartitionRestore::write_batch() {
  batch_bytes_ = 0;
  const std::vector<StoreWrite> batch = std::exchange(batch_, {});
  return store_.write(batch);
}

void Partition::give_up(const LossRecord& loss) {
  meta_.next_offset = loss.to;
  meta_.last_record = {};
  meta_.counters.given_up += static_cast<std::uint64_t>(loss.offsets);
  // Where the service went live is told in offsets of the topic before.
  if (loss.another_topic) options_.go_live_offset = std::min(options_.go_live_offset, loss.to);
}

}  // namespace rfm
