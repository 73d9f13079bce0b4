// What a lane counts for whoever watches: committed work only, so that no figure ever falls and
// what is done again after a failure counts once. Plain numbers of the lane's own thread; who else
// wants them gets a copy.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "state/customer_row.h"
#include "stream/decode/event.h"
#include "stream/format/partition_meta.h"
#include "stream/record/record.h"

namespace rfm {

// How often a value fell between two bounds.
struct Histogram {
  static constexpr std::size_t kBoundsMax = 15;

  std::span<const double> bounds;  // Ascending, at most kBoundsMax; lives for ever.
  // [i]: above bounds[i - 1] and at most bounds[i]; behind the last bound: above all.
  std::array<std::uint64_t, kBoundsMax + 1> counts{};
  double sum = 0;

  void add(double value, std::uint64_t times);
  void add(const Histogram& other);  // Of the same bounds.
  std::uint64_t count() const;
};

// Transitions by segmentation, reason and whether marketing may act on them.
class TransitionCounts {
 public:
  enum class Use : std::uint8_t { kSuppressed, kActionable };
  struct Entry {
    std::string segmentation;
    std::array<std::array<std::uint64_t, 2>, kReasonCount> counts{};  // [reason][use]
  };

  void add(std::string_view segmentation, Reason reason, Use use) {
    ++entry(segmentation).counts[static_cast<std::size_t>(reason)][static_cast<std::size_t>(use)];
  }
  void add(const TransitionCounts& other);
  void clear() { entries_.clear(); }

  // In the order in which the segmentations came first.
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  Entry& entry(std::string_view segmentation);

  std::vector<Entry> entries_;  // A few: found by looking at all.
};

// What time alone does in a partition.
struct TimeFigures {
  std::uint64_t deadlines_fired = 0;
  std::uint64_t boundaries_crossed = 0;
  std::uint64_t customers_swept = 0;  // Looked at, at boundaries.

  void add(const TimeFigures& other);
};

// Of a lane since its start.
struct CommitFigures {
  std::uint64_t commits = 0;
  std::uint64_t changelog_records = 0;
  // From commit to commit, while there was something to do. The broker ends a transaction that is
  // open for longer than its timeout.
  std::chrono::milliseconds gap_max{0};
  std::size_t records_max = 0;  // Of one transaction.
  std::size_t bytes_max = 0;    // Of one transaction: keys, values and headers.

  void add(const CommitFigures& other);
};

// What is in one commit and when it was, for the figures.
struct CommitMeasure {
  std::chrono::steady_clock::duration duration{};  // Of the call, to the end of the store's write.
  std::chrono::milliseconds gap{0};                // Since the commit before, as in `gap_max`.
  std::size_t changelog_records = 0;
  std::size_t records = 0;
  std::size_t bytes = 0;
};

// Records of the input that wait for their commit together.
struct AwaitedBatch {
  std::int64_t received_ms = 0;  // When the first of them was received, as its Kafka record says.
  std::uint64_t records = 0;
};

// Where a record is in the input.
struct RecordPlace {
  PartitionId partition = 0;
  Offset offset = 0;
};
// The last record of each reason.
using DeadLetterPlaces = std::array<std::optional<RecordPlace>, kDeadLetterReasonCount>;
void merge(DeadLetterPlaces& places, const DeadLetterPlaces& later);

// Of a lane since its process started: it outlives the lane.
struct LaneFigures {
  LaneFigures();

  OutcomeCounters outcomes;  // Of this process; a partition's own go on from start to start.
  DeadLetterPlaces dead_letters;
  TimeFigures time;
  TransitionCounts transitions;
  CommitFigures commits;
  Histogram commit_seconds;
  Histogram commit_records;  // Of one transaction, like the bytes.
  Histogram commit_bytes;
  // From when a record was received until it was committed. All records of a batch are taken to
  // have been received when its first was: an upper bound.
  Histogram latency_seconds;
  std::chrono::nanoseconds cpu{0};  // Of the lane's thread.

  void add(const LaneFigures& other);
  void add(const CommitMeasure& commit);
  // `now_ms`: the broker's time.
  void add(std::span<const AwaitedBatch> committed, std::int64_t now_ms);
};

}  // namespace rfm
