#include "stream/app/status_log.h"

#include <fmt/format.h>

#include "stream/app/progress.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr std::chrono::seconds kLineInterval{10};
constexpr std::chrono::seconds kHeartbeatInterval{60};

// What is not there on most days.
std::string rarities(const ServiceStatus& status) {
  std::string said;
  if (status.partitions_owned == 0) said += ", owns no partition";
  if (status.silence.days_left != 0) {
    said += fmt::format(", {} days to go through before the next record",
                        grouped(static_cast<std::uint64_t>(status.silence.days_left)));
  }
  if (status.clock_jumps != 0) said += fmt::format(", {} clock jumps", status.clock_jumps);
  if (status.split.count != 0)
    said += fmt::format(", {} customers in several partitions", grouped(status.split.count));
  return said;
}

}  // namespace

StatusLog::StatusLog(const Clock& clock) : clock_(clock), said_at_(clock.steady()) {}

std::optional<std::string> StatusLog::due(const ServiceStatus& status) {
  const auto silent = clock_.steady() - said_at_;
  const bool committed = status.commits.commits != said_commits_;
  if (silent < (committed ? kLineInterval : kHeartbeatInterval)) return std::nullopt;
  return line(status);
}

std::string StatusLog::line(const ServiceStatus& status) {
  const auto now = clock_.steady();
  const double seconds = std::chrono::duration<double>(now - said_at_).count();
  // A rebuilt pipeline counts from 0 again.
  if (status.records < said_records_) said_records_ = 0;
  const double rate = static_cast<double>(status.records - said_records_) / seconds;
  said_at_ = now;
  said_commits_ = status.commits.commits;
  said_records_ = status.records;
  return fmt::format(
      "{} records ({:.0f}/s), {} behind, event time {}, {} transitions, {} dead letters, {} "
      "commits{}",
      grouped(status.counters.records), rate,
      grouped(static_cast<std::uint64_t>(status.records_behind)),
      status.event_time == kBeforeAll ? "-" : to_rfc3339(status.event_time),
      grouped(status.counters.transitions), grouped(status.counters.dead_lettered_total()),
      grouped(status.commits.commits), rarities(status));
}

}  // namespace rfm
