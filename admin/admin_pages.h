// What each path of the admin listener answers. Knows nothing of HTTP but status codes.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "admin/admin_request.h"
#include "admin/health.h"
#include "admin/rules_lab.h"
#include "admin/state_answers.h"
#include "admin/status_board.h"
#include "stream/record/clock.h"

namespace rfm {

struct AdminPagesOptions {
  std::string version;
  std::string application;
  std::string config_json;  // What /config answers first.
  std::chrono::milliseconds stuck_after{};
};

// Any thread.
class AdminPages {
 public:
  // `board`, `clock`, `answers` and `lab` outlive it. Without `answers` nobody is told of
  // customers, and without `lab` nobody tries or changes rules.
  AdminPages(AdminPagesOptions options, const StatusBoard& board, const Clock& clock,
             StateAnswers* answers, RulesLab* lab);

  // What a request is refused with whose body has not been read yet; absent: nothing.
  std::optional<AdminReply> refusal(const AdminRequest& head) const;
  AdminReply answer(const AdminRequest& request) const;
  // From here on /config answers this.
  void show_config(std::string json);

 private:
  AdminReply get(const AdminRequest& request) const;
  AdminReply config() const;
  AdminReply metrics() const;
  AdminReply status_answer(const AdminRequest& request) const;

  AdminPagesOptions options_;
  const StatusBoard& board_;
  const Clock& clock_;
  StateAnswers* const answers_;
  RulesLab* const lab_;
  std::shared_ptr<const std::string> index_;
  mutable std::mutex mutex_;  // Guards what follows.
  AdminReply config_;
  // Metrics are written once for each status, however many ask, but not kept beyond their time.
  mutable std::shared_ptr<const ServiceStatus> written_of_;
  mutable std::chrono::steady_clock::time_point written_at_{};
  mutable std::shared_ptr<const std::string> metrics_;
};

}  // namespace rfm
