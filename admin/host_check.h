// Under which names the admin listener may be asked.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rfm {

// A page of another site can have its own name resolve to this machine (DNS rebinding), and would
// then read what is here; its requests carry that name in their Host header.
class HostCheck {
 public:
  // `names`: beside the machine's own. Case and a dot at the end mean nothing.
  HostCheck(std::vector<std::string> names, bool is_loopback);
  // What the socket is bound to decides, however that was written.
  static bool is_bound_to_loopback(int socket);

  // A Host header: a name or an address, and maybe a port. Addresses resolve to nothing else, and
  // are those of this machine; on loopback only its own are known.
  bool is_known(std::string_view header) const;

 private:
  std::vector<std::string> names_;
  bool is_loopback_;
};

}  // namespace rfm
