// Goal: systemd hears in time that the service is ready, and of a stuck lane it hears nothing.
#include "admin/systemd_notifier.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/fake/manual_clock.h"

namespace rfm {
namespace {

using std::chrono::seconds;
using Instant = std::chrono::steady_clock::time_point;

constexpr Instant kStart{seconds{1'000}};

ServiceStatus running(Instant turned_at) {
  ServiceStatus status;
  status.phase = ServicePhase::kRunning;
  status.broker_answers = true;
  status.partition_count = 1;
  status.partitions_owned = 1;
  status.lanes.push_back({.lane = 0, .turned_at = turned_at, .is_assigned = true, .figures = {}});
  return status;
}

class Systemd {
 public:
  std::string hears(const ServiceStatus& status, seconds since_start, bool is_stopping = false) {
    return messages_.due({.status = status,
                          .is_stopping = is_stopping,
                          .now = kStart + since_start,
                          .stuck_after = seconds{120}});
  }

 private:
  SystemdMessages messages_{kStart};
};

TEST(SystemdMessages, ReadyIsSaidOnceAndStatusWhenItChanges) {
  Systemd systemd;
  EXPECT_EQ(systemd.hears(running(kStart), seconds{1}),
            "READY=1\nSTATUS=applies records as they come\nWATCHDOG=1\n");
  EXPECT_EQ(systemd.hears(running(kStart), seconds{2}), "WATCHDOG=1\n");
  ServiceStatus status = running(kStart);
  status.disown(ServicePhase::kAwaitingTopics, "topic invoices\nis gone");
  EXPECT_EQ(systemd.hears(status, seconds{3}),
            "STATUS=topic_gone: topic invoices is gone\nWATCHDOG=1\n");
}

TEST(SystemdMessages, AStartThatWaitsIsReadyAfterAWhile) {
  Systemd systemd;
  ServiceStatus status;
  status.broker_answers = true;
  EXPECT_EQ(systemd.hears(status, seconds{60}).find("READY"), std::string::npos);
  status.disown(ServicePhase::kAwaitingTopics, "topic invoices is gone");
  EXPECT_EQ(systemd.hears(status, seconds{1}).find("READY"), std::string::npos);
  EXPECT_EQ(systemd.hears(status, seconds{14}).find("READY"), std::string::npos);
  EXPECT_EQ(systemd.hears(status, seconds{15}), "READY=1\nWATCHDOG=1\n");
}

TEST(SystemdMessages, ARestoreTakesItsTime) {
  Systemd systemd;
  ServiceStatus status = running(kStart);
  status.lanes.front().is_restoring = true;
  status.partitions_owned = 0;  // Those that it restores are not counted yet.
  for (const seconds since : {seconds{1}, seconds{600}}) {
    const std::string heard = systemd.hears(status, since);
    EXPECT_NE(heard.find("EXTEND_TIMEOUT_USEC=60000000\n"), std::string::npos) << heard;
    EXPECT_EQ(heard.find("READY"), std::string::npos) << heard;
    EXPECT_NE(heard.find("WATCHDOG=1"), std::string::npos) << heard;
  }
  EXPECT_EQ(systemd.hears(running(kStart + seconds{601}), seconds{601}),
            "READY=1\nSTATUS=applies records as they come\nWATCHDOG=1\n");
}

TEST(SystemdMessages, OfAStuckLaneTheWatchdogHearsNothing) {
  Systemd systemd;
  EXPECT_NE(systemd.hears(running(kStart), seconds{119}), "");
  EXPECT_EQ(systemd.hears(running(kStart), seconds{120}),
            "STATUS=stuck: the loop of lane 0 has not turned for 120 s\n");
  EXPECT_EQ(systemd.hears(running(kStart + seconds{121}), seconds{122}),
            "STATUS=applies records as they come\nWATCHDOG=1\n");
}

TEST(SystemdMessages, AStopIsSaidOnce) {
  Systemd systemd;
  systemd.hears(running(kStart), seconds{1});
  EXPECT_EQ(systemd.hears(running(kStart), seconds{2}, true),
            "STOPPING=1\nSTATUS=stopping: it commits and ends\nWATCHDOG=1\n");
  EXPECT_EQ(systemd.hears(running(kStart), seconds{3}, true), "WATCHDOG=1\n");
}

// A socket as systemd has it.
class NotifySocket {
 public:
  NotifySocket() : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    std::string directory =
        (std::filesystem::temp_directory_path() / "rfmstream-notify-XXXXXX").string();
    if (mkdtemp(directory.data()) == nullptr) ADD_FAILURE() << "no temporary directory";
    directory_ = directory;
    const std::string path = (directory_ / "socket").string();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;
  ~NotifySocket() {
    unsetenv("NOTIFY_SOCKET");
    close(fd_);
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  // Waits for the next message.
  std::string receive() const {
    std::array<char, 4096> bytes{};
    const ssize_t size = recv(fd_, bytes.data(), bytes.size(), 0);
    return {bytes.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  }

 private:
  int fd_;
  std::filesystem::path directory_;
};

TEST(SystemdNotifier, SendsToTheSocket) {
  const NotifySocket socket;
  const ManualClock clock(1'000'000);
  StatusBoard board;
  board.post(running(clock.steady()));
  {
    const SystemdNotifier notifier(board, seconds{60}, clock);
    EXPECT_EQ(socket.receive(), "READY=1\nSTATUS=applies records as they come\nWATCHDOG=1\n");
  }
  EXPECT_EQ(socket.receive(), "STOPPING=1\nSTATUS=stopping: it commits and ends\nWATCHDOG=1\n");
}

TEST(SystemdNotifier, IsSilentWhereNobodyListens) {
  const ManualClock clock(1'000'000);
  const StatusBoard board;
  const SystemdNotifier notifier(board, seconds{60}, clock);
}

}  // namespace
}  // namespace rfm
