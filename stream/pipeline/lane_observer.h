// Told what a lane gives out, as it happens and before it is committed: the summary of a replay,
// figures on models. Seam, because a lane knows nothing of what is made of it; the service has
// none.
#pragma once

#include "model/contribution.h"
#include "state/transition.h"

namespace rfm {

class LaneObserver {
 public:
  LaneObserver() = default;
  LaneObserver(const LaneObserver&) = delete;
  LaneObserver& operator=(const LaneObserver&) = delete;
  virtual ~LaneObserver() = default;

  virtual void on_transition(const Transition& /*transition*/) {}
  virtual void on_contribution(const Contribution& /*contribution*/) {}
};

}  // namespace rfm
