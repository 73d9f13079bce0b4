// The versions of the model log in the order in which they take effect: what is known, and when.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "model/model_version.h"

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

  // The last epoch trained so far; start_epoch - 1 if none is.
  std::int64_t trained_through() const {
    return *start_epoch_ + static_cast<std::int64_t>(versions_.size()) - 1;
  }

  // Whether what takes effect at the start of `epoch` is known.
  bool knows(std::int64_t epoch) const { return started() && epoch - 1 <= trained_through(); }

  // In force during `epoch`, which must be known; never null: before the first version, one without
  // a model and with absolute cuts.
  const ModelVersion* effective_in(std::int64_t epoch) const;

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

  std::optional<std::int64_t> start_epoch_;
  std::deque<Step> versions_;  // [i] was trained at start_epoch_ + i.
};

}  // namespace rfm
