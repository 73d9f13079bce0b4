// Goal: the listener answers what it should, and whatever is sent to it, it goes on answering.
// Method: raw sockets on a port that the system chose; what the other side does is read to the end.
#include "admin/admin_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/fake/manual_clock.h"

namespace rfm {
namespace {

class Connection {
 public:
  explicit Connection(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { ::close(socket_); }

  // As much of it as the other side takes.
  void send(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Until the other side closes.
  std::string read_to_end() const {
    std::string all;
    std::array<char, 4'096> piece{};
    while (true) {
      const ssize_t count = ::recv(socket_, piece.data(), piece.size(), 0);
      if (count <= 0) return all;
      all.append(piece.data(), static_cast<std::size_t>(count));
    }
  }

 private:
  int socket_;
};

class AdminServerTest : public testing::Test {
 protected:
  AdminServerTest() {
    ServiceStatus status;
    status.phase = ServicePhase::kRunning;
    status.broker_answers = true;
    board_.post(status);
    auto server = AdminServer::start("127.0.0.1:0", {}, pages_);
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  std::string ask(std::string_view request) const {
    const Connection connection(server_->port());
    connection.send(request);
    return connection.read_to_end();
  }
  std::string get(std::string_view path, std::string_view host = "localhost") const {
    return ask(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", path, host));
  }

  ManualClock clock_{1'800'000'000'000};
  StatusBoard board_;
  AdminPages pages_{{.version = "1.2.3",
                     .application = "shop",
                     .config_json = "{\"a\":1}\n",
                     .stuck_after = std::chrono::minutes{1}},
                    board_,
                    clock_,
                    nullptr,
                    nullptr};
  std::unique_ptr<AdminServer> server_;
};

TEST_F(AdminServerTest, EachPathHasItsAnswer) {
  const std::string page = get("/");
  EXPECT_TRUE(page.starts_with("HTTP/1.1 200 "));
  const auto holds = [&page](std::string_view text) { return page.find(text) != page.npos; };
  EXPECT_NE(holds("Content-Encoding: gzip"), holds("There is no page in this build"));
  EXPECT_TRUE(get("/config").ends_with("{\"a\":1}\n"));
  EXPECT_TRUE(get("/metrics").find("\nrfmstream_ready 1\n") != std::string::npos);
  EXPECT_TRUE(get("/healthz").starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(get("/readyz?verbose").starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(get("/nothing").starts_with("HTTP/1.1 404 "));
  board_.note_stop();
  EXPECT_TRUE(get("/readyz").starts_with("HTTP/1.1 503 "));
  EXPECT_TRUE(get("/healthz").starts_with("HTTP/1.1 200 "));
}

TEST_F(AdminServerTest, ConfigIsWhatWasShownLast) {
  const auto ask_unless = [this](std::string_view etag) {
    return ask(
        fmt::format("GET /config HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                    "If-None-Match: {}\r\n\r\n",
                    etag));
  };
  const std::string before = get("/config");
  const std::size_t begin = before.find("ETag: ") + 6;
  const std::string etag = before.substr(begin, before.find("\r\n", begin) - begin);
  EXPECT_TRUE(ask_unless(etag).starts_with("HTTP/1.1 304 "));
  pages_.show_config("{\"a\":2}\n");
  EXPECT_TRUE(ask_unless(etag).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(ask_unless(etag).ends_with("{\"a\":2}\n"));
}

TEST_F(AdminServerTest, EveryAnswerHasTheHeadersThatProtectABrowser) {
  for (const std::string_view path : {"/", "/config", "/metrics", "/nothing"}) {
    const std::string answer = get(path);
    for (const std::string_view header :
         {"Content-Security-Policy: default-src 'self'; ", "X-Content-Type-Options: nosniff\r\n",
          "X-Frame-Options: DENY\r\n", "Referrer-Policy: no-referrer\r\n",
          "frame-ancestors 'none'\r\n"})
      EXPECT_NE(answer.find(header), std::string::npos) << path << ": " << answer;
  }
}

// A page of another site whose name resolves to this machine.
TEST_F(AdminServerTest, OtherHostNamesAreRefused) {
  for (const std::string_view host : {"localhost", "LOCALHOST.:99", "127.0.0.1:7367", "[::1]:80"})
    EXPECT_TRUE(get("/", host).starts_with("HTTP/1.1 200 ")) << host;
  for (const std::string_view host : {"example.com", "localhost.example.com", "10.0.0.1"})
    EXPECT_TRUE(get("/", host).starts_with("HTTP/1.1 403 ")) << host;
  EXPECT_TRUE(ask("GET / HTTP/1.0\r\n\r\n").find(" 200 ") != std::string::npos);
  EXPECT_TRUE(ask("GET / HTTP/1.1\r\nHost: localhost\r\nHost: a\r\nConnection: close\r\n\r\n")
                  .starts_with("HTTP/1.1 403 "));
}

TEST_F(AdminServerTest, OnlyGetAndHeadAreAnswered) {
  for (const std::string_view method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
    const std::string answer = ask(fmt::format(
        "{} /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", method));
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 405 ")) << answer;
    EXPECT_NE(answer.find("Allow: GET, HEAD\r\n"), std::string::npos);
  }
  const std::string head =
      ask("HEAD /config HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 ")) << head;
  EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
}

TEST_F(AdminServerTest, ABodyIsNoFurtherRequest) {
  const std::string inner = "GET /config HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (const std::string_view method : {"POST", "GET"}) {
    const std::string answer =
        ask(fmt::format("{} / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{}", method,
                        inner.size(), inner));
    EXPECT_EQ(answer.find("{\"a\":1}"), std::string::npos) << answer;
  }
  EXPECT_TRUE(ask("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" +
                  std::string(1'000'000, 'x'))
                  .starts_with("HTTP/1.1 405 "));
}

TEST_F(AdminServerTest, RequestsOfOneConnectionAreAnsweredInOrder) {
  const std::string one = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::string answer =
      ask(one + one + "GET /config HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(answer.ends_with("{\"a\":1}\n")) << answer;
  EXPECT_EQ(answer.find("HTTP/1.1 200 "), 0U);
  EXPECT_NE(answer.find("HTTP/1.1 200 ", 1), std::string::npos);
}

TEST_F(AdminServerTest, WhatIsTooLargeIsRefused) {
  EXPECT_TRUE(get("/" + std::string(2'000, 'a')).starts_with("HTTP/1.1 414 "));
  get("/" + std::string(100'000, 'a'));
  std::string headers = "GET / HTTP/1.1\r\nHost: localhost\r\n";
  for (int i = 0; i < 10'000; ++i) headers += fmt::format("X-Header-{}: {}\r\n", i, i);
  EXPECT_EQ(ask(headers + "\r\n").find("HTTP/1.1 200 "), std::string::npos);
  std::string ranges = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nRange: bytes=0-1";
  for (int i = 0; i < 2'000; ++i) ranges += ",1-2";
  ask(ranges + "\r\n\r\n");
  EXPECT_TRUE(get("/healthz").starts_with("HTTP/1.1 200 "));
}

TEST_F(AdminServerTest, BytesThatAreNoRequestChangeNothing) {
  for (const std::string_view bytes :
       {std::string_view("\0\0\0\0\r\n\r\n", 8), std::string_view("\r\n\r\n\r\n"),
        std::string_view("GET\r\n\r\n"), std::string_view("\x16\x03\x01\x02\x00\x01\r\n\r\n", 10),
        std::string_view("GET /%00%ff%zz\xff HTTP/1.1\r\nHost: localhost\r\n\r\n")})
    ask(bytes);
  EXPECT_TRUE(get("/healthz").starts_with("HTTP/1.1 200 "));
}

// More than there are threads and places to wait; each has begun a request and never ends it.
TEST_F(AdminServerTest, SlowClientsTakeUpNoThread) {
  std::vector<std::unique_ptr<Connection>> slow;
  for (int i = 0; i < 300; ++i) {
    slow.push_back(std::make_unique<Connection>(server_->port()));
    slow.back()->send("GET /healthz HT");
  }
  for (const std::string_view path : {"/healthz", "/metrics", "/config"})
    EXPECT_TRUE(get(path).starts_with("HTTP/1.1 200 ")) << path;
  for (const auto& connection : slow)
    EXPECT_EQ(connection->read_to_end().find("200 OK"), std::string::npos);
}

// Else one of 8 KB would be answered with more than a thousand times the page.
TEST_F(AdminServerTest, RangesOfAnAnswerAreTheWhole) {
  std::string ranges = "bytes=0-";
  while (ranges.size() < 4'000) ranges += ",0-";
  const auto page = [this](const std::string& more) {
    return ask("GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n" + more +
               "Connection: close\r\n\r\n");
  };
  EXPECT_EQ(page("Range: " + ranges + "\r\n"), page(""));
  EXPECT_EQ(page("Range: bytes=0-10\r\n"), page(""));
}

TEST_F(AdminServerTest, BehindAHeadThatIsNoneNothingIsARequest) {
  const std::string next = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (const std::string& head :
       {"POST / HTTP/1.1\r\nHost: example.com\r\nX: " + std::string(9'000, 'x') + "\r\n\r\n",
        std::string("GET / HTTP/2.0\r\n\r\n"), std::string("FOO / HTTP/1.1\r\n\r\n"),
        std::string("GET /\n\n")}) {
    const std::string answers = ask(head + next);
    EXPECT_EQ(answers.find(" 200 "), std::string::npos) << answers.substr(0, 200);
  }
}

TEST_F(AdminServerTest, EndsWhileClientsAsk) {
  for (int round = 0; round < 30; ++round) {
    auto server = AdminServer::start("127.0.0.1:0", {}, pages_);
    ASSERT_TRUE(server.ok()) << server.status();
    std::vector<std::thread> clients;
    std::atomic<int> asked = 0;
    for (int i = 0; i < 4; ++i) {
      clients.emplace_back([&asked, port = (*server)->port()] {
        const Connection connection(port);
        connection.send("GET /config HTTP/1.1\r\nHost: localhost\r\n\r\n");
        ++asked;
        connection.read_to_end();
      });
    }
    while (asked < 4) {
    }
    server->reset();
    for (std::thread& client : clients) client.join();
  }
}

TEST_F(AdminServerTest, EndsWhileClientsAreThere) {
  const Connection silent(server_->port());
  const Connection half(server_->port());
  half.send("GET / HTTP/1.1\r\n");
  const Connection idle(server_->port());
  idle.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  server_.reset();
  silent.read_to_end();
  half.read_to_end();
}

TEST_F(AdminServerTest, APortInUseIsRefusedByName) {
  const std::string listen = fmt::format("127.0.0.1:{}", server_->port());
  const auto second = AdminServer::start(listen, {}, pages_);
  ASSERT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(second.status().message().find("admin.listen = " + listen), std::string::npos)
      << second.status();
}

}  // namespace
}  // namespace rfm
