// The lines in which `run` says how far it is: one every ten seconds while something is committed,
// one a minute while nothing is.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "stream/record/clock.h"
#include "stream/run/service_host.h"

namespace rfm {

class StatusLog {
 public:
  explicit StatusLog(const Clock& clock);

  // Nothing while no line is due.
  std::optional<std::string> due(const ServiceStatus& status);
  // Now, whether it is due or not.
  std::string line(const ServiceStatus& status);

 private:
  const Clock& clock_;
  std::chrono::steady_clock::time_point said_at_;
  std::uint64_t said_commits_ = 0;
  std::uint64_t said_records_ = 0;
};

}  // namespace rfm
