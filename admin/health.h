// Whether the service lives and whether it is ready, each as an answer to a probe. Pure: the status
// and the time are given.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "stream/run/service_status.h"

namespace rfm {

// What is known when somebody asks.
struct ProbeContext {
  const ServiceStatus& status;
  bool is_stopping = false;
  std::chrono::steady_clock::time_point now{};
  // A lane's loop that has not turned for so long is stuck.
  std::chrono::milliseconds stuck_after{};
};

struct StuckLane {
  int lane = 0;
  std::chrono::seconds silent{};
};
// Only lanes of a pipeline that runs, and none that restores its partitions: that takes as long as
// it takes.
std::vector<StuckLane> stuck_lanes(const ProbeContext& context);

// Why it is not ready. `reason` is one of few words, `detail` for people; nothing in it is a
// customer's.
struct Obstacle {
  std::string_view reason;
  std::string detail;
};
// All there are; none: records are applied as they come.
std::vector<Obstacle> obstacles(const ProbeContext& context);

struct ProbeAnswer {
  bool is_good = false;
  std::string json;
};
// Good while each lane's loop turns; also between two lives of the pipeline, for restarting the
// process would mend nothing.
ProbeAnswer health(const ProbeContext& context);
ProbeAnswer readiness(const ProbeContext& context);

}  // namespace rfm
