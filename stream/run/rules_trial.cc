#include "stream/run/rules_trial.h"

#include <bit>

#include "state/damping.h"
#include "state/rules_change.h"

namespace rfm {
namespace {

void add(const Transition& t, RulesTrial& trial) {
  const Segmentation& segmentation = t.rules->segmentations[t.segmentation];
  RulesTrial::Moves& moves = trial.segmentations[segmentation.name()];
  RulesTrial::Move& move = moves.by_segments[{segment_info(*t.from_in, t.from).name,
                                              segment_info(segmentation, t.to).name}];
  ++moves.customers;
  // The 1st, 2nd, 4th, 8th...: in order of id the first ones would be alike.
  if (std::has_single_bit(++move.customers)) move.examples.push_back(t.row->id);
  if (move.examples.size() > RulesTrial::kExamplesMax) move.examples.erase(move.examples.begin());
}

}  // namespace

absl::StatusOr<RulesTrial> try_rules(const StateSnapshot& snapshot, const Rules& rules) {
  RulesTrial trial;
  for (const Rules* each : {&snapshot.rules().newest_rules(), &rules})
    for (const Segmentation& segmentation : each->segmentations.all())
      trial.segmentations[segmentation.name()];
  const TimeContext logs = snapshot.logs();
  TransitionBuffer buffer;
  const absl::Status visited =
      snapshot.for_each([&](const PartitionSnapshot& partition, CustomerRow row) {
        const CustomerFacts facts = snapshot.facts_at_clock(row, partition.meta);
        if (facts.frequency == 0) return absl::OkStatus();
        ++trial.customers;
        adopt_rules(row, facts, facts, logs.rules_of(row), rules, buffer);
        for (const Transition& t : buffer.transitions) add(t, trial);
        buffer.clear();
        return absl::OkStatus();
      });
  if (!visited.ok()) return visited;
  return trial;
}

}  // namespace rfm
