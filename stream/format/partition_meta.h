// What is committed with the rows of a partition: how far its input has been applied, its clock and
// its counters.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "state/event_time.h"
#include "state/state_store.h"
#include "stream/decode/event.h"
#include "stream/record/output_sink.h"
#include "stream/record/record.h"

namespace rfm {

// Every record read is in exactly one of the five outcomes.
struct OutcomeCounters {
  std::uint64_t records = 0;
  std::uint64_t applied = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t erased = 0;
  std::array<std::uint64_t, kIgnoredReasonCount> ignored{};
  std::array<std::uint64_t, kDeadLetterReasonCount> dead_lettered{};
  // Not outcomes of records:
  std::uint64_t late = 0;              // Of the applied ones.
  std::uint64_t invoices_settled = 0;  // Line input.
  std::uint64_t invoices_rejected =
      0;  // Settled invoices that went to the dead letters as a whole.
  std::uint64_t transitions = 0;
  std::uint64_t suppressed = 0;  // Moves that damping held back or dropped.
  // Applied to a ledger that is longer than ledger.entries_max afterwards: nothing in it may fold.
  std::uint64_t unfolded = 0;
  std::uint64_t given_up = 0;  // Input offsets that were lost unread, and by whose consent.
  std::uint64_t changelogs_rewritten = 0;  // After the one before was lost.

  std::uint64_t ignored_total() const;
  std::uint64_t dead_lettered_total() const;
  // The five outcomes add up to the records read.
  bool add_up() const;
  void add(const OutcomeCounters& other);
  // What has come since they were `before`.
  OutcomeCounters since(const OutcomeCounters& before) const;

  friend bool operator==(const OutcomeCounters&, const OutcomeCounters&) = default;
};

// Tells a record from every other that might stand at its offset: by key, value and timestamp.
struct RecordMark {
  Offset offset = 0;
  std::uint64_t hash = 0;  // 0: unknown.

  friend bool operator==(const RecordMark&, const RecordMark&) = default;
};
RecordMark mark_of(const RecordView& record);

struct PartitionMeta {
  Offset next_offset = 0;
  std::uint64_t commit_number = 0;  // N of the metadata `commit=N`.
  // In the store only: the offset after this meta row's own place in the changelog.
  Offset changelog_next = 0;

  bool started = false;  // Has held a record that counts in time.
  EventTime max_event_time = kBeforeAll;
  EventTime watermark = kBeforeAll;
  // When the record with the highest event time was received: its Kafka timestamp, or, where that
  // is a producer's word, when it was read. Broker's time.
  std::int64_t last_received_ms = 0;
  // What time does is applied in pieces: the watermark is on its way to here, and no record is
  // applied before it has arrived. Beyond the watermark only while that lasts. Which rows are there
  // already, their own clocks say.
  EventTime moving_to = kBeforeAll;
  std::int64_t first_boundary = 0;  // The first epoch boundary after its first record.
  std::int64_t crossed = 0;  // Epoch of the last boundary crossed (first_boundary - 1 at first).
  std::int64_t contributed = 0;                // The last epoch contributed for.
  std::optional<EventTime> go_live_watermark;  // Set when the go-live offset is reached.

  OutcomeCounters counters;

  // The last record applied (unless an operator has moved the position since): where a topic is
  // made anew under the same name, another one is at its offset.
  RecordMark last_record;
  // Written to the tick log; absent: begun by a version that did not count them.
  std::optional<std::uint64_t> ticks_logged = 0;

  // Identity: a store of another application or topic is not ours.
  std::string application;
  std::string input_topic;
  std::int32_t partition_count = 1;

  std::array<std::uint64_t, kOutputTopicCount> file_lengths{};  // File mode.
  std::uint64_t input_mark = 0;  // File mode: tells one input from another; 0: unknown.
};

std::string encode_meta(const PartitionMeta& meta);
absl::StatusOr<PartitionMeta> decode_meta(std::string_view bytes);

// As it was committed last; absent: never.
absl::StatusOr<std::optional<PartitionMeta>> read_meta(StateStore& store, PartitionId partition);

// Leaves out what depends on commits and restarts (N, offsets, pieces, file lengths): what "the
// same state" compares.
bool same_progress(const PartitionMeta& a, const PartitionMeta& b);

}  // namespace rfm
