#include "stream/text/host_port.h"

#include <algorithm>
#include <charconv>

namespace rfm {

std::optional<HostPort> parse_host_port(std::string_view text) {
  constexpr int kPortMax = 65'535;
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;
  }
  const auto is_odd = [](char c) { return c <= ' ' || c > '~' || c == '[' || c == ']'; };
  if (host.empty() || std::ranges::any_of(host, is_odd)) return std::nullopt;
  HostPort result{.host = std::string(host)};
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), result.port);
  if (error != std::errc() || end != port.data() + port.size() || result.port < 0 ||
      result.port > kPortMax)
    return std::nullopt;
  return result;
}

}  // namespace rfm
