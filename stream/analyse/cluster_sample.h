// Customers sampled as a refit samples them (those with the lowest hashes of their ids), at a
// boundary and in the weeks before it, by their ledgers as they stand now.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "state/customer_row.h"
#include "state/rules.h"
#include "state/transition.h"
#include "stream/analyse/cluster_count_evaluation.h"
#include "stream/analyse/ledger_history.h"

namespace rfm {

// Sums of a pass: rows may come in any order, and parts may be merged.
class ClusterSample {
 public:
  static constexpr std::size_t kRowsMax = 16'384;
  static constexpr std::size_t kPastRowsMax = 8'192;  // In each week before.
  static constexpr int kWeeks = 8;

  explicit ClusterSample(EventTime boundary);

  void add(const CustomerRow& row, const CustomerFacts& facts, const Rules& row_rules);
  void reach(EventTime /*clock*/) {}
  void merge(const ClusterSample& other);

  // In order of time, the last one at the boundary; rows by hash.
  std::vector<RefitSample> samples() const;

 private:
  // Those with the lowest hashes.
  class Part {
   public:
    Part(EventTime at, std::size_t rows_max) : at_(at), rows_max_(rows_max) {}

    EventTime at() const { return at_; }
    bool wants(std::uint64_t id_hash) const {
      return heap_.size() < rows_max_ || id_hash < heap_.front().id_hash;
    }
    void put(const SampleRow& row);
    void merge(const Part& other);
    RefitSample sample() const;

   private:
    EventTime at_;
    std::size_t rows_max_;
    std::vector<SampleRow> heap_;  // The highest hash on top.
  };

  std::vector<Part> parts_;
  LedgerHistory history_;  // Room that is used anew for each row.
};

}  // namespace rfm
