#include "admin/admin_server.h"

#include <fmt/format.h>
#include <httplib.h>
#include <poll.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "stream/text/host_port.h"

namespace rfm {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr int kThreads = StateDesks::kAskingMax + 8;  // Who waits for lanes leaves some.
constexpr std::size_t kConnectionsWaitingMax = 32;    // For a thread; more are closed at once.
constexpr int kBacklog = 128;
constexpr int kRequestsPerConnectionMax = 100;
constexpr std::chrono::seconds kIdleMax{1};     // Until a request begins.
constexpr milliseconds kRequestMax{2'000};      // To read it, and to send the answer.
constexpr milliseconds kUnderPressureMax{300};  // Both, while connections wait for a thread.
constexpr milliseconds kPollSlice{50};          // How soon a stop is noticed.
constexpr milliseconds kDrainMax{100};
constexpr std::size_t kRequestBytesMax = 16'384;  // Line, headers and what else is sent.
constexpr std::size_t kBodyBytesMax = 65'536;     // Where one is read.
constexpr std::size_t kPathBytesMax = 1'024;
constexpr int kNiceness = 5;  // Lanes come first.

// A name such as 127.example.com is none.
bool is_loopback(std::string_view host) {
  const bool is_number = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host == "localhost" || host == "::1" || (host.starts_with("127.") && is_number);
}

// Of a Host header or an address: without port and brackets.
std::string_view host_part(std::string_view text) {
  if (text.starts_with('[')) return text.substr(1, text.find(']') - 1);
  return text.substr(0, text.find(':'));
}

// What a connection looks at to see how long it may wait.
struct Pressure {
  std::atomic<bool> is_stopping = false;
  std::atomic<std::size_t> waiting = 0;  // Connections without a thread.

  milliseconds limit(milliseconds usual) const {
    if (is_stopping) return milliseconds{0};
    return waiting > 0 ? std::min(usual, kUnderPressureMax) : usual;
  }
};

// A connection that has so long, and so many bytes, for each request. httplib has limits for each
// byte, which who sends one byte a second never meets.
class LimitedStream final : public httplib::Stream {
 public:
  LimitedStream(int socket, const Pressure& pressure) : socket_(socket), pressure_(pressure) {}

  // Waits for a request's first byte. False: there is none, and the connection is to be closed.
  bool await_request() {
    begun_ = Clock::now();
    if (begin_ == end_ && !fill(kIdleMax)) return false;
    begun_ = Clock::now();
    is_answering_ = false;
    request_bytes_ = end_ - begin_;
    request_bytes_max_ = kRequestBytesMax;
    return true;
  }
  void expect_body() { request_bytes_max_ = kRequestBytesMax + kBodyBytesMax; }
  // So that the peer reads the answer before it hears that the rest of what it sends is not wanted.
  void close_gently() {
    ::shutdown(socket_, SHUT_WR);
    begun_ = Clock::now();
    request_bytes_ = begin_ = end_ = 0;
    while (fill(kDrainMax)) begin_ = end_;
  }

  bool is_readable() const override { return begin_ < end_; }
  bool is_writable() const override { return true; }
  ssize_t read(char* to, std::size_t size) override {
    if (begin_ == end_ && !fill(kRequestMax)) return -1;
    const std::size_t count = std::min(size, end_ - begin_);
    std::copy_n(bytes_.data() + begin_, count, to);
    begin_ += count;
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* from, std::size_t size) override {
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
  bool await(short event, milliseconds usual) const {
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
  bool fill(milliseconds usual) {
    if (request_bytes_ > request_bytes_max_ || !await(POLLIN, usual)) return false;
    const ssize_t count = ::recv(socket_, bytes_.data(), bytes_.size(), MSG_DONTWAIT);
    if (count <= 0) return false;
    begin_ = 0;
    end_ = static_cast<std::size_t>(count);
    request_bytes_ += end_;
    return true;
  }

  const int socket_;
  const Pressure& pressure_;
  Clock::time_point begun_{};
  bool is_answering_ = false;
  std::size_t request_bytes_ = 0;
  std::size_t request_bytes_max_ = kRequestBytesMax;
  std::array<char, 4'096> bytes_{};  // Read and not asked for yet: [begin_, end_).
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

// A fixed number of threads. What they cannot take soon is closed by the thread that accepts.
class Workers final : public httplib::TaskQueue {
 public:
  explicit Workers(Pressure& pressure) : pressure_(pressure) {
    for (int i = 0; i < kThreads; ++i) {
      threads_.emplace_back([this] { work(); });
      pthread_setname_np(threads_.back().native_handle(), fmt::format("admin-{}", i).c_str());
    }
  }

  // Whether it was taken, in later versions of the library.
  using Taken = decltype(std::declval<httplib::TaskQueue&>().enqueue({}));
  Taken enqueue(std::function<void()> serve) override {
    {
      const std::scoped_lock lock(mutex_);
      if (waiting_.size() < kConnectionsWaitingMax) {
        waiting_.push_back(std::move(serve));
        pressure_.waiting = waiting_.size();
        serve = nullptr;
      }
    }
    if (serve) serve();
    changed_.notify_one();
    return static_cast<Taken>(true);
  }
  void shutdown() override {
    pressure_.is_stopping = true;
    {
      const std::scoped_lock lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void work() {
    // Linux has a niceness for each thread; without it all is as it was.
    static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNiceness));
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
      if (waiting_.empty()) return;  // A stop closes those that wait first.
      const std::function<void()> serve = std::move(waiting_.front());
      waiting_.pop_front();
      pressure_.waiting = waiting_.size();
      lock.unlock();
      serve();
      lock.lock();
    }
  }

  Pressure& pressure_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool ended_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace

class AdminServer::Listener final : public httplib::Server {
 public:
  Listener(std::string host, const AdminPages& pages) : host_(std::move(host)), pages_(pages) {
    new_task_queue = [this] { return new Workers(pressure_); };  // The library deletes it.
    // Not SO_REUSEPORT, the library's own: two processes would share the port without a word.
    set_socket_options([](auto socket) {
      const int on = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    set_tcp_nodelay(true);
    set_keep_alive_max_count(kRequestsPerConnectionMax);
    set_keep_alive_timeout(std::chrono::seconds(kIdleMax).count());
    // Tooltips of charts have styles of their own, and pictures are made in the page.
    set_default_headers({{"Content-Security-Policy",
                          "default-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' "
                          "data: blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
                          "frame-ancestors 'none'"},
                         {"X-Content-Type-Options", "nosniff"},
                         {"X-Frame-Options", "DENY"},
                         {"Referrer-Policy", "no-referrer"},
                         {"Cross-Origin-Resource-Policy", "same-origin"}});
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      return begin(request, response) ? HandlerResponse::Unhandled : HandlerResponse::Handled;
    });
    Post(".*", [this](const httplib::Request& request, httplib::Response& response,
                      const httplib::ContentReader& content) {
      AdminRequest asked = head_of(request);
      const bool is_whole = content([&](const char* piece, std::size_t size) {
        asked.body.append(piece, size);
        return asked.body.size() <= kBodyBytesMax;
      });
      if (is_whole) write(pages_.answer(asked), request, response);
    });
  }
  ~Listener() override {
    pressure_.is_stopping = true;
    while (thread_.joinable() && !is_running() && !ended_) std::this_thread::yield();
    stop();
    if (thread_.joinable()) thread_.join();
  }

  // False: `errno` says why.
  bool start(int port) {
    errno = 0;
    port_ = port != 0                              ? (bind_to_port(host_, port) ? port : -1)
            : (port = bind_to_any_port(host_)) > 0 ? port
                                                   : -1;
    if (port_ < 0 || ::listen(svr_sock_, kBacklog) != 0) return false;
    thread_ = std::thread([this] {
      acceptor_ = std::this_thread::get_id();
      pthread_setname_np(pthread_self(), "admin");
      if (!listen_after_bind() && !pressure_.is_stopping)
        spdlog::error("admin.listen: nothing is accepted any more");
      ended_ = true;
    });
    return true;
  }
  int port() const { return port_; }

 private:
  // Answers what needs no body. True: one is to be read.
  bool begin(const httplib::Request& request, httplib::Response& response) const {
    const auto answered = [&](const AdminReply& reply) {
      write(reply, request, response);
      return false;
    };
    const auto refuse = [&](int status, std::string_view reason, std::string_view detail) {
      return answered(error_reply(status, reason, detail));
    };
    if (!is_known(request)) return refuse(403, "unknown_host", "this host name is not served here");
    if (request.path.size() > kPathBytesMax)
      return refuse(414, "path_too_long", "the path is too long");
    const AdminRequest head = head_of(request);
    if (const std::optional<AdminReply> refused = pages_.refusal(head)) return answered(*refused);
    if (head.method != "POST") return answered(pages_.answer(head));
    const auto is_multipart = request.get_header_value("Content-Type").starts_with("multipart/");
    if (request.has_header("Content-Encoding") || is_multipart)
      return refuse(415, "bad_type", "the body is to be TOML as it is");
    if (request.has_header("Transfer-Encoding") || !request.has_header("Content-Length"))
      return refuse(411, "length_needed", "the body is to come whole, with a Content-Length");
    const std::string length = request.get_header_value("Content-Length");
    std::size_t bytes = 0;
    const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bytes);
    if (error == std::errc::invalid_argument || end != length.data() + length.size())
      return refuse(400, "bad_request", "Content-Length: allowed: a whole number");
    if (error != std::errc() || bytes > kBodyBytesMax)
      return refuse(413, "too_large", fmt::format("allowed: {} bytes", kBodyBytesMax));
    return true;
  }

  static AdminRequest head_of(const httplib::Request& request) {
    AdminRequest head;
    head.method = request.method;
    head.path = request.path;
    head.parameters.assign(request.params.begin(), request.params.end());
    head.authorization = request.get_header_value("Authorization");
    return head;
  }

  static void write(const AdminReply& reply, const httplib::Request& request,
                    httplib::Response& response) {
    response.status = reply.status;
    response.set_header("Cache-Control", reply.keeping == Keeping::kForEver
                                             ? "public, max-age=31536000, immutable"
                                         : reply.keeping == Keeping::kAsked ? "private, no-cache"
                                                                            : "no-store");
    if (reply.status == 503) response.set_header("Retry-After", "1");
    if (reply.status == 401) response.set_header("WWW-Authenticate", "Bearer");
    if (!reply.allow.empty()) response.set_header("Allow", std::string(reply.allow));
    if (!reply.etag.empty()) {
      response.set_header("ETag", reply.etag);
      if (request.get_header_value("If-None-Match").find(reply.etag) != std::string::npos) {
        response.status = 304;
        return;
      }
    }
    if (reply.content_encoding.empty())
      return response.set_content(*reply.body, std::string(reply.content_type));
    response.set_header("Content-Encoding", std::string(reply.content_encoding));
    // What is provided the library does not encode once more.
    response.set_content_provider(
        reply.body->size(), std::string(reply.content_type),
        [body = reply.body](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
          sink.write(body->data() + offset, length);
          return true;
        });
  }

  // The library takes Brotli's best, which costs ten times the CPU time of gzip.
  static void leave_out_brotli(httplib::Request& request) {
    const bool takes_gzip =
        request.get_header_value("Accept-Encoding").find("gzip") != std::string::npos;
    request.headers.erase("Accept-Encoding");
    if (takes_gzip) request.set_header("Accept-Encoding", "gzip");
  }

  // A page of another site can have its own name resolve to this machine (DNS rebinding), and would
  // then read what is here; its requests carry that name.
  bool is_known(const httplib::Request& request) const {
    if (!is_loopback(host_)) return true;
    if (request.get_header_value_count("Host") != 1) return false;
    std::string host = request.get_header_value("Host");
    std::ranges::transform(host, host.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return is_loopback(host_part(host));
  }

  // Instead of the library's, which has no limit for a whole request.
  bool process_and_close_socket(socket_t socket) override {
    if (std::this_thread::get_id() != acceptor_.load() && !pressure_.is_stopping) serve(socket);
    ::close(socket);
    return true;
  }
  void serve(socket_t socket) {
    LimitedStream stream(socket, pressure_);
    for (int left = kRequestsPerConnectionMax; left > 0; --left) {
      if (!stream.await_request()) return;
      // What follows a body, or is one that nobody reads, is not another request.
      bool has_body = false;
      const auto look = [&](httplib::Request& request) {
        leave_out_brotli(request);
        request.ranges.clear();  // Answers are whole.
        has_body = request.has_header("Content-Length") || request.has_header("Transfer-Encoding");
        if (request.method == "POST") stream.expect_body();
      };
      const bool is_last = left == 1 || pressure_.waiting > 0;
      bool closed = false;
      if (!process(*this, stream, is_last, closed, look) || is_last || closed || has_body) break;
    }
    stream.close_gently();
  }
  template <class Self, class Look>
  static bool process(Self& self, LimitedStream& stream, bool is_last, bool& closed, Look look) {
    if constexpr (requires { self.process_request(stream, is_last, closed, look); }) {
      return self.process_request(stream, is_last, closed, look);
    } else {  // Later versions of the library.
      return self.process_request(stream, "", 0, "", 0, is_last, closed, look);
    }
  }

  const std::string host_;
  const AdminPages& pages_;
  int port_ = 0;
  Pressure pressure_;
  std::atomic<std::thread::id> acceptor_;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

AdminServer::AdminServer(std::unique_ptr<Listener> listener) : listener_(std::move(listener)) {}
AdminServer::~AdminServer() = default;

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::start(const std::string& listen,
                                                                const AdminPages& pages) {
  const std::optional<HostPort> address = parse_host_port(listen);
  if (!address)
    return absl::InvalidArgumentError(fmt::format("admin.listen = {}: allowed: HOST:PORT", listen));
  auto listener = std::make_unique<Listener>(address->host, pages);
  if (!listener->start(address->port)) {
    const int error = errno;
    return absl::FailedPreconditionError(fmt::format(
        "admin.listen = {}: cannot listen there{}{}. Another address or port, or port 0 for any, "
        "is "
        "--set admin.listen=HOST:PORT; an empty one turns it off",
        listen, error == 0 ? "" : ": ", error == 0 ? "" : std::system_category().message(error)));
  }
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(listener)));
}

int AdminServer::port() const { return listener_->port(); }

}  // namespace rfm
