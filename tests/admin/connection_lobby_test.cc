// Goal: only what a thread can answer at once gets one, and the probes' thread only what is a probe
// and nothing else.
#include "admin/connection_lobby.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace rfm {
namespace {

class ConnectionLobbyTest : public testing::Test {
 protected:
  using Kind = ConnectionLobby::Kind;

  // Whose thread `text` gets, when it comes in one piece; absent: none, until it is closed.
  std::optional<Kind> served(std::string_view text) {
    {
      const std::scoped_lock lock(mutex_);
      served_.reset();
    }
    std::array<int, 2> sockets{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets.data()), 0);
    EXPECT_EQ(::send(sockets[0], text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    lobby_.add(sockets[1]);
    char byte = 0;
    while (::recv(sockets[0], &byte, 1, 0) > 0) {
    }
    ::close(sockets[0]);
    const std::scoped_lock lock(mutex_);
    return served_;
  }

 private:
  std::mutex mutex_;
  std::optional<Kind> served_;
  Pressure pressure_;
  ConnectionLobby lobby_{pressure_, 2, [this](int /*socket*/, Kind kind) {
                           const std::scoped_lock lock(mutex_);
                           served_ = kind;
                           return false;
                         }};
};

TEST_F(ConnectionLobbyTest, AProbeAloneHasTheProbesThread) {
  const std::string probe = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::string other = "GET /customers HTTP/1.1\r\nHost: localhost\r\n\r\n";
  EXPECT_EQ(served(probe), Kind::kProbe);
  EXPECT_EQ(served("GET /readyz HTTP/1.1\r\n\r\n"), Kind::kProbe);
  EXPECT_EQ(served(other), Kind::kUsual);
  EXPECT_EQ(served(probe + other), Kind::kUsual);
  EXPECT_EQ(served(probe + "GET "), Kind::kUsual);
}

TEST_F(ConnectionLobbyTest, AHeadWithoutItsEndHasNone) {
  EXPECT_EQ(served("GET /healthz HTTP/1.1\r\nHost: localhost\r\n"), std::nullopt);
  // The HTTP library passes over lines that end so, and waits for others.
  EXPECT_EQ(served("GET /healthz HTTP/1.1\nHost: localhost\n\n"), std::nullopt);
}

TEST_F(ConnectionLobbyTest, AHeadThatIsTooLongIsNoProbe) {
  const std::string head = "GET /healthz HTTP/1.1\r\nX: " + std::string(20'000, 'x');
  EXPECT_EQ(served(head), Kind::kUsual);
}

}  // namespace
}  // namespace rfm
