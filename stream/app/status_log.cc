#include "stream/app/status_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

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

// How far the partition that is furthest behind is in event time: " (3.2 h)"; empty where nothing
// is, or the broker has not said its time.
std::string lag_text(const ServiceStatus& status) {
  std::chrono::milliseconds longest{0};
  for (const PartitionStatus& partition : status.partitions) {
    if (!partition.started || partition.records_behind == 0 || !status.broker_ms) continue;
    longest = std::max(longest, from_ms(*status.broker_ms) - partition.event_time);
  }
  struct Unit {
    std::chrono::milliseconds length;
    std::string_view name;
  };
  static constexpr std::array<Unit, 4> kUnits = {{{std::chrono::days{1}, "d"},
                                                  {std::chrono::hours{1}, "h"},
                                                  {std::chrono::minutes{1}, "min"},
                                                  {std::chrono::seconds{1}, "s"}}};
  for (const auto& [length, name] : kUnits) {
    if (longest < length) continue;
    return fmt::format(" ({:.1f} {})",
                       static_cast<double>(longest / std::chrono::milliseconds{1}) /
                           static_cast<double>(length / std::chrono::milliseconds{1}),
                       name);
  }
  return "";
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
      "{} records ({:.0f}/s), {} behind{}, event time {}, {} transitions, {} dead letters, {} "
      "commits{}",
      grouped(status.counters.records), rate,
      grouped(static_cast<std::uint64_t>(status.records_behind)), lag_text(status),
      status.event_time == kBeforeAll ? "-" : to_rfc3339(status.event_time),
      grouped(status.counters.transitions), grouped(status.counters.dead_lettered_total()),
      grouped(status.commits.commits), rarities(status));
}

}  // namespace rfm
