// The service's last word on itself, for whoever asks on another thread.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "stream/run/service_status.h"

namespace rfm {

// Any thread.
class StatusBoard {
 public:
  StatusBoard();

  void post(const ServiceStatus& status);
  // The process is to stop: from here on it is not ready.
  void note_stop() { stopping_ = true; }

  // Never null; before the first `post` that of a process that starts. Shared, because who reads it
  // goes on while the next is posted.
  std::shared_ptr<const ServiceStatus> latest() const;
  bool is_stopping() const { return stopping_; }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const ServiceStatus> latest_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace rfm
