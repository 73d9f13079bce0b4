#include "stream/run/sole_instance.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <string>
#include <utility>

#include "stream/kafka/kafka_handles.h"
#include "stream/run/stop_poll.h"

namespace rfm {
namespace {

constexpr std::chrono::milliseconds kAnswerMax{2'000};
constexpr std::chrono::milliseconds kPause{500};

}  // namespace

std::optional<GroupMember> other_instance(const KafkaOptions& options) {
  const auto members = group_members(options, kAnswerMax);
  return members.ok() ? foreign_member(*members, options) : std::nullopt;
}

absl::Status check_sole_instance(const KafkaOptions& options) {
  const Deadline deadline(options.session_timeout + kAnswerMax);
  bool said = false;
  while (const auto other = other_instance(options)) {
    if (deadline.passed()) {
      return absl::FailedPreconditionError(fmt::format(
          "{} on {} is in the consumer group {} already, and this is app.instance = {}: only one "
          "instance of an application can run for now. For more speed raise run.lanes; to move it, "
          "stop the other one first",
          other->name, other->host, options.application, options.instance));
    }
    if (!std::exchange(said, true)) {
      spdlog::info("{} on {} is in the consumer group {}: waiting for its session to end",
                   other->name, other->host, options.application);
    }
    if (!sleep_unless_stopped(kPause, *options.stop))
      return absl::CancelledError("stopped before it began");
  }
  return absl::OkStatus();
}

absl::Status with_rival(const absl::Status& status, const KafkaOptions& options) {
  std::string hosts;
  const auto members = group_members(options, kAnswerMax);
  if (members.ok()) {
    for (const GroupMember& member : *members)
      hosts += fmt::format("{}{} on {}", hosts.empty() ? "" : ", ", member.name, member.host);
  }
  return absl::PermissionDeniedError(fmt::format(
      "{}\nAnother process runs as app.name = {}, app.instance = {}{}. End one of the two.",
      std::string(status.message()), options.application, options.instance,
      hosts.empty() ? "" : " (in the group: " + hosts + ")"));
}

}  // namespace rfm
