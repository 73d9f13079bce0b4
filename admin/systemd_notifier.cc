#include "admin/systemd_notifier.h"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

namespace rfm {
namespace {

// The first question to a broker is answered by then, or the process has ended for want of it
// (stream/app/kafka_setup.cc: after 10 s).
constexpr std::chrono::seconds kStartGrace{15};
// A restore takes as long as it takes; each message gives it so much more.
constexpr std::chrono::microseconds kRestoreExtension{std::chrono::seconds{60}};
constexpr std::chrono::milliseconds kInterval{500};

bool passes_by_itself(const Obstacle& obstacle) {
  return obstacle.reason == "starting" || obstacle.reason == "restoring";
}

std::string status_text(const std::vector<Obstacle>& found) {
  if (found.empty()) return "applies records as they come";
  std::string text;
  for (const Obstacle& obstacle : found)
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", obstacle.reason, obstacle.detail);
  std::ranges::replace(text, '\n', ' ');  // A line is one message.
  return text;
}

// Three messages within the watchdog's time, which is systemd's to choose.
std::chrono::milliseconds interval_of_watchdog() {
  std::uint64_t micros = 0;
  if (sd_watchdog_enabled(0, &micros) <= 0) return kInterval;
  const std::chrono::milliseconds third{static_cast<std::int64_t>(micros / 3'000)};
  return std::clamp(third, std::chrono::milliseconds{1}, kInterval);
}

}  // namespace

std::string SystemdMessages::due(const ProbeContext& context) {
  const std::vector<Obstacle> found = obstacles(context);
  std::string text;
  if (context.is_stopping && !said_stopping_) {
    said_stopping_ = true;
    text += "STOPPING=1\n";
  }
  const bool waits =
      context.now - started_at_ >= kStartGrace && !std::ranges::all_of(found, passes_by_itself);
  if (!said_ready_ && !context.is_stopping && (found.empty() || waits)) {
    said_ready_ = true;
    text += "READY=1\n";
  }
  const bool restores = std::ranges::any_of(
      found, [](const Obstacle& obstacle) { return obstacle.reason == "restoring"; });
  if (!said_ready_ && restores)
    text += fmt::format("EXTEND_TIMEOUT_USEC={}\n", kRestoreExtension.count());
  if (std::string status = status_text(found); status != said_status_) {
    text += fmt::format("STATUS={}\n", status);
    said_status_ = std::move(status);
  }
  if (stuck_lanes(context).empty()) text += "WATCHDOG=1\n";
  return text;
}

SystemdNotifier::SystemdNotifier(const StatusBoard& board, std::chrono::milliseconds stuck_after,
                                 const Clock& clock)
    : board_(board), stuck_after_(stuck_after), clock_(clock), messages_(clock.steady()) {
  if (std::getenv("NOTIFY_SOCKET") == nullptr) return;
  thread_.emplace([this, interval = interval_of_watchdog()] { send_until_ended(interval); });
}

SystemdNotifier::~SystemdNotifier() {
  if (!thread_) return;
  {
    const std::scoped_lock lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  thread_->join();
}

void SystemdNotifier::send_until_ended(std::chrono::milliseconds interval) {
  std::unique_lock lock(mutex_);
  send();
  while (!changed_.wait_for(lock, interval, [this] { return ended_; })) send();
  send();  // A stop may be over before the next message is due.
}

void SystemdNotifier::send() {
  const std::shared_ptr<const ServiceStatus> status = board_.latest();
  const std::string text = messages_.due({.status = *status,
                                          .is_stopping = ended_ || board_.is_stopping(),
                                          .now = clock_.steady(),
                                          .stuck_after = stuck_after_});
  // A systemd that does not take it has its own way to find out.
  if (!text.empty()) sd_notify(0, text.c_str());
}

}  // namespace rfm
