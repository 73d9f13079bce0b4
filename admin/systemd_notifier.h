// What systemd is told of the service (sd_notify(3), units of Type=notify): that it is ready, what
// it does, that it lives, that it stops.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "admin/health.h"
#include "admin/status_board.h"
#include "stream/record/clock.h"

namespace rfm {

// Which message is due. Pure: status and time are given.
class SystemdMessages {
 public:
  explicit SystemdMessages(std::chrono::steady_clock::time_point started_at)
      : started_at_(started_at) {}

  // In systemd's words, a line each. Ready is said once: as /readyz says or, some seconds after the
  // start, when the service waits for what it can only report, such as a topic that is gone. The
  // watchdog hears of the service as long as /healthz is good.
  std::string due(const ProbeContext& context);

 private:
  std::chrono::steady_clock::time_point started_at_;
  std::string said_status_;
  bool said_ready_ = false;
  bool said_stopping_ = false;
};

// Sends them on a thread of its own, where there is a systemd that listens (NOTIFY_SOCKET).
class SystemdNotifier {
 public:
  // `board` and `clock` outlive it.
  SystemdNotifier(const StatusBoard& board, std::chrono::milliseconds stuck_after,
                  const Clock& clock);
  SystemdNotifier(const SystemdNotifier&) = delete;
  SystemdNotifier& operator=(const SystemdNotifier&) = delete;
  ~SystemdNotifier();

 private:
  void send_until_ended(std::chrono::milliseconds interval);
  void send();

  const StatusBoard& board_;
  const std::chrono::milliseconds stuck_after_;
  const Clock& clock_;
  SystemdMessages messages_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  std::optional<std::thread> thread_;
};

}  // namespace rfm
