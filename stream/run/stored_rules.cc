#include "stream/run/stored_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "state/rocksdb_state_store.h"
#include "stream/format/partition_meta.h"

namespace rfm {
namespace {

// The last epoch whose version is logged, or, while none is, the one before the first to be.
absl::StatusOr<std::int64_t> trained_through(const ModelLog& log, StateStore& store) {
  if (!log.versions.empty()) return log.versions.back().trained_epoch;
  std::optional<std::int64_t> first;
  PartitionId count = 1;
  for (PartitionId p = 0; p < count; ++p) {
    const absl::StatusOr<std::optional<PartitionMeta>> meta = read_meta(store, p);
    if (!meta.ok()) return meta.status();
    if (!*meta) continue;
    count = (*meta)->partition_count;
    if ((*meta)->started)
      first = std::min(first.value_or((*meta)->first_boundary), (*meta)->first_boundary);
  }
  if (!first) return absl::FailedPreconditionError("nothing has been applied yet");
  return *first - 1;
}

}  // namespace

absl::StatusOr<RulesRecord> change_stored_rules(const std::string& directory,
                                                const RulesRequest& request, RulesReader& reader) {
  const absl::StatusOr<std::unique_ptr<RocksdbStateStore>> store =
      open_rocksdb_store({.directory = directory});
  if (!store.ok()) return store.status();
  const absl::StatusOr<std::vector<ModelLogRecord>> records = read_model_log(**store);
  if (!records.ok()) return records.status();
  if (records->empty()) {
    return absl::FailedPreconditionError(fmt::format(
        "{} belongs to a service, whose model log is a topic: leave out --state", directory));
  }
  const absl::StatusOr<ModelLog> log = decode_model_log(*records);
  if (!log.ok()) return log.status();
  const absl::StatusOr<RulesHistory> history = read_rules_history(log->rules, reader);
  if (!history.ok()) return history.status();
  absl::StatusOr<LaterRules> next = next_rules(*history, log->rules.back(), request, reader);
  if (!next.ok()) return next.status();
  const absl::StatusOr<std::int64_t> through = trained_through(*log, **store);
  if (!through.ok()) return through.status();
  // As the trainer has it (stream/pipeline/trainer.cc).
  next->record.effective_epoch =
      std::max(*through + 2, log->rules.back().effective_epoch.value_or(0));
  const ModelLogRecord record = encode_rules(next->record);
  const std::array<StoreWrite, 1> writes = {
      StoreWrite{StoreKind::kModelLog, 0, record.key, record.value}};
  if (const absl::Status dropped = (*store)->drop_branch(); !dropped.ok()) return dropped;
  if (const absl::Status written = (*store)->write(writes); !written.ok()) return written;
  return next->record;
}

}  // namespace rfm
