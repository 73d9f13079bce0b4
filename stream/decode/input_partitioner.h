// Where producers put a customer's records, so that a record on another partition can be told.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "stream/record/record.h"

namespace rfm {

enum class InputPartitioner : std::uint8_t {
  kAny,      // Not checked.
  kMurmur2,  // Java's default.
  kCrc32,    // librdkafka's default.
};

// The partition of a key among `partition_count`; absent for kAny.
std::optional<PartitionId> partition_of(InputPartitioner partitioner, std::string_view key,
                                        int partition_count);

}  // namespace rfm
