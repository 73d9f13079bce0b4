#include "stream/run/service_notices.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstdint>
#include <cstdlib>

#include "state/epoch.h"
#include "stream/run/sole_instance.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr std::chrono::seconds kUnownedMax{30};
constexpr std::int64_t kSilenceDaysMin = 100;  // Shorter ones are soon over.

}  // namespace

// A wrong clock may make ticks late; it moves nothing.
void ServiceNotices::say_clocks(BrokerTime& time) {
  const auto clocks = time.take_disagreement();
  if (!clocks) return;
  const std::int64_t ahead = clocks->wall_ms - clocks->broker_ms;
  spdlog::warn("this machine's clock says {}, the broker's {}: {}",
               to_rfc3339(from_ms(clocks->wall_ms)), to_rfc3339(from_ms(clocks->broker_ms)),
               std::abs(ahead) <= BrokerTime::kToleranceMax.count()
                   ? "they agree again"
                   : "segments change by silence at the earlier of the two until they agree");
}

// They are gone through day by day, and records wait for it.
void ServiceNotices::say_silence(const Silence& longest) {
  const bool is_long = longest.days_left >= kSilenceDaysMin;
  if (is_long && !silence_said_) {
    spdlog::warn(
        "partition {} has no record between {} and {}: {} days are gone through, each with what "
        "silence does on it, before the next record is applied",
        longest.partition, to_rfc3339(longest.from), to_rfc3339(longest.to), longest.days_left);
  }
  if (!is_long && silence_said_) spdlog::info("no more days without records are left");
  silence_said_ = is_long;
}

void ServiceNotices::say_split(const SplitCustomers& split) {
  if (split.count == 0 || split_said_) return;
  split_said_ = true;
  spdlog::warn(
      "{}: producers choose partitions by different rules, and each state of such a customer knows "
      "a part of his purchases only. Let all of them partition alike; input.partitioner "
      "dead-letters what is elsewhere",
      split.example);
}

void ServiceNotices::say_held(const ModelVersion* newest) {
  if (newest == nullptr || !newest->held || newest->held->epoch == held_said_) return;
  held_said_ = newest->held->epoch;
  spdlog::warn(
      "clusters trained at {} are held: they fit better, and would move {:.1f} % of the customers, "
      "more than model.moved_max. `rfmstream model show` shows them, `rfmstream model promote` "
      "takes them",
      to_rfc3339(boundary_of(*held_said_)), newest->held->moved * 100);
}

void ServiceNotices::say_unowned(const ServiceStatus& status, const KafkaOptions& options,
                                 std::chrono::steady_clock::time_point now) {
  if (!all_owned_ || status.partitions_owned == status.partition_count) all_owned_ = now;
  if (now - *all_owned_ <= kUnownedMax) return;
  all_owned_ = now;
  const auto other = other_instance(options);
  spdlog::warn(
      "{} of {} partitions are owned by this process{}: no model is trained while any is missing",
      status.partitions_owned, status.partition_count,
      other ? fmt::format(", and {} on {} is in the group too", other->name, other->host) : "");
}

}  // namespace rfm
