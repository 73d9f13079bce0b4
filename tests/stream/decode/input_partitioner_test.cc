#include "stream/decode/input_partitioner.h"

#include <gtest/gtest.h>

namespace rfm {
namespace {

// Kafka's own hashes of these keys (UtilsTest of its Java client), their sign bit cleared,
// modulo 8.
TEST(InputPartitioner, Murmur2IsJavasDefault) {
  EXPECT_EQ(partition_of(InputPartitioner::kMurmur2, "21", 8), (-973932308 & 0x7fffffff) % 8);
  EXPECT_EQ(partition_of(InputPartitioner::kMurmur2, "foobar", 8), (-790332482 & 0x7fffffff) % 8);
  EXPECT_EQ(partition_of(InputPartitioner::kMurmur2, "a-little-bit-long-string", 8),
            (-985981536 & 0x7fffffff) % 8);
}

// The check value of CRC-32: "123456789" gives cbf43926.
TEST(InputPartitioner, Crc32IsLibrdkafkasDefault) {
  EXPECT_EQ(partition_of(InputPartitioner::kCrc32, "123456789", 7), 0xcbf43926U % 7);
}

TEST(InputPartitioner, AnyExpectsNoPartition) {
  EXPECT_EQ(partition_of(InputPartitioner::kAny, "21", 8), std::nullopt);
}

}  // namespace
}  // namespace rfm
