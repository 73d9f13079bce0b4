// What other rules would do to customers, were they in force now.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "state/money.h"
#include "state/rules.h"
#include "state/transition.h"
#include "stream/run/rules_rehearsal.h"
#include "stream/run/state_snapshot.h"

namespace rfm {

// Sums of a pass: hears of each customer with `add`, in any order; parts may be merged.
class RulesTrial {
 public:
  struct Move {
    std::uint64_t customers = 0;
    Money monetary;
    std::vector<std::string> examples;  // Ids, spread over all of them.
  };
  struct Moves {
    std::uint64_t customers = 0;                                      // Of all moves.
    std::map<std::pair<std::string, std::string>, Move> by_segments;  // From, to.
  };

  static constexpr std::size_t kExamplesMax = 3;
  static constexpr std::size_t kSampleMax = 1'000;

  // `rules` are later than any in the log and their cut specs go on from there; shared, because
  // others may try them too. `now`: those of now, for the segmentations that have no moves.
  RulesTrial(const Rules& now, std::shared_ptr<const Rules> rules);

  // The customer as of `facts`, under the model in force there; `row_rules`: that the row is under.
  void add(const CustomerRow& row, const CustomerFacts& facts, const Rules& row_rules);
  void reach(EventTime clock) { as_of_ = std::max(as_of_, clock); }
  void merge(const RulesTrial& other);

  EventTime as_of() const { return as_of_; }
  std::uint64_t customers() const { return customers_; }  // That have a purchase that counts.
  std::uint64_t moved() const { return moved_; }          // In any segmentation.
  // Of both rules, those without moves too.
  const std::map<std::string, Moves>& segmentations() const { return segmentations_; }

  // Transitions a day of all customers in their last kRehearsedDays under each of the rules,
  // reckoned from those with the lowest hashes of their ids. Some hundred milliseconds; no lane's.
  struct Rate {
    double now = 0;
    double then = 0;
    std::size_t sampled = 0;
  };
  Rate transitions_per_day(const Rules& now, const ModelTimeline& models) const;

 private:
  void put(RehearsedCustomer customer);

  std::shared_ptr<const Rules> rules_;
  EventTime as_of_ = kBeforeAll;
  std::uint64_t customers_ = 0;
  std::uint64_t moved_ = 0;
  std::map<std::string, Moves> segmentations_;
  std::vector<RehearsedCustomer> sample_;  // A heap, the highest hash on top.
  TransitionBuffer buffer_;                // Room that is used anew for each row.
};

// Of the customers of a state directory.
absl::StatusOr<RulesTrial> try_rules(const StateSnapshot& snapshot,
                                     std::shared_ptr<const Rules> rules);

}  // namespace rfm
