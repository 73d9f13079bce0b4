// How noisy the transitions of a history are: how many there are a customer-year, which are undone,
// which go against their cause, and what damping costs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "state/rules.h"
#include "stream/format/transition_writer.h"
#include "stream/pipeline/lane_observer.h"

namespace rfm {

inline constexpr std::array<int, 4> kUndoneDays = {1, 7, 14, 30};

// Moves: transitions from one segment to another; first assignments and those from and to `none`
// and `Unassigned` are none. A move is undone within some days if the customer is in the segment
// that was left again at most that long after it, by any path; by noise, if it was time, cuts or
// model that brought him back.
struct MoveFigures {
  std::uint64_t all = 0;
  std::uint64_t actionable = 0;
  std::array<std::uint64_t, kUndoneDays.size()> undone{};    // Of the actionable ones.
  std::array<std::uint64_t, kUndoneDays.size()> by_noise{};  // Of these.

  void add(const MoveFigures& other);
};

struct NoiseReport {
  double customer_years = 0;  // From the first purchase to the end of the history.
  std::uint64_t customers = 0;
  std::uint64_t transitions = 0;
  double bytes_mean = 0;  // Of key, value, header names and values.
  std::map<std::pair<std::size_t, Reason>, MoveFigures> moves;  // By segmentation.
  std::uint64_t silence_up = 0;
  std::uint64_t purchase_down = 0;
  std::uint64_t late_acts = 0;  // Moves by what the customer did, at another instant.
  std::uint64_t several_at_an_instant = 0;
  // Two actions within 7 days, without an act of the customer's between.
  std::uint64_t contradicting = 0;
  std::uint64_t without_action = 0;  // Actionable, without an action or to `Unassigned`.
  // Of first purchases, by segmentation and segment.
  std::map<std::pair<std::size_t, SegmentCode>, std::uint64_t> first_purchases;
  // Of customers with one purchase in all: actionable moves, median and largest.
  std::uint64_t single_median = 0;
  std::uint64_t single_max = 0;
  // Least silence, in days, at a fall by silence to a lost segment; by segmentation.
  std::map<std::size_t, double> lost_silence_min;
  std::vector<std::pair<std::string, std::uint64_t>> busiest;  // Customers with the most moves.
};

// A fall by silence into a lost segment from one that is not.
struct LostFall {
  std::uint32_t customer = 0;
  std::uint8_t segmentation = 0;
  EventTime at{};
  EventTime last_purchase{};
};

// Of the falls without damping: how many come with it before the customer's next purchase, and how
// much later, in days.
struct KeptFalls {
  std::uint64_t undamped = 0;
  std::uint64_t kept = 0;
  double delay_p90 = 0;
};

class NoiseEvaluation final : public LaneObserver {
 public:
  // `rules` outlive it.
  explicit NoiseEvaluation(const Rules& rules);

  void on_transition(const Transition& transition) override;

  NoiseReport report(EventTime end) const;

  const std::vector<LostFall>& falls() const { return falls_; }
  const std::string& customer(std::uint32_t index) const { return customers_[index].id; }

 private:
  struct Move {
    EventTime at{};
    EventTime last_purchase{};
    std::int64_t monetary = 0;
    std::uint32_t customer = 0;
    std::uint32_t frequency = 0;
    SegmentCode from = 0;
    SegmentCode to = 0;
    std::uint8_t segmentation = 0;
    Reason reason{};
    bool actionable = false;
    bool is_move = false;
  };
  struct Customer {
    std::string id;
    EventTime first{};
    std::uint64_t moves = 0;
    std::uint64_t actionable_moves = 0;
    std::uint32_t frequency = 0;
  };

  std::uint32_t index_of(const Transition& transition);
  void add_undone(NoiseReport& report) const;
  void add_instants(NoiseReport& report) const;

  const Rules& rules_;
  TransitionWriter writer_;
  absl::flat_hash_map<std::string, std::uint32_t> index_;
  std::vector<Customer> customers_;
  std::vector<Move> moves_;
  std::vector<LostFall> falls_;
  NoiseReport report_;  // What is counted as it comes.
  std::uint64_t bytes_ = 0;
};

// Both over the same history and the same models.
KeptFalls kept_falls(const NoiseEvaluation& undamped, const NoiseEvaluation& damped);

}  // namespace rfm
