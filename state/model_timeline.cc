#include "state/model_timeline.h"

#include <algorithm>
#include <cmath>

#include "model/nearest_centroid.h"
#include "state/assertion.h"

namespace rfm {

void ModelTimeline::start_at(std::int64_t epoch) {
  RFM_ASSERT(!start_epoch_);
  start_epoch_ = epoch;
}

void ModelTimeline::append(const std::shared_ptr<const ModelVersion>& version) {
  RFM_ASSERT(started() && version->trained_epoch == trained_through() + 1);
  Step step{.version = version};
  if (!versions_.empty()) {
    const Step& last = versions_.back();
    step.drift = last.drift;
    if (version->unchanged) {
      step.version = last.version;
    } else if (version->cluster_change != ClusterChange::kNone && last.version->clusters &&
               version->clusters) {
      const double move = centroid_move_max(*last.version->clusters, *version->clusters);
      if (std::isfinite(move)) step.drift += move;
    }
  }
  versions_.push_back(std::move(step));
}

void ModelTimeline::append_rules(const std::shared_ptr<const Rules>& rules, std::int64_t epoch) {
  RFM_ASSERT(rules->version == static_cast<std::int64_t>(rules_.size()) + 2);
  rules_.push_back({epoch, rules});
}

const Rules* ModelTimeline::rules(std::int64_t version) const {
  const auto index = static_cast<std::size_t>(version - 2);
  return version >= 2 && index < rules_.size() ? rules_[index].rules.get() : nullptr;
}

const Rules* ModelTimeline::rules_in(std::int64_t epoch) const {
  for (auto step = rules_.rbegin(); step != rules_.rend(); ++step)
    if (step->epoch <= epoch) return step->rules.get();
  return nullptr;
}

const ModelVersion* ModelTimeline::effective_in(std::int64_t epoch) const {
  static const ModelVersion kBeforeTheFirst;
  if (!started() || epoch <= *start_epoch_) return &kBeforeTheFirst;
  RFM_ASSERT(knows(epoch));
  return versions_[static_cast<std::size_t>(epoch - 1 - *start_epoch_)].version.get();
}

std::optional<std::int64_t> ModelTimeline::held_since(std::int64_t epoch) const {
  std::optional<std::int64_t> since;
  // What is in force while a refit is made is the version before it.
  for (const ModelVersion* version = effective_in(epoch); version->held;
       version = effective_in(*since))
    since = version->held->epoch;
  return since;
}

double ModelTimeline::drift(std::int64_t epoch) const {
  if (!started() || epoch <= *start_epoch_ || versions_.empty()) return 0;
  const std::int64_t index = std::min(epoch - 1, trained_through()) - *start_epoch_;
  return versions_[static_cast<std::size_t>(index)].drift;
}

}  // namespace rfm
