// Contributions as stored: in chunks of at most kContributionChunkBytes, keyed so that a compacted
// topic keeps the last 28 weeks of each partition. See docs/formats.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/contribution.h"
#include "stream/record/record.h"

namespace rfm {

inline constexpr std::int64_t kContributionEpochsKept = 196;
inline constexpr std::size_t kContributionChunkBytes = std::size_t{512} << 10;

struct ContributionChunk {
  std::string key;  // Partition, epoch mod 196, chunk.
  std::string value;
};

std::vector<ContributionChunk> encode_contribution(PartitionId partition,
                                                   const Contribution& contribution);

// Puts chunks, which may come in any order and be overwritten by later epochs, together again.
class ContributionAssembler {
 public:
  explicit ContributionAssembler(int partition_count) : partition_count_(partition_count) {}

  absl::Status add(std::string_view key, std::string_view value);

  // The contributions by (epoch, partition). kDataLoss names one that is not whole: its partition
  // does not contribute again, so a trainer that went on without it would wait for ever.
  absl::StatusOr<std::map<std::pair<std::int64_t, PartitionId>, Contribution>> take();

 private:
  struct Parts {
    std::int64_t epoch = 0;
    std::uint64_t chunk_count = 0;
    std::map<std::uint64_t, std::string> chunks;
  };

  int partition_count_;
  std::map<std::pair<PartitionId, std::int64_t>, Parts> parts_;  // By partition and epoch mod 196.
};

}  // namespace rfm
