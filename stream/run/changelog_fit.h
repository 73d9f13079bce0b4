// Whether a state directory and a changelog belong together, and what to do where they do not.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/format/partition_meta.h"
#include "stream/kafka/kafka_options.h"
#include "stream/kafka/kafka_reader.h"
#include "stream/record/record.h"

namespace rfm {

// The last commit that the changelog holds; absent: none.
absl::StatusOr<std::optional<PartitionMeta>> last_commit(KafkaReader& changelog,
                                                         const std::string& topic,
                                                         PartitionId partition);

// Why what the changelog holds does not go on from the store's last commit; empty: it does. It is
// another topic by the same name, say, or has lost its end.
absl::StatusOr<std::string> find_misfit(KafkaReader& changelog, const std::string& topic,
                                        PartitionId partition, const PartitionMeta& stored);

// Why the changelog may have forgotten deletions that the store has not seen, since it keeps them
// `kept` long; empty: it has not.
absl::StatusOr<std::string> find_forgotten(KafkaReader& changelog, const std::string& topic,
                                           PartitionId partition, const PartitionMeta& stored,
                                           std::int64_t now_ms, std::chrono::milliseconds kept);

// How far each says that the input is.
struct Witnesses {
  Offset committed = 0;          // The group.
  Offset stored = 0;             // The state directory.
  std::optional<Offset> logged;  // The changelog.
};

// kFailedPrecondition: why the changelog cannot be used, and the way on, which is `command` where
// the state is whole.
absl::Status refuse_changelog(const KafkaOptions& options, PartitionId partition,
                              const Witnesses& witnesses, const std::string& misfit,
                              const std::string& command);

// Damage in a topic is no damage of the state directory, which has to stay.
absl::Status of_log(const absl::Status& status);

}  // namespace rfm
