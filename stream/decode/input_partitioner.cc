#include "stream/decode/input_partitioner.h"

#include <librdkafka/rdkafka.h>

namespace rfm {

// librdkafka's own functions, which need no topic handle for a key that is not null.
std::optional<PartitionId> partition_of(InputPartitioner partitioner, std::string_view key,
                                        int partition_count) {
  switch (partitioner) {
    case InputPartitioner::kMurmur2:
      return rd_kafka_msg_partitioner_murmur2(nullptr, key.data(), key.size(), partition_count,
                                              nullptr, nullptr);
    case InputPartitioner::kCrc32:
      return rd_kafka_msg_partitioner_consistent(nullptr, key.data(), key.size(), partition_count,
                                                 nullptr, nullptr);
    case InputPartitioner::kAny:
      break;
  }
  return std::nullopt;
}

}  // namespace rfm
