// What each path of the admin listener answers. Knows nothing of HTTP but status codes.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "admin/status_board.h"
#include "stream/record/clock.h"

namespace rfm {

struct AdminPagesOptions {
  std::string version;
  std::string application;
  std::string config_json;  // What /config answers.
  std::chrono::milliseconds stuck_after{};
};

// Any thread.
class AdminPages {
 public:
  struct Reply {
    int status = 200;
    std::string_view content_type;
    // Shared, because those who ask for the same get the same.
    std::shared_ptr<const std::string> body;
  };

  // `board` and `clock` outlive it.
  AdminPages(AdminPagesOptions options, const StatusBoard& board, const Clock& clock);

  // `path` is without query.
  Reply get(std::string_view path) const;

 private:
  Reply metrics() const;

  AdminPagesOptions options_;
  const StatusBoard& board_;
  const Clock& clock_;
  std::shared_ptr<const std::string> index_;
  std::shared_ptr<const std::string> config_;
  // Metrics are written once for each status, however many ask, but not kept beyond their time.
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const ServiceStatus> written_of_;
  mutable std::chrono::steady_clock::time_point written_at_{};
  mutable std::shared_ptr<const std::string> metrics_;
};

}  // namespace rfm
