// The process that the service runs in, and what the service tells it.
#pragma once

#include <map>
#include <string>

#include "stream/run/rules_reader.h"
#include "stream/run/service_status.h"

namespace rfm {

// The process that the service runs in. Seam: the command, fakes in tests.
class ServiceHost : public RulesReader {
 public:
  // Asked several times a second, on a thread of its own; then commit and close.
  virtual bool should_stop() = 0;
  virtual void on_status(const ServiceStatus& status) = 0;
  // The newest rules, which are logged or are going to be: as often as the log is read, and when
  // others are taken up. On any thread of the service's, never on two at a time.
  virtual void on_rules(const std::map<std::string, std::string>& newest) = 0;
};

}  // namespace rfm
