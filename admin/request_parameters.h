// The parameters of a request, read strictly: one that is unknown, double or bad is refused with
// its name, its value and what is allowed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "admin/admin_request.h"
#include "state/event_time.h"
#include "state/money.h"

namespace rfm {

class RequestParameters {
 public:
  // `request` outlives it.
  RequestParameters(const AdminRequest& request, std::span<const std::string_view> allowed);

  // Of all that was read: OK, or what is wrong first (kInvalidArgument).
  const absl::Status& status() const { return status_; }

  // Absent: it was not given, or was refused.
  std::optional<std::string> text(std::string_view name);
  std::optional<std::string> utf8(std::string_view name);
  std::int64_t integer(std::string_view name, std::int64_t otherwise, std::int64_t least,
                       std::int64_t most);
  double real(std::string_view name, double otherwise, double least, double most);
  std::optional<Money> money(std::string_view name);
  // "YYYY-MM-DD": its day, from 1970-01-01.
  std::optional<std::int64_t> day(std::string_view name);
  // Days of `from` and `to`, where both were given.
  void check_range(std::optional<std::int64_t> from, std::optional<std::int64_t> to);

  void refuse(std::string_view name, std::string_view allowed);

 private:
  const std::string* find(std::string_view name) const;

  const AdminRequest& request_;
  absl::Status status_;
};

}  // namespace rfm
