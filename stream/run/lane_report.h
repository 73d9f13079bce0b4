// What one lane says of itself and its partitions.
#pragma once

#include "stream/pipeline/lane.h"
#include "stream/record/event_source.h"
#include "stream/run/service_status.h"

namespace rfm {

// Of the partitions the lane has now, as `source` sees them, with the one entry of `lanes`. Left to
// the caller: `records`, `caught_up`, and of the lane its number, its turn and its assignment. The
// lane's thread.
ServiceStatus lane_report(const Lane& lane, const EventSource& source);

}  // namespace rfm
