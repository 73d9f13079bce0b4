#include "stream/run/state_snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "state/rocksdb_state_store.h"
#include "state/row_codec.h"
#include "stream/analyse/customer_view.h"
#include "stream/kafka/kafka_reader.h"
#include "stream/run/model_fit.h"
#include "stream/run/whole_store.h"

namespace rfm {
namespace {

// An instance may own only some partitions: the first one is looked for among so many.
constexpr PartitionId kPartitionsMax = 100'000;

// A person waits for the answer.
constexpr std::chrono::milliseconds kBrokerTimeout{10'000};

}  // namespace

absl::StatusOr<std::vector<PartitionSnapshot>> stored_partitions(StateStore& store) {
  std::vector<PartitionSnapshot> partitions;
  PartitionId count = kPartitionsMax;
  for (PartitionId p = 0; p < count; ++p) {
    absl::StatusOr<std::optional<PartitionMeta>> meta = read_meta(store, p);
    if (!meta.ok()) return meta.status();
    if (!*meta) continue;
    count = (*meta)->partition_count;
    partitions.push_back({p, **std::move(meta)});
  }
  return partitions;
}

absl::StatusOr<std::unique_ptr<StateSnapshot>> StateSnapshot::open(const std::string& directory) {
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error))
    return absl::NotFoundError(fmt::format("there is no state directory {}", directory));
  if (!is_store_directory(directory)) {
    return absl::NotFoundError(
        fmt::format("{} is not a state directory: `run` and `replay --state` make one", directory));
  }
  absl::StatusOr<std::unique_ptr<StateStore>> store =
      open_whole_store(directory, StoreAccess::kReadOnly);
  if (!store.ok()) return store.status();
  std::unique_ptr<StateSnapshot> snapshot(new StateSnapshot(directory, *std::move(store)));
  const absl::Status read = snapshot->read_partitions();
  if (!read.ok()) return read;
  return snapshot;
}

absl::Status StateSnapshot::read_partitions() {
  absl::StatusOr<std::vector<PartitionSnapshot>> partitions = stored_partitions(*store_);
  if (!partitions.ok()) return partitions.status();
  partitions_ = *std::move(partitions);
  if (!partitions_.empty()) return absl::OkStatus();
  return absl::NotFoundError(
      fmt::format("state directory {} is empty: nothing has been committed yet", directory_));
}

absl::StatusOr<std::vector<ModelLogRecord>> StateSnapshot::topic_log(
    const KafkaOptions& kafka) const {
  const std::string topic = topic_names(kafka).model;
  const auto explained = [&](const absl::Status& status) {
    return absl::Status(
        status.code(),
        fmt::format("{} belongs to the service {}, whose rules and models are in topic {}, and "
                    "that cannot be read from {}: {} (kafka.brokers says where it is)",
                    directory_, kafka.application, topic, kafka.brokers,
                    std::string(status.message())));
  };
  absl::StatusOr<std::unique_ptr<KafkaReader>> reader = KafkaReader::open(kafka);
  if (!reader.ok()) return explained(reader.status());
  std::vector<ModelLogRecord> records;
  const absl::StatusOr<Offset> read =
      (*reader)->read_to_end(topic, 0, kFromBeginning, [&](const RecordView& record) {
        if (record.key && record.value)
          records.push_back({std::string(*record.key), std::string(*record.value)});
        return absl::OkStatus();
      });
  if (!read.ok()) return explained(read.status());
  return records;
}

absl::Status StateSnapshot::read_model(KafkaOptions kafka, RulesReader& reader) {
  absl::StatusOr<std::vector<ModelLogRecord>> records = read_model_log(*store_);
  if (records.ok() && records->empty()) {
    kafka.application = partitions_.front().meta.application;
    kafka.request_timeout = std::min(kafka.request_timeout, kBrokerTimeout);
    records = topic_log(kafka);
  }
  if (!records.ok()) return records.status();
  absl::StatusOr<ModelLog> log = decode_model_log(*records);
  if (!log.ok()) return log.status();
  if (log->rules.empty()) {
    return absl::DataLossError(
        fmt::format("state directory {}: the model log has no rules", directory_));
  }
  records_ = std::move(log->rules);
  absl::StatusOr<RulesHistory> rules = read_rules_history(records_, reader);
  if (!rules.ok()) return rules.status();
  rules_ = *std::move(rules);
  for (const LaterRules& later : rules_.later)
    models_.append_rules(later.rules, *later.record.effective_epoch);
  for (ModelVersion& version : log->versions) {
    if (!models_.started()) models_.start_at(version.trained_epoch);
    models_.append(std::make_shared<const ModelVersion>(std::move(version)));
  }
  for (const PartitionSnapshot& partition : partitions_) {
    if (reach(models_, partition.meta)) continue;
    return absl::DataLossError(fmt::format(
        "state directory {}: the model log ends before partition {}", directory_, partition.id));
  }
  return absl::OkStatus();
}

EventTime StateSnapshot::clock() const {
  EventTime clock = kBeforeAll;
  for (const PartitionSnapshot& partition : partitions_)
    clock = std::max(clock, partition.meta.watermark);
  return clock;
}

absl::Status StateSnapshot::for_each(const Visit& visit) const {
  for (const PartitionSnapshot& partition : partitions_) {
    absl::Status scanned = store_->scan(
        StoreKind::kRow, partition.id, [&](std::string_view key, std::string_view bytes) {
          absl::StatusOr<CustomerRow> row = decode_row(key, bytes, logs());
          return row.ok() ? visit(partition, *std::move(row)) : row.status();
        });
    if (!scanned.ok()) return scanned;
  }
  return absl::OkStatus();
}

absl::Status StateSnapshot::for_each_cell(PartitionId partition, const VisitCell& visit) const {
  return store_->scan(StoreKind::kBook, partition, visit);
}

absl::StatusOr<std::optional<StateSnapshot::Found>> StateSnapshot::find(
    std::string_view customer_id) const {
  std::optional<Found> found;
  for (const PartitionSnapshot& partition : partitions_) {
    absl::Status scanned = store_->scan(
        StoreKind::kRow, partition.id, [&](std::string_view key, std::string_view bytes) {
          if (key != customer_id) return absl::OkStatus();
          absl::StatusOr<CustomerRow> row = decode_row(key, bytes, logs());
          if (!row.ok()) return row.status();
          found.emplace(Found{partition, *std::move(row)});
          return absl::OkStatus();
        });
    if (!scanned.ok()) return scanned;
    if (found) break;
  }
  return found;
}

absl::StatusOr<std::uint64_t> StateSnapshot::customer_count() const {
  std::uint64_t count = 0;
  for (const PartitionSnapshot& partition : partitions_) {
    absl::Status scanned =
        store_->scan(StoreKind::kRow, partition.id, [&](std::string_view, std::string_view) {
          ++count;
          return absl::OkStatus();
        });
    if (!scanned.ok()) return scanned;
  }
  return count;
}

CustomerFacts StateSnapshot::facts_at_clock(const CustomerRow& row,
                                            const PartitionMeta& meta) const {
  return rfm::facts_at_clock(row, meta.watermark, logs());
}

}  // namespace rfm
