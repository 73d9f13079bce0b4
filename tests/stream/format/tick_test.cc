#include "stream/format/tick.h"

#include <gtest/gtest.h>

namespace rfm {
namespace {

TEST(Tick, ReadsWhatItWrites) {
  const Tick tick{.offset = 9'007'199'254'740'993, .time = from_ms(1'291'192'000'123)};
  EXPECT_EQ(encode_tick(tick), R"({"offset":9007199254740993,"time":"2010-12-01T08:26:40.123Z"})");
  const absl::StatusOr<Tick> read = decode_tick(encode_tick(tick));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, tick);
}

TEST(Tick, SaysWhatAnIdlePartitionContributed) {
  const Tick tick{.offset = 12, .contributes = 19'830};
  EXPECT_EQ(encode_tick(tick), R"({"offset":12,"contributes":19830})");
  const absl::StatusOr<Tick> read = decode_tick(encode_tick(tick));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, tick);
}

TEST(Tick, RefusesAnythingElse) {
  for (const char* text :
       {"", "7", "{}", R"({"offset":1})", R"({"time":"2024-01-01T00:00:00Z"})",
        R"({"offset":1.5,"time":"2024-01-01T00:00:00Z"})", R"({"offset":1,"time":"yesterday"})",
        R"({"offset":1,"time":3})", R"({"offset":1,"contributes":"2"})",
        R"({"offset":1,"contributes":2,"time":"2024-01-01T00:00:00Z"})"}) {
    EXPECT_EQ(decode_tick(text).status().code(), absl::StatusCode::kDataLoss) << text;
  }
}

}  // namespace
}  // namespace rfm
