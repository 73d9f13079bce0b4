// Where a lane's input comes from. Seam: Kafka, files (stream/file/file_source.h), fakes in tests.
// One source belongs to one lane and is called from its thread only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/record/record.h"

namespace rfm {

inline constexpr std::int64_t kManyRecords = std::int64_t{1} << 40;

class EventSource {
 public:
  EventSource() = default;
  EventSource(const EventSource&) = delete;
  EventSource& operator=(const EventSource&) = delete;
  virtual ~EventSource() = default;

  // The next records of one partition, in order, at most `records_max`. Their views stay valid
  // until the next `read` of the same partition. Empty: nothing is there now.
  virtual absl::StatusOr<std::span<const RecordView>> read(PartitionId partition,
                                                           std::size_t records_max) = 0;

  // Every record of the partition that exists now has been read. A topic
  // may leave this state, a file only where its user goes on (`take_unfinished`).
  virtual bool at_end(PartitionId partition) const = 0;

  // Where reading goes on: beyond what was read and, at the end, beyond what is no record either
  // (transaction markers, aborted records).
  virtual Offset next_offset(PartitionId partition) const = 0;

  // Records of the partition that exist and are not read yet, as far as known, also those that
  // cannot be read for now (behind an open transaction); of a file, which cannot know, kManyRecords
  // before its end. Once per commit, not per record.
  virtual std::int64_t records_behind(PartitionId partition) const = 0;

  // Runs callbacks and reports errors that belong to no partition. Call it between batches.
  virtual absl::Status service() = 0;

  // Returns when something may be there to read, at the latest after `longest` of wall time.
  virtual void wait(std::chrono::milliseconds longest) = 0;

  // Any thread: a `wait` returns, this one or the next. Nothing to do where it does not wait.
  virtual void wake() {}
};

}  // namespace rfm
