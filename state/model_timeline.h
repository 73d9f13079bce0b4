// The versions of the model log, of models and of rules, in the order in which they take effect:
// what is known, and when.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "model/model_version.h"
#include "state/rules.h"

namespace rfm {

// Read by one lane; each lane has its own. Versions live as long as it does.
class ModelTimeline {
 public:
  // The first epoch that is ever trained. Nothing takes effect at or before it.
  void start_at(std::int64_t epoch);
  bool started() const { return start_epoch_.has_value(); }
  std::int64_t start_epoch() const { return *start_epoch_; }

  // The version trained at the epoch after the last one.
  void append(const std::shared_ptr<const ModelVersion>& version);

  // Rules after the first ones, which hold from the start of `epoch` on: the next version.
  void append_rules(const std::shared_ptr<const Rules>& rules, std::int64_t epoch);
  std::size_t rules_count() const { return rules_.size(); }
  // Of a version from 2 on; null: not known.
  const Rules* rules(std::int64_t version) const;
  // In force during `epoch`; null: the first ones.
  const Rules* rules_in(std::int64_t epoch) const;

  // The last epoch trained so far; start_epoch - 1 if none is.
  std::int64_t trained_through() const {
    return *start_epoch_ + static_cast<std::int64_t>(versions_.size()) - 1;
  }

  // Whether what takes effect at the start of `epoch` is known.
  bool knows(std::int64_t epoch) const { return started() && epoch - 1 <= trained_through(); }

  // In force during `epoch`, which must be known; never null: before the first version, one without
  // a model and with absolute cuts.
  const ModelVersion* effective_in(std::int64_t epoch) const;

  // The epoch since which refits have held clusters without a break, up to the version in force
  // during `epoch`; absent: it holds none.
  std::optional<std::int64_t> held_since(std::int64_t epoch) const;

  // How far centroids have moved in all up to those in force during `epoch`, in scaled units: the
  // sum of the largest moves. Differences between two epochs of the same metric bound what any
  // distance can have changed by.
  double drift(std::int64_t epoch) const;

 private:
  struct Step {
    std::shared_ptr<const ModelVersion>
        version;  // Never `unchanged`: then it repeats the one before.
    double drift = 0;
  };

  struct RulesStep {
    std::int64_t epoch = 0;
    std::shared_ptr<const Rules> rules;
  };

  std::vector<RulesStep> rules_;  // [i] is version i + 2.
  std::optional<std::int64_t> start_epoch_;
  std::deque<Step> versions_;  // [i] was trained at start_epoch_ + i.
};

}  // namespace rfm
