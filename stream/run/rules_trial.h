// What other rules would do to the customers of a state directory, were they in force now.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "state/rules.h"
#include "stream/run/state_snapshot.h"

namespace rfm {

struct RulesTrial {
  struct Move {
    std::uint64_t customers = 0;
    std::vector<std::string> examples;  // Ids, spread over all of them.
  };
  struct Moves {
    std::uint64_t customers = 0;                                      // Of all moves.
    std::map<std::pair<std::string, std::string>, Move> by_segments;  // From, to.
  };

  static constexpr std::size_t kExamplesMax = 3;

  std::uint64_t customers = 0;                 // That have a purchase that counts.
  std::map<std::string, Moves> segmentations;  // Of both rules, those without moves too.
};

// `rules` are later than any in the snapshot's log and their cut specs go on from there. Customers
// are judged as of their clocks, under the model in force there.
absl::StatusOr<RulesTrial> try_rules(const StateSnapshot& snapshot, const Rules& rules);

}  // namespace rfm
