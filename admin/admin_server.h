// The admin listener: AdminPages over HTTP, for probes, Prometheus and people. Made to be asked too
// much: a bounded number of threads, connections, bytes and seconds for each request, and no word
// of a request in the log.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "admin/admin_pages.h"

namespace rfm {

class AdminServer {
 public:
  // Listens from here on, for requests to the machine's own names and addresses and to `hosts`.
  // kFailedPrecondition, naming the setting admin.listen: it cannot listen there. `pages` outlives
  // it.
  static absl::StatusOr<std::unique_ptr<AdminServer>> start(const std::string& listen,
                                                            std::vector<std::string> hosts,
                                                            const AdminPages& pages);
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;
  ~AdminServer();  // Ends what is being answered, within some tenths of a second.

  int port() const;

 private:
  class Listener;

  explicit AdminServer(std::unique_ptr<Listener> listener);

  std::unique_ptr<Listener> listener_;
};

}  // namespace rfm
