// Numbers of clusters compared on a thread of its own, because that takes some seconds of CPU; what
// came of it is kept.
#pragma once

#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "admin/population_pass.h"
#include "model/training.h"
#include "stream/analyse/cluster_count_comparison.h"

namespace rfm {

// Any thread.
class ClusterCountWork {
 public:
  struct Done {
    PassContext context;  // Of the sample.
    EventTime at{};
    std::size_t customers = 0;
    ClusterCountComparison comparison;
  };

  // `training`: how clusters are fitted.
  explicit ClusterCountWork(TrainingOptions training) : training_(std::move(training)) {}
  ClusterCountWork(const ClusterCountWork&) = delete;
  ClusterCountWork& operator=(const ClusterCountWork&) = delete;
  ~ClusterCountWork();  // Ends what is under way, within a second or two.

  // Null: nothing is finished yet. Shared, because who reads it goes on while the next is made.
  std::shared_ptr<const Done> last() const;
  bool is_at_work() const;
  // Unless it is at work. Samples with too few customers to compare are left out; the last one has
  // at least kCustomersMin.
  void begin(const PassContext& context, std::vector<RefitSample> samples);

  static constexpr ClusterCounts kCounts{.first = 2, .last = 10};
  static constexpr std::size_t kCustomersMin = 50;

 private:
  void work(const PassContext& context, const std::vector<RefitSample>& samples,
            const std::stop_token& stop);

  const TrainingOptions training_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Done> last_;
  bool is_at_work_ = false;
  std::jthread thread_;
};

}  // namespace rfm
