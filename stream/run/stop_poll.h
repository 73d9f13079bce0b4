// Whether the service is to stop, asked of its host whatever the service's own threads wait for.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#include "stream/record/stop_limit.h"
#include "stream/run/service_host.h"

namespace rfm {

inline constexpr std::chrono::milliseconds kStopPoll{20};
// Once it is to stop, the last commit and the close may take this long; what waits for a broker
// then gives up.
inline constexpr std::chrono::milliseconds kStopGrace{5'000};

class StopPoll {
 public:
  StopPoll(ServiceHost& host, StopLimit& stop);
  StopPoll(const StopPoll&) = delete;
  StopPoll& operator=(const StopPoll&) = delete;
  ~StopPoll();

 private:
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

// False as soon as the service is to stop.
bool sleep_unless_stopped(std::chrono::milliseconds longest, const StopLimit& stop);

}  // namespace rfm
