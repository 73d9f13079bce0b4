// What a replay did, worth reading: segment sizes, flows, explained transitions, models, outcomes,
// speed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "stream/run/replay.h"

namespace rfm {

class ReplaySummary final : public LaneObserver {
 public:
  // Counts one transition; keeps a few of each reason to show.
  void on_transition(const Transition& transition) override;

  void print(const Replay& replay, double seconds) const;

 private:
  void print_segments(const Replay& replay) const;
  void print_flows() const;
  void print_examples() const;
  void print_models(const Replay& replay) const;
  void print_outcomes(const OutcomeCounters& counters) const;

  using Flow = std::pair<std::string, std::string>;
  std::map<std::string, std::map<Flow, std::uint64_t>> flows_;  // By segmentation.
  std::map<std::string, std::uint64_t> reasons_;
  std::map<std::string, std::vector<std::string>> examples_;  // By reason.
};

}  // namespace rfm
