#include "admin/limited_stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace rfm {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kUnderPressureMax{300};  // While requests wait for a thread.
constexpr milliseconds kPollSlice{50};          // How soon a stop is noticed.
constexpr milliseconds kDrainMax{100};
constexpr milliseconds kNextMax{5};

}  // namespace

milliseconds Pressure::limit(milliseconds usual) const {
  if (is_stopping) return milliseconds{0};
  return waiting > 0 ? std::min(usual, kUnderPressureMax) : usual;
}

bool LimitedStream::await_request() {
  if (pressure_.is_stopping) return false;
  begun_ = Clock::now();
  is_answering_ = false;
  request_bytes_ = end_ - begin_;
  request_bytes_max_ = kHeadBytesMax;
  if (begin_ < end_ || receive()) return true;
  if (pressure_.waiting > 0 || !fill(kNextMax)) return false;
  begun_ = Clock::now();
  return true;
}

void LimitedStream::close_gently() {
  ::shutdown(socket_, SHUT_WR);
  begun_ = Clock::now();
  request_bytes_ = begin_ = end_ = 0;
  while (fill(kDrainMax)) begin_ = end_;
}

ssize_t LimitedStream::read(char* to, std::size_t size) {
  if (begin_ == end_ && !fill(kRequestMax)) return -1;
  const std::size_t count = std::min(size, end_ - begin_);
  std::copy_n(bytes_.data() + begin_, count, to);
  begin_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t LimitedStream::write(const char* from, std::size_t size) {
  if (!std::exchange(is_answering_, true)) begun_ = Clock::now();
  std::size_t sent = 0;
  while (sent < size) {
    if (!await(POLLOUT, kRequestMax)) return -1;
    const ssize_t count = ::send(socket_, from + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno != EAGAIN && errno != EINTR) return -1;
    if (count > 0) sent += static_cast<std::size_t>(count);
  }
  return static_cast<ssize_t>(size);
}

bool LimitedStream::await(short event, milliseconds usual) const {
  while (true) {
    const auto left =
        std::chrono::ceil<milliseconds>(begun_ + pressure_.limit(usual) - Clock::now());
    if (left.count() <= 0) return false;
    pollfd waited{.fd = socket_, .events = event, .revents = 0};
    const int ready = ::poll(&waited, 1, static_cast<int>(std::min(left, kPollSlice).count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

bool LimitedStream::fill(milliseconds usual) {
  return request_bytes_ < request_bytes_max_ && await(POLLIN, usual) && receive();
}

bool LimitedStream::receive() {
  const ssize_t count = ::recv(socket_, bytes_.data(), bytes_.size(), MSG_DONTWAIT);
  if (count <= 0) return false;
  begin_ = 0;
  end_ = static_cast<std::size_t>(count);
  request_bytes_ += end_;
  return true;
}

}  // namespace rfm
