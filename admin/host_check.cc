#include "admin/host_check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"

namespace rfm {
namespace {

constexpr std::string_view kDigits = "0123456789";

bool is_loopback(const in_addr& address) { return (ntohl(address.s_addr) >> 24) == 127; }
bool is_loopback(const in6_addr& address) {
  in_addr mapped{};
  std::memcpy(&mapped, address.s6_addr + 12, sizeof mapped);
  return IN6_IS_ADDR_LOOPBACK(&address) || (IN6_IS_ADDR_V4MAPPED(&address) && is_loopback(mapped));
}

// Absent: it is a name. Else whether it is one of loopback.
std::optional<bool> loopback_address(const std::string& host, bool is_bracketed) {
  in_addr v4{};
  in6_addr v6{};
  if (!is_bracketed && ::inet_pton(AF_INET, host.c_str(), &v4) == 1) return is_loopback(v4);
  if (is_bracketed && ::inet_pton(AF_INET6, host.c_str(), &v6) == 1) return is_loopback(v6);
  return std::nullopt;
}

std::string plain(std::string_view name) {
  std::string result = absl::AsciiStrToLower({name.data(), name.size()});
  if (result.ends_with('.')) result.pop_back();
  return result;
}

}  // namespace

HostCheck::HostCheck(std::vector<std::string> names, bool is_loopback)
    : names_(std::move(names)), is_loopback_(is_loopback) {
  std::array<char, 256> own{};
  if (::gethostname(own.data(), own.size() - 1) == 0 && own.front() != '\0')
    names_.emplace_back(own.data());
  names_.emplace_back("localhost");
  for (std::string& name : names_) name = plain(name);
}

bool HostCheck::is_bound_to_loopback(int socket) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return false;
  if (bound.ss_family == AF_INET)
    return is_loopback(reinterpret_cast<const sockaddr_in*>(&bound)->sin_addr);
  return bound.ss_family == AF_INET6 &&
         is_loopback(reinterpret_cast<const sockaddr_in6*>(&bound)->sin6_addr);
}

bool HostCheck::is_known(std::string_view header) const {
  const bool is_bracketed = header.starts_with('[');
  const std::size_t end = is_bracketed ? header.find(']') : header.find(':');
  if (is_bracketed && end == std::string_view::npos) return false;
  const std::string_view host = header.substr(is_bracketed ? 1 : 0, is_bracketed ? end - 1 : end);
  std::string_view port = end == std::string_view::npos ? "" : header.substr(end);
  if (is_bracketed) port.remove_prefix(std::min<std::size_t>(1, port.size()));
  if (!port.empty() &&
      (port.front() != ':' || port.find_first_not_of(kDigits, 1) != std::string_view::npos))
    return false;
  const std::string name = plain(host);
  if (const std::optional<bool> loopback = loopback_address(name, is_bracketed))
    return *loopback || !is_loopback_;
  return !is_bracketed && std::ranges::find(names_, name) != names_.end();
}

}  // namespace rfm
