#include "admin/status_board.h"

#include <utility>

namespace rfm {

StatusBoard::StatusBoard() : latest_(std::make_shared<const ServiceStatus>()) {}

void StatusBoard::post(const ServiceStatus& status) {
  auto posted = std::make_shared<const ServiceStatus>(status);
  const std::scoped_lock lock(mutex_);
  latest_.swap(posted);
}

std::shared_ptr<const ServiceStatus> StatusBoard::latest() const {
  const std::scoped_lock lock(mutex_);
  return latest_;
}

}  // namespace rfm
