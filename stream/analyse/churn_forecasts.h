// How good the churn risks were that past models gave: each model is judged on what came after it
// took effect, before any model had learnt from that. By the ledgers as they stand now.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "model/classification_metrics.h"
#include "state/customer_row.h"
#include "state/rules.h"
#include "state/transition.h"
#include "stream/analyse/ledger_history.h"

namespace rfm {

// A churn model that took effect at `at`.
struct PastChurnModel {
  EventTime at{};
  ChurnModel model;
};

// Of one model, for the 90 days from `at` on.
struct ChurnForecast {
  EventTime at{};
  std::size_t customers = 0;  // Who had bought before; sampled.
  double gone_share = 0;      // Bought nothing in the 90 days.
  std::optional<double> auc;  // Absent: all or none did.
  double brier = 0;
  double ece = 0;
};

// Sums of a pass: rows may come in any order, and parts may be merged.
class ChurnForecasts {
 public:
  static constexpr std::size_t kModelsMax = 52;
  static constexpr std::int64_t kCustomersMax = 8'192;  // Judged of each model, about.

  // `models` in order of time; of more than kModelsMax the newest. `population`: customers of all
  // partitions, of whom a share by the hashes of their ids is looked at.
  ChurnForecasts(std::span<const PastChurnModel> models, std::int64_t population);

  // A customer counts for the models whose 90 days are over at his clock.
  void add(const CustomerRow& row, const CustomerFacts& facts, const Rules& row_rules);
  void reach(EventTime /*clock*/) {}
  // Of other partitions, which may know of fewer models.
  void merge(const ChurnForecasts& other);

  // In order of time; models that nobody counts for are left out.
  std::vector<ChurnForecast> figures() const;

 private:
  struct Judged {
    PastChurnModel past;
    std::vector<ScoredOutcome> outcomes{};
  };

  std::vector<Judged> judged_;
  int sample_shift_ = 0;
  LedgerHistory history_;  // Room that is used anew for each row.
};

}  // namespace rfm
