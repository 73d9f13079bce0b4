#include "admin/admin_server.h"

#include <fmt/format.h>
#include <httplib.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <exception>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/str_split.h"
#include "admin/connection_lobby.h"
#include "admin/host_check.h"
#include "admin/limited_stream.h"
#include "stream/text/host_port.h"

namespace rfm {
namespace {

constexpr int kThreads = StateDesks::kAskingMax + 8;  // Who waits for lanes leaves some.
constexpr int kBacklog = 128;
constexpr std::size_t kBodyBytesMax = LimitedStream::kBodyBytesMax;
constexpr std::size_t kPathBytesMax = 1'024;

// Connections go to the lobby from the thread that accepts them.
class AtOnce final : public httplib::TaskQueue {
 public:
  // Whether it was taken, in later versions of the library.
  using Taken = decltype(std::declval<httplib::TaskQueue&>().enqueue({}));
  Taken enqueue(std::function<void()> take) override {
    take();
    return static_cast<Taken>(true);
  }
  void shutdown() override {}
};

}  // namespace

class AdminServer::Listener final : public httplib::Server {
 public:
  Listener(std::string host, const AdminPages& pages) : host_(std::move(host)), pages_(pages) {
    new_task_queue = [] { return new AtOnce; };  // The library deletes it.
    // Not SO_REUSEPORT, the library's own: two processes would share the port without a word.
    set_socket_options([](auto socket) {
      const int on = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    set_tcp_nodelay(true);
    set_keep_alive_timeout(1);  // What clients are told; the lobby keeps them somewhat longer.
    // Tooltips of charts have styles of their own, and pictures are made in the page.
    set_default_headers({{"Content-Security-Policy",
                          "default-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' "
                          "data: blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
                          "frame-ancestors 'none'"},
                         {"X-Content-Type-Options", "nosniff"},
                         {"X-Frame-Options", "DENY"},
                         {"Referrer-Policy", "no-referrer"},
                         {"Cross-Origin-Resource-Policy", "same-origin"}});
    // What the library refuses by itself.
    set_error_handler([](const httplib::Request& request, httplib::Response& response) {
      if (response.body.empty())
        write(error_reply(response.status, "bad_request", "the request is malformed"), request,
              response);
    });
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
    lobby_.reset();
  }

  // False: `errno` says why.
  bool start(int port, std::vector<std::string> hosts) {
    errno = 0;
    port_ = port != 0                              ? (bind_to_port(host_, port) ? port : -1)
            : (port = bind_to_any_port(host_)) > 0 ? port
                                                   : -1;
    if (port_ < 0 || ::listen(svr_sock_, kBacklog) != 0) return false;
    hosts_.emplace(std::move(hosts), HostCheck::is_bound_to_loopback(svr_sock_));
    lobby_ = std::make_unique<ConnectionLobby>(
        pressure_, kThreads,
        [this](int socket, ConnectionLobby::Kind kind) { return serve(socket, kind); });
    thread_ = std::thread([this] {
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
    // Browsers always say whom they ask.
    const std::size_t hosts = request.get_header_value_count("Host");
    if (hosts > 1 || (hosts == 1 && !hosts_->is_known(request.get_header_value("Host"))))
      return refuse(403, "unknown_host",
                    "this host name is not served here; admin.hosts names others");
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
    // The library leaves out one that is there twice with the same value.
    std::set<absl::string_view> seen;
    absl::string_view query(request.target);
    query.remove_prefix(std::min(query.find('?'), query.size() - 1) + 1);
    for (const absl::string_view piece : absl::StrSplit(query, '&', absl::SkipEmpty())) {
      const std::string name(piece.substr(0, piece.find('=')));
      if (!seen.insert(piece).second) head.parameters.insert(head.parameters.end(), 2, {name, ""});
    }
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

  bool process_and_close_socket(socket_t socket) override {
    lobby_->add(socket);
    return true;
  }
  // Instead of the library's, which has no limit for a whole request.
  bool serve(int socket, ConnectionLobby::Kind kind) {
    try {
      return answer(socket, kind);
    } catch (const std::exception&) {  // No memory, say: this connection ends, and nothing else.
      return false;
    }
  }
  // True: more may be asked on it.
  bool answer(int socket, ConnectionLobby::Kind kind) {
    LimitedStream stream(socket, pressure_);
    while (stream.await_request()) {
      // What follows a body, or is one that nobody reads, or a head that is none, is not another
      // request.
      bool may_go_on = false;
      const auto look = [&](httplib::Request& request) {
        may_go_on =
            !request.has_header("Content-Length") && !request.has_header("Transfer-Encoding");
        leave_out_brotli(request);
        request.ranges.clear();  // Many parts of one answer would be more than the answer.
        if (request.method == "POST") stream.expect_body();
      };
      bool closed = false;
      const bool may_ask = process(*this, stream, closed, look) && !closed && may_go_on;
      // What has come of another request cannot be put back, and the thread is wanted.
      if (kind == ConnectionLobby::Kind::kProbe) return may_ask && !stream.is_readable();
      if (may_ask && (pressure_.waiting == 0 || !stream.is_readable())) continue;
      stream.close_gently();
      return false;
    }
    return true;
  }
  template <class Self, class Look>
  static bool process(Self& self, LimitedStream& stream, bool& closed, Look look) {
    constexpr bool kIsLast = false;
    if constexpr (requires { self.process_request(stream, kIsLast, closed, look); }) {
      return self.process_request(stream, kIsLast, closed, look);
    } else {  // Later versions of the library.
      return self.process_request(stream, "", 0, "", 0, kIsLast, closed, look);
    }
  }

  const std::string host_;
  const AdminPages& pages_;
  int port_ = 0;
  std::optional<HostCheck> hosts_;
  Pressure pressure_;
  std::unique_ptr<ConnectionLobby> lobby_;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

AdminServer::AdminServer(std::unique_ptr<Listener> listener) : listener_(std::move(listener)) {}
AdminServer::~AdminServer() = default;

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::start(const std::string& listen,
                                                                std::vector<std::string> hosts,
                                                                const AdminPages& pages) {
  const std::optional<HostPort> address = parse_host_port(listen);
  if (!address)
    return absl::InvalidArgumentError(fmt::format("admin.listen = {}: allowed: HOST:PORT", listen));
  auto listener = std::make_unique<Listener>(address->host, pages);
  if (!listener->start(address->port, std::move(hosts))) {
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
