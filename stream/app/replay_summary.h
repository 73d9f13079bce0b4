// What a replay did, worth reading: outcomes, models, explained transitions, moves, and last, where
// a terminal shows it, the answer: the segments with their customers and money.
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
  explicit ReplaySummary(std::string currency) : currency_(std::move(currency)) {}

  // Counts one transition; keeps a few of each reason to show.
  void on_transition(const Transition& transition) override;

  void print(const Replay& replay, double seconds) const;

 private:
  void print_segments(const Replay& replay) const;
  void print_moves() const;
  void print_examples() const;
  void print_models(const Replay& replay) const;
  void print_outcomes(const Replay& replay) const;

  // Between two segments: by what customers did or did not do, and by limits, models and rules.
  struct Moves {
    std::uint64_t by_customers = 0;
    std::uint64_t by_others = 0;
  };
  using Ends = std::pair<std::string, std::string>;

  std::string currency_;
  std::map<std::string, std::map<Ends, Moves>> moves_;  // By segmentation.
  std::map<std::string, std::uint64_t> reasons_;
  std::map<std::string, std::vector<std::string>> examples_;  // By reason.
};

}  // namespace rfm
