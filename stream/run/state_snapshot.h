// A state directory as it is on disk, read only: positions, rows, and the model they are judged by.
// The service may be running meanwhile; what is seen is what it had stored at `open`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "state/book.h"
#include "state/customer_row.h"
#include "state/model_timeline.h"
#include "state/state_store.h"
#include "state/time_context.h"
#include "state/transition.h"
#include "stream/format/model_log.h"
#include "stream/format/partition_meta.h"
#include "stream/kafka/kafka_options.h"
#include "stream/run/rules_reader.h"

namespace rfm {

struct PartitionSnapshot {
  PartitionId id = 0;
  PartitionMeta meta;
};

// Those that a store has committed anything of, by number.
absl::StatusOr<std::vector<PartitionSnapshot>> stored_partitions(StateStore& store);

class StateSnapshot {
 public:
  // kNotFound: no such directory, or nothing of ours in it.
  static absl::StatusOr<std::unique_ptr<StateSnapshot>> open(const std::string& directory);

  // Where the model log is in the store (file mode), it is read from there; else from the topic of
  // the application whose state this is. Errors say which of the two failed. Call it before what
  // follows.
  absl::Status read_model(KafkaOptions kafka, RulesReader& reader);

  // At least one.
  const std::vector<RulesRecord>& rules_records() const { return records_; }
  const RulesHistory& rules() const { return rules_; }
  TimeContext logs() const { return {rules_.first.rules, models_}; }
  const std::vector<PartitionSnapshot>& partitions() const { return partitions_; }
  // The latest watermark; kBeforeAll if nothing has happened yet.
  EventTime clock() const;

  // In order of partition and customer id, until `visit` returns an error.
  using Visit = std::function<absl::Status(const PartitionSnapshot& partition, CustomerRow row)>;
  absl::Status for_each(const Visit& visit) const;

  // The cells of the partition's books, in order of key.
  using VisitCell = std::function<absl::Status(std::string_view key, std::string_view bytes)>;
  absl::Status for_each_cell(PartitionId partition, const VisitCell& visit) const;

  struct Found {
    PartitionSnapshot partition;
    CustomerRow row;
  };
  // Absent: no such customer.
  absl::StatusOr<std::optional<Found>> find(std::string_view customer_id) const;

  absl::StatusOr<std::uint64_t> customer_count() const;

  // The customer as of the partition's clock, or of the row's own where that is later. A row with
  // an open invoice is as it was before that invoice.
  CustomerFacts facts_at_clock(const CustomerRow& row, const PartitionMeta& meta) const;

 private:
  StateSnapshot(std::string directory, std::unique_ptr<StateStore> store)
      : directory_(std::move(directory)), store_(std::move(store)) {}

  absl::Status read_partitions();
  absl::StatusOr<std::vector<ModelLogRecord>> topic_log(const KafkaOptions& kafka) const;

  std::string directory_;
  std::unique_ptr<StateStore> store_;
  std::vector<PartitionSnapshot> partitions_;
  std::vector<RulesRecord> records_;
  RulesHistory rules_;
  ModelTimeline models_;
};

}  // namespace rfm
