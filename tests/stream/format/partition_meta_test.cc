// Goal: a partition's meta row comes back as it was committed, whatever version wrote it.
#include "stream/format/partition_meta.h"

#include <gtest/gtest.h>

#include "state/byte_codec.h"
#include "tests/golden/golden_file.h"

namespace rfm {
namespace {

PartitionMeta full_meta() {
  PartitionMeta meta;
  meta.next_offset = 1'200;
  meta.commit_number = 7;
  meta.changelog_next = 3'400;
  meta.started = true;
  meta.max_event_time = from_ms(1'322'000'000'000);
  meta.watermark = from_ms(1'321'999'940'000);
  meta.last_received_ms = 1'322'000'000'500;
  meta.first_boundary = 15'300;
  meta.crossed = 15'301;
  meta.contributed = 15'302;
  meta.go_live_watermark = from_ms(1'321'000'000'000);
  meta.counters.records = 1'000;
  meta.counters.applied = 990;
  meta.counters.duplicate = 3;
  meta.counters.erased = 1;
  meta.counters.ignored[1] = 2;
  meta.counters.dead_lettered[0] = 4;
  meta.counters.late = 11;
  meta.counters.invoices_settled = 12;
  meta.counters.invoices_rejected = 13;
  meta.counters.transitions = 14;
  meta.counters.suppressed = 15;
  meta.application = "shop";
  meta.input_topic = "invoices";
  meta.partition_count = 4;
  meta.file_lengths[2] = 99;
  meta.input_mark = 5;
  return meta;
}

void expect_common(const PartitionMeta& expected, const PartitionMeta& actual) {
  EXPECT_TRUE(same_progress(expected, actual));
  EXPECT_EQ(actual.next_offset, expected.next_offset);
  EXPECT_EQ(actual.commit_number, expected.commit_number);
  EXPECT_EQ(actual.changelog_next, expected.changelog_next);
  EXPECT_EQ(actual.last_received_ms, expected.last_received_ms);
  EXPECT_EQ(actual.contributed, expected.contributed);
  EXPECT_EQ(actual.go_live_watermark, expected.go_live_watermark);
  EXPECT_EQ(actual.input_topic, expected.input_topic);
  EXPECT_EQ(actual.partition_count, expected.partition_count);
  EXPECT_EQ(actual.file_lengths, expected.file_lengths);
  EXPECT_EQ(actual.input_mark, expected.input_mark);
}

// With what version one did not have.
PartitionMeta later_meta() {
  PartitionMeta meta = full_meta();
  meta.counters.given_up = 16;
  meta.counters.unfolded = 18;
  meta.counters.changelogs_rewritten = 19;
  meta.last_record = {.offset = 1'198, .hash = 0x1234'5678'9abc'def0};
  meta.ticks_logged = 17;
  return meta;
}

TEST(PartitionMeta, ComesBackAndItsBytesAreAsPublished) {
  PartitionMeta meta = later_meta();
  meta.file_lengths[6] = 98;
  const std::string bytes = encode_meta(meta);
  expect_golden("meta_v3.txt", hex_lines(bytes));
  const absl::StatusOr<PartitionMeta> read = decode_meta(bytes);
  ASSERT_TRUE(read.ok()) << read.status();
  expect_common(meta, *read);
  EXPECT_EQ(read->last_record, meta.last_record);
  EXPECT_EQ(read->ticks_logged, meta.ticks_logged);
}

TEST(PartitionMeta, VersionTwoIsReadAndHasNoReceipts) {
  const absl::StatusOr<PartitionMeta> read = decode_meta(bytes_of_hex(read_golden("meta_v2.txt")));
  ASSERT_TRUE(read.ok()) << read.status();
  expect_common(later_meta(), *read);
  EXPECT_EQ(read->ticks_logged, 17U);
}

TEST(PartitionMeta, VersionOneIsReadAndHasNoLastRecord) {
  const PartitionMeta meta = full_meta();
  ByteWriter out;
  out.byte(1);
  out.signed_varint(meta.next_offset);
  out.varint(meta.commit_number);
  out.signed_varint(meta.changelog_next);
  out.byte(1);
  for (const std::int64_t value :
       {to_ms(meta.max_event_time), to_ms(meta.watermark), meta.last_received_ms,
        meta.first_boundary, meta.crossed, meta.contributed})
    out.signed_varint(value);
  out.byte(1);
  out.signed_varint(to_ms(*meta.go_live_watermark));
  for (const int count : {1'000, 990, 3,  1,                           // Outcomes.
                          0,     2,   0,                               // Ignored.
                          4,     0,   0,  0,  0, 0, 0, 0, 0, 0, 0, 0,  // Dead-lettered.
                          11,    12,  13, 14, 15})
    out.varint(static_cast<std::uint64_t>(count));
  out.string(meta.application);
  out.string(meta.input_topic);
  out.signed_varint(meta.partition_count);
  for (std::size_t i = 0; i < 6; ++i) out.varint(meta.file_lengths[i]);
  out.varint(meta.input_mark);
  const absl::StatusOr<PartitionMeta> read = decode_meta(out.take());
  ASSERT_TRUE(read.ok()) << read.status();
  expect_common(meta, *read);
  EXPECT_EQ(read->last_record, RecordMark());
  EXPECT_EQ(read->ticks_logged, std::nullopt);
}

TEST(PartitionMeta, WhatIsTornOrNewerIsRefused) {
  const std::string bytes = encode_meta(full_meta());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_meta(bytes.substr(0, size)).ok()) << size;
  EXPECT_EQ(decode_meta(bytes + '\0').status().code(), absl::StatusCode::kDataLoss);
  std::string newer = bytes;
  ++newer.front();
  EXPECT_EQ(decode_meta(newer).status().code(), absl::StatusCode::kUnimplemented);
}

TEST(RecordMark, TellsKeysValuesAndTimestampsApart) {
  const RecordView record{.key = "a", .value = "b", .headers = {}, .offset = 3, .received_ms = 4};
  EXPECT_EQ(mark_of(record), mark_of(record));
  EXPECT_NE(mark_of(record).hash, 0U);
  RecordView other = record;
  other.received_ms = 5;
  EXPECT_NE(mark_of(record), mark_of(other));
  other = record;
  other.key = "ab";
  other.value = "";
  EXPECT_NE(mark_of(record), mark_of(other));
  other = record;
  other.value.reset();
  EXPECT_NE(mark_of(record), mark_of(other));
}

}  // namespace
}  // namespace rfm
