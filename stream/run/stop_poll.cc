#include "stream/run/stop_poll.h"

#include <algorithm>

#include "stream/kafka/kafka_handles.h"

namespace rfm {

StopPoll::StopPoll(ServiceHost& host, StopLimit& stop)
    : thread_([this, &host, &stop] {
        while (!ended_ && !stop.asked()) {
          if (host.should_stop()) stop.ask(kStopGrace);
          std::this_thread::sleep_for(kStopPoll);
        }
      }) {}

StopPoll::~StopPoll() {
  ended_ = true;
  thread_.join();
}

bool sleep_unless_stopped(std::chrono::milliseconds longest, const StopLimit& stop) {
  const Deadline deadline(longest);
  while (!stop.asked()) {
    if (deadline.passed()) return true;
    std::this_thread::sleep_for(std::min(longest, kStopPoll));
  }
  return false;
}

}  // namespace rfm
