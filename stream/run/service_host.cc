#include "stream/run/service_host.h"

#include <algorithm>

namespace rfm {

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
}

}  // namespace rfm
