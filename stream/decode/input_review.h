// What is odd about a file as a whole, for closing lines: rows that go back in time and rows that
// could not be used; in a CSV exact duplicates and customers' ids that differ only in form too.
// Nothing of it changes what becomes of a record. Its memory is bounded: beyond the limits it sees
// less.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "state/event_time.h"
#include "stream/decode/event.h"
#include "stream/record/record.h"

namespace rfm {

// A customer's id without what spreadsheets do to numbers: "17,850", "1.785E+04", "'17850" and
// "017850" are "17850". Others stay as they are.
std::string plain_id(std::string_view id);

// Which hashes come again. Lookups one by one in a table of many megabytes would take as long as a
// tenth of all else that a row needs. Hashes are gathered by their first bits instead, and then
// looked up together in a part of the table that the processor's caches hold.
class RepeatedHashes {
 public:
  RepeatedHashes();

  // Not 0. `row` is for `first`.
  void add(std::uint64_t hash, Offset row) {
    const std::size_t part = hash >> kPartShift;
    std::uint32_t& count = waiting_counts_[part];
    waiting_[part * kWaitingMax + count] = {hash, row};
    if (++count == kWaitingMax) look_up(part);
  }
  // Looks up what waits; before the results are asked for.
  void finish();

  std::uint64_t count() const { return count_; }
  Offset first() const { return first_; }  // The first row that came again.
  // Further hashes are only compared with those that are kept.
  bool is_full() const { return is_full_; }

 private:
  struct Waiting {
    std::uint64_t hash = 0;
    Offset row = 0;
  };

  void look_up(std::size_t part);
  void grow();

  static constexpr std::size_t kParts = 256;
  static constexpr int kPartShift = 56;
  static constexpr std::size_t kWaitingMax = 128;
  static constexpr std::size_t kPartSlotsMin = 64;
  static constexpr std::size_t kPartSlotsMax = std::size_t{1} << 14;  // 32 MiB in all.

  std::size_t part_slots_ = kPartSlotsMin;    // A power of two.
  std::vector<std::uint64_t> slots_;          // 0: empty. Linear probing within a part.
  std::array<std::uint32_t, kParts> used_{};  // Slots of each part.
  std::vector<Waiting> waiting_;              // kWaitingMax for each part.
  std::array<std::uint32_t, kParts> waiting_counts_{};
  std::uint64_t count_ = 0;
  Offset first_ = 0;
  bool is_full_ = false;
};

// Of one file; belongs to one thread.
class InputReview {
 public:
  explicit InputReview(InputFormat format)
      : is_sheet_(format == InputFormat::kCsv), unit_(is_sheet_ ? "row" : "record") {}

  // Each record in the file's order; one that was seen before is left out.
  void add(const RecordView& record, const DecodedEvent& event);

  // InvalidArgument once a date has shown that `input.date_order` has to be set, because those
  // before it may have been misread.
  absl::Status status() const;

  // One finding each; empty: there is nothing to say. After the last `add`.
  std::vector<std::string> findings();

  // What could not be decoded, with examples: "2 invalid_field, as row 7: Quantity: ...".
  std::vector<std::string> refusals() const;
  std::uint64_t refused() const { return refused_; }

 private:
  struct Refusal {
    std::uint64_t count = 0;
    std::vector<std::string> examples;
  };

  void add_time(EventTime time);
  void add_customer(std::string_view id);
  void count_nobody();
  void add_refusal(const Rejection& rejection);
  std::string place() const;

  // Producers' events have numbers of their own and ids that no spreadsheet has changed: looking
  // for duplicates and other forms would take 8 % more time.
  const bool is_sheet_;
  const std::string unit_;  // What messages call a record.
  Offset next_offset_ = 0;
  EventTime newest_ = kBeforeAll;
  std::uint64_t back_in_time_ = 0;
  std::string first_back_in_time_;
  RepeatedHashes hashes_;                                    // Of the records' bytes.
  std::string last_customer_;                                // Neighbours share it.
  bool last_is_nobody_ = false;                              // By what it is called.
  std::map<std::string, std::uint64_t> nobodies_;            // Rows by such an id.
  absl::flat_hash_set<std::uint64_t> seen_;                  // Hashes of ids.
  absl::flat_hash_map<std::string, std::string> customers_;  // By plain id: as first seen.
  absl::flat_hash_set<std::string> other_forms_;             // Ids that another has in plain.
  std::vector<std::string> form_examples_;
  std::array<Refusal, kDeadLetterReasonCount> refusals_;
  std::uint64_t refused_ = 0;
  std::string misread_;
};

}  // namespace rfm
