// The process that the service runs in, and what the service tells it.
#pragma once

#include "stream/run/rules_reader.h"
#include "stream/run/service_status.h"

namespace rfm {

// The process that the service runs in. Seam: the command, fakes in tests.
class ServiceHost : public RulesReader {
 public:
  // Asked several times a second, on a thread of its own; then commit and close.
  virtual bool should_stop() = 0;
  virtual void on_status(const ServiceStatus& status) = 0;
};

}  // namespace rfm
