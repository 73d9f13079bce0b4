// Whether an input is worth reading on: many records in a row that cannot be used mean wrong
// settings here, or a producer that has changed. One lane's.
#pragma once

#include <cstdint>
#include <deque>
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
  static constexpr std::uint64_t kWindowRecords = 1'000;

  explicit DeadLetterWatch(double share_max) : share_max_(share_max) {}

  // One batch: how many of its records became dead letters.
  void add(std::uint64_t records, std::uint64_t dead_letters);

  // The last 1,000 records (and up to a batch more) hold more dead letters than the share.
  bool is_exceeded() const;
  std::uint64_t records() const { return records_; }
  std::uint64_t dead_letters() const { return dead_letters_; }
  void clear();

 private:
  struct Batch {
    std::uint64_t records = 0;
    std::uint64_t dead_letters = 0;
  };

  double share_max_;
  std::deque<Batch> window_;
  std::uint64_t records_ = 0;
  std::uint64_t dead_letters_ = 0;
};

// For whoever looks for the fault: where the record is, why it is refused, how its value begins.
std::string example_of(PartitionId partition, const RecordView& record, const Rejection& rejection);

}  // namespace rfm
