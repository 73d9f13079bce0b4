// Where to listen, as text: "127.0.0.1:7367", "[::1]:0", "localhost:7367".
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rfm {

struct HostPort {
  std::string host;  // Without brackets.
  int port = 0;      // 0 to 65,535.
};
// Absent: it is none. An IPv6 address needs its brackets.
std::optional<HostPort> parse_host_port(std::string_view text);

}  // namespace rfm
