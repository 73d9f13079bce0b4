// A connection of the admin listener, which has so long, and so many bytes, for each request.
#pragma once

#include <httplib.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>

namespace rfm {

// What a connection looks at to see how long it may wait.
struct Pressure {
  std::atomic<bool> is_stopping = false;
  std::atomic<std::size_t> waiting = 0;  // Requests without a thread.

  std::chrono::milliseconds limit(std::chrono::milliseconds usual) const;
};

// httplib has limits for each byte, which who sends one byte a second never meets.
class LimitedStream final : public httplib::Stream {
 public:
  static constexpr std::size_t kHeadBytesMax = 16'384;  // Line, headers and what else is sent.
  static constexpr std::size_t kBodyBytesMax = 65'536;  // Where one is read.
  static constexpr std::chrono::milliseconds kRequestMax{2'000};  // To read, and to be answered.

  LimitedStream(int socket, const Pressure& pressure) : socket_(socket), pressure_(pressure) {}

  // Whether a request has begun. The next of a peer who asks at once is waited for, while nobody
  // waits for the thread.
  bool await_request();
  void expect_body() { request_bytes_max_ = kHeadBytesMax + kBodyBytesMax; }
  // So that the peer reads the answer before it hears that the rest of what it sends is not wanted.
  void close_gently();

  bool is_readable() const override { return begin_ < end_; }
  bool is_writable() const override { return true; }
  ssize_t read(char* to, std::size_t size) override;
  ssize_t write(const char* from, std::size_t size) override;
  // Nobody asks who it is.
  void get_remote_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  void get_local_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  int socket() const override { return socket_; }
  // Of later versions of the library.
  bool wait_readable() const { return is_readable(); }
  bool wait_writable() const { return true; }
  time_t duration() const { return 0; }

 private:
  // `usual`: from `begun_` on.
  bool await(short event, std::chrono::milliseconds usual) const;
  bool fill(std::chrono::milliseconds usual);
  bool receive();  // What is there; false: nothing, or the end.

  const int socket_;
  const Pressure& pressure_;
  std::chrono::steady_clock::time_point begun_{};
  bool is_answering_ = false;
  std::size_t request_bytes_ = 0;
  std::size_t request_bytes_max_ = kHeadBytesMax;
  std::array<char, 4'096> bytes_{};  // Read and not asked for yet: [begin_, end_).
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace rfm
