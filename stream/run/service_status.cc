#include "stream/run/service_status.h"

#include <algorithm>

namespace rfm {

std::string_view name(ServicePhase phase) {
  switch (phase) {
    case ServicePhase::kStarting:
      return "starting";
    case ServicePhase::kRunning:
      return "running";
    case ServicePhase::kRebuilding:
      return "rebuilding";
    case ServicePhase::kAwaitingTopics:
      return "awaiting_topics";
  }
  return "";
}

void ServiceStatus::add(const ServiceStatus& lane) {
  counters.add(lane.counters);
  records += lane.records;
  records_behind += lane.records_behind;
  event_time = std::max(event_time, lane.event_time);
  caught_up &= lane.caught_up;
  partitions_owned += lane.partitions_owned;
  commits.add(lane.commits);
  if (lane.silence.days_left > silence.days_left) silence = lane.silence;
  if (!held_back) held_back = lane.held_back;
  lanes.insert(lanes.end(), lane.lanes.begin(), lane.lanes.end());
  partitions.insert(partitions.end(), lane.partitions.begin(), lane.partitions.end());
  std::ranges::sort(partitions, {}, &PartitionStatus::partition);
  if (lane.model_number > model_number) {
    model_number = lane.model_number;
    model_since = lane.model_since;
    model_held_since = lane.model_held_since;
  }
}

void ServiceStatus::disown(ServicePhase now, std::string_view reason) {
  phase = now;
  why = reason;
  caught_up = false;
  held_back.reset();
  partitions_owned = 0;
  partitions.clear();
  for (LaneStatus& lane : lanes) lane.is_assigned = lane.is_restoring = lane.is_held_back = false;
}

}  // namespace rfm
