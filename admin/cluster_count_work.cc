#include "admin/cluster_count_work.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace rfm {
namespace {

constexpr int kNiceness = 19;  // All else comes first.
constexpr std::array<Quantity, 3> kAxes = {Quantity::kRecency, Quantity::kFrequency,
                                           Quantity::kMonetary};

}  // namespace

ClusterCountWork::~ClusterCountWork() { thread_.request_stop(); }

std::shared_ptr<const ClusterCountWork::Done> ClusterCountWork::last() const {
  const std::scoped_lock lock(mutex_);
  return last_;
}

bool ClusterCountWork::is_at_work() const {
  const std::scoped_lock lock(mutex_);
  return is_at_work_;
}

void ClusterCountWork::begin(const PassContext& context, std::vector<RefitSample> samples) {
  const std::scoped_lock lock(mutex_);
  if (std::exchange(is_at_work_, true)) return;
  std::erase_if(samples, [](const RefitSample& s) { return s.rows.size() < kCustomersMin; });
  // The thread before has ended but for its last lines.
  thread_ = std::jthread([this, context, samples = std::move(samples)](
                             const std::stop_token& stop) { work(context, samples, stop); });
  pthread_setname_np(thread_.native_handle(), "admin-k");
}

void ClusterCountWork::work(const PassContext& context, const std::vector<RefitSample>& samples,
                            const std::stop_token& stop) {
  // Linux has a niceness for each thread; without it all is as it was.
  static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNiceness));
  absl::StatusOr<ClusterCountComparison> made = compare_cluster_counts(
      kCounts, samples, training_, kAxes, [&](const FitProgress& /*progress*/) {
        return stop.stop_requested() ? absl::CancelledError("it is to end") : absl::OkStatus();
      });
  const std::scoped_lock lock(mutex_);
  is_at_work_ = false;
  if (!made.ok()) return;
  last_ = std::make_shared<const Done>(Done{.context = context,
                                            .at = samples.back().at,
                                            .customers = samples.back().rows.size(),
                                            .comparison = *std::move(made)});
}

}  // namespace rfm
