#include "admin/connection_lobby.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace rfm {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kSilentMax = 256;  // Connections whose request is not there yet.
constexpr std::size_t kQueuedMax = 128;  // Requests for a thread; more are closed at once.
constexpr milliseconds kHeadMax = LimitedStream::kRequestMax;
constexpr int kProbeThreads = 1;
constexpr int kNiceness = 5;            // Lanes come first.
constexpr milliseconds kLookAgain{50};  // How soon a stop or an end of time is noticed.

struct Head {
  enum class State { kPartial, kWhole, kGone };
  State state = State::kPartial;
  bool is_probe = false;
};

// What has come stays to be read by who serves it.
Head peek(int socket) {
  std::array<char, LimitedStream::kHeadBytesMax> bytes{};
  const ssize_t count = ::recv(socket, bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) return {Head::State::kGone};
  const std::string_view text(bytes.data(), count < 0 ? 0 : static_cast<std::size_t>(count));
  constexpr std::string_view kEnd = "\r\n\r\n";
  const std::size_t end = text.find(kEnd);
  if (end == std::string_view::npos && text.size() < bytes.size()) return {};
  const std::string_view path = text.substr(std::min(text.find(' ') + 1, text.size()));
  const bool is_alone = end == text.size() - kEnd.size();
  return {Head::State::kWhole,
          is_alone && (path.starts_with("/healthz") || path.starts_with("/readyz"))};
}

}  // namespace

ConnectionLobby::ConnectionLobby(Pressure& pressure, int threads, Serve serve)
    : pressure_(pressure), serve_(std::move(serve)), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  const auto start = [this](const std::string& name, auto run) {
    threads_.emplace_back(run);
    pthread_setname_np(threads_.back().native_handle(), name.c_str());
  };
  start("admin-lobby", [this] { listen(); });
  for (int i = 0; i < kProbeThreads; ++i)
    start("admin-probe", [this] { work(probes_, Kind::kProbe); });
  for (int i = 0; i < threads; ++i)
    start(fmt::format("admin-{}", i), [this] { work(usual_, Kind::kUsual); });
}

ConnectionLobby::~ConnectionLobby() {
  {
    const std::scoped_lock lock(mutex_);
    pressure_.is_stopping = true;
  }
  usual_.changed.notify_all();
  probes_.changed.notify_all();
  for (std::thread& thread : threads_) thread.join();
  for (const Silent& silent : silent_) ::close(silent.socket);
  for (const Queue* queue : {&usual_, &probes_})
    for (const int socket : queue->sockets) ::close(socket);
  ::close(epoll_);
}

void ConnectionLobby::add(int socket) {
  const std::scoped_lock lock(mutex_);
  if (silent_.size() >= kSilentMax) drop(silent_.begin());
  silent_.push_back({socket, Clock::now()});
  // Once for all that comes together; what is there already counts.
  epoll_event event{.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data = {.fd = socket}};
  if (pressure_.is_stopping || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) != 0)
    drop(std::prev(silent_.end()));
}

void ConnectionLobby::listen() {
  while (!pressure_.is_stopping) {
    std::array<epoll_event, 64> events{};
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                                   static_cast<int>(kLookAgain.count()));
    const std::scoped_lock lock(mutex_);
    for (int i = 0; i < count; ++i) look_at(events[static_cast<std::size_t>(i)].data.fd);
    close_overdue();
  }
}

void ConnectionLobby::look_at(int socket) {
  // One that has been closed since it was seen may be another one by now, which is looked at early.
  const auto silent = std::ranges::find(silent_, socket, &Silent::socket);
  if (silent == silent_.end()) return;
  const Head head = peek(socket);
  if (head.state == Head::State::kPartial) return;
  Queue& queue = head.is_probe ? probes_ : usual_;
  if (head.state == Head::State::kGone || queue.sockets.size() >= kQueuedMax) return drop(silent);
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, socket, nullptr);
  silent_.erase(silent);
  queue.sockets.push_back(socket);
  pressure_.waiting = usual_.sockets.size();
  queue.changed.notify_one();
}

void ConnectionLobby::close_overdue() {
  const auto now = Clock::now();
  while (!silent_.empty() && now - silent_.front().since > kHeadMax) drop(silent_.begin());
}

// Closing takes it out of what is listened to, too.
void ConnectionLobby::drop(std::list<Silent>::iterator silent) {
  ::close(silent->socket);
  silent_.erase(silent);
}

void ConnectionLobby::work(Queue& queue, Kind kind) {
  // Linux has a niceness for each thread; without it all is as it was.
  static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNiceness));
  std::unique_lock lock(mutex_);
  while (true) {
    queue.changed.wait(lock, [&] { return pressure_.is_stopping || !queue.sockets.empty(); });
    if (pressure_.is_stopping) return;
    const int socket = queue.sockets.front();
    queue.sockets.pop_front();
    pressure_.waiting = usual_.sockets.size();
    lock.unlock();
    if (serve_(socket, kind)) {
      add(socket);
    } else {
      ::close(socket);
    }
    lock.lock();
  }
}

}  // namespace rfm
