// All that is told of the customers of a state at one instant, from their rows alone: a pure pass,
// the same for a running service, a stored state, exports and reports. Rows may come in any order
// and partitions may be counted apart and merged: the result is the same.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "stream/analyse/cohorts.h"
#include "stream/analyse/customer_list.h"
#include "stream/analyse/lost_customers.h"
#include "stream/analyse/population.h"
#include "stream/analyse/score_grid.h"
#include "stream/analyse/segment_profiles.h"
#include "stream/analyse/spends_less.h"

namespace rfm {

// Customers by churn risk: from i / kRiskBins on.
inline constexpr int kRiskBins = 20;
struct RiskBin {
  std::int64_t customers = 0;
  Money value_at_risk;

  friend bool operator==(const RiskBin&, const RiskBin&) = default;
};
using RiskHistogram = std::array<RiskBin, kRiskBins>;

// Churn risk as it was foretold, and what came of it: customers by the tenth that their risk was
// in.
inline constexpr int kOutcomeBins = 10;
struct RiskOutcome {
  std::int64_t customers = 0;
  std::int64_t risk = 0;  // Sum, in 10^-9.
  std::int64_t gone = 0;  // Have bought nothing since.

  friend bool operator==(const RiskOutcome&, const RiskOutcome&) = default;
};
using RiskOutcomes = std::array<RiskOutcome, kOutcomeBins>;
inline constexpr std::int64_t kRiskEpochs = 90;  // What the risk is of.

struct CensusOptions {
  std::size_t top_max = 100;  // Of each list of best customers.
  SpendsLessList::Options spends_less;
  // In force kRiskEpochs before: what it foretold is compared with what came. Null: nothing is.
  const ModelVersion* past_model = nullptr;
};

class Census {
 public:
  // `rules` are those in force, which say which segmentations are shown; they outlive the census.
  Census(const Rules& rules, const CensusOptions& options);

  // A row at an instant (facts_at_clock), and the rules that
  // it is under. Some microseconds.
  void add(const CustomerRow& row, const CustomerFacts& facts, const Rules& row_rules);
  // How far a partition is, whether or not it has rows.
  void reach(EventTime clock) { as_of_ = std::max(as_of_, clock); }
  // Of other partitions, under the same rules and options.
  void merge(const Census& other);

  const Rules& rules() const { return *rules_; }
  EventTime as_of() const { return as_of_; }  // The latest clock; kBeforeAll: nothing is known.

  const SegmentProfiles& segments() const { return segments_; }
  const Population& population() const { return population_; }
  const Cohorts& cohorts() const { return cohorts_; }
  const LostCustomers& lost() const { return lost_; }
  const SpendsLessList& spends_less() const { return spends_less_; }
  const RiskHistogram& risk() const { return risk_; }
  const RiskOutcomes& calibration() const { return calibration_; }
  const TopCustomers& best_by_monetary() const { return by_monetary_; }
  const TopCustomers& best_by_frequency() const { return by_frequency_; }
  const TopCustomers& most_at_risk() const { return at_risk_; }
  // `version`: the one in force, whose cuts are shown.
  ScoreGrid grid(std::size_t segmentation, const ModelVersion& version) const {
    return score_grid(*rules_, segmentation, version, population_);
  }

 private:
  void calibrate(const CustomerFigures& figures);

  const Rules* rules_;
  const ModelVersion* past_model_;
  EventTime as_of_ = kBeforeAll;
  SegmentProfiles segments_;
  Population population_;
  Cohorts cohorts_;
  LostCustomers lost_;
  SpendsLessList spends_less_;
  RiskHistogram risk_{};
  RiskOutcomes calibration_{};
  TopCustomers by_monetary_;
  TopCustomers by_frequency_;
  TopCustomers at_risk_;
  // Room that is used anew for each row.
  LedgerHistory history_;
  std::vector<std::uint16_t> cells_;
};

}  // namespace rfm
