// Whether an input is worth reading on: many records in a row that cannot be used mean wrong
// settings here, or a producer that has changed. One lane's.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>

#include "stream/decode/event.h"
#include "stream/record/record.h"

namespace rfm {

struct DeadLetterOptions {
  enum class Action : std::uint8_t {
    kPause,     // Reads no further, stays alive and says why.
    kStop,      // Ends with the reason.
    kContinue,  // Reads on.
  };
  Action action = Action::kPause;
  double share_max = 0.5;  // Of the last 1,000 records; 1: any.
};

class DeadLetterWatch {
 public:
  static constexpr std::size_t kWindowRecords = 1'000;

  explicit DeadLetterWatch(double share_max) : share_max_(share_max) {}

  // One record: how many dead letters it made.
  void add(std::uint64_t dead_letters);

  // There were 1,000 records, and the last 1,000 hold more dead letters than the share.
  bool is_exceeded() const;
  std::size_t dead_letters() const { return dead_letters_; }
  void clear();

 private:
  double share_max_;
  std::bitset<kWindowRecords> window_;  // Whether a record made a dead letter; a ring.
  std::size_t next_ = 0;                // Place in the ring.
  std::size_t records_ = 0;             // In the ring.
  std::size_t dead_letters_ = 0;        // Of these.
};

// For whoever looks for the fault: where the record is, why it is refused, what its value looks
// like.
std::string example_of(PartitionId partition, const RecordView& record, const Rejection& rejection);

}  // namespace rfm
