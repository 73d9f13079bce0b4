// Lanes on threads of their own, and the group that gives partitions to them.
#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "tests/fake/memory_pipeline.h"

namespace rfm {
namespace {

constexpr int kHandoversMax = 30;
constexpr std::uint64_t kStepsBetween = 150;  // Of one lane, about.
constexpr std::chrono::milliseconds kModelPoll{2};

}  // namespace

// Eager, like the product's assignor: at a hand-over every lane gives up all it has, and only then
// does any get something.
class MemoryPipeline::Group {
 public:
  Group(std::size_t lanes, std::size_t partitions, std::uint64_t seed)
      : random_(seed),
        lane_of_(partitions),
        generation_of_(lanes),
        taken_by_(lanes),
        at_end_(lanes) {}

  // Asks for a hand-over, unless the one before is not through or there were enough.
  void hand_over() {
    const std::scoped_lock lock(mutex_);
    const bool through = std::ranges::all_of(taken_by_, [this](int g) { return g == generation_; });
    if (!through || over_ || generation_ == kHandoversMax) return;
    ++generation_;
    for (std::size_t& lane : lane_of_) lane = random_() % generation_of_.size();
    std::ranges::fill(at_end_, false);
  }

  bool is_due(std::size_t lane) const {
    const std::scoped_lock lock(mutex_);
    return generation_of_[lane] != generation_;
  }

  // The lane has given up what it had; waits until all have. What it gets now.
  std::vector<PartitionId> join(std::size_t lane) {
    std::unique_lock lock(mutex_);
    generation_of_[lane] = generation_;
    changed_.notify_all();
    changed_.wait(lock, [this] {
      return over_ ||
             std::ranges::all_of(generation_of_, [this](int g) { return g == generation_; });
    });
    taken_by_[lane] = generation_;
    std::vector<PartitionId> mine;
    for (std::size_t p = 0; p < lane_of_.size() && !over_; ++p) {
      if (lane_of_[p] == lane) mine.push_back(static_cast<PartitionId>(p));
    }
    return mine;
  }

  // Everything of this lane is committed, or not. Over: that is so of all of them at once.
  bool is_over(std::size_t lane, bool at_end) {
    const std::scoped_lock lock(mutex_);
    at_end_[lane] = at_end && generation_of_[lane] == generation_;
    over_ |= std::ranges::all_of(at_end_, std::identity());
    return over_;
  }

  void end() {
    const std::scoped_lock lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::mt19937_64 random_;
  std::vector<std::size_t> lane_of_;  // By partition.
  std::vector<int> generation_of_;    // By lane: the last it has joined.
  std::vector<int> taken_by_;         // By lane: the last whose partitions it has.
  std::vector<char> at_end_;          // By lane.
  int generation_ = 0;
  bool over_ = false;
};

// As the service does it (stream/run/service.cc).
absl::Status MemoryPipeline::reassign(std::size_t lane, Group& group, Leaving leaving) {
  LaneThread& thread = lanes_[lane];
  absl::Status status;
  if (leaving == Leaving::kInOrder) status = thread.lane->commit();
  thread.lane->drop_partitions();
  thread.sink->abandon();
  if (!status.ok()) return status;
  for (const PartitionId partition : group.join(lane)) {
    status = assign(thread, partition);
    if (!status.ok()) return status;
  }
  return status;
}

absl::Status MemoryPipeline::run_lane(std::size_t lane, Group& group, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Lane& mine = *lanes_[lane].lane;
  while (true) {
    if (random() % kStepsBetween == 0) group.hand_over();
    if (group.is_due(lane)) {
      const auto leaving = random() % 3 == 0 ? Leaving::kLost : Leaving::kInOrder;
      const absl::Status reassigned = reassign(lane, group, leaving);
      if (!reassigned.ok()) return reassigned;
    }
    const std::int64_t announced = trainer_->announcements();
    const absl::StatusOr<Lane::Activity> activity = mine.step();
    if (!activity.ok()) return activity.status();
    clock_.pass(std::chrono::milliseconds{1});
    if (*activity != Lane::Activity::kBusy) {
      const absl::Status idle = mine.idle();
      if (!idle.ok()) return idle;
    }
    if (*activity == Lane::Activity::kWaiting) trainer_->wait_announcement(announced, kModelPoll);
    if (group.is_over(lane, mine.caught_up())) return absl::OkStatus();
    std::this_thread::yield();
  }
}

absl::Status MemoryPipeline::run_on_threads(std::uint64_t seed) {
  Group group(lanes_.size(), world_.input.size(), seed);
  std::vector<absl::Status> ended(lanes_.size());
  std::vector<std::thread> threads;
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    threads.emplace_back([&, lane] {
      ended[lane] = run_lane(lane, group, seed + lane);
      if (!ended[lane].ok()) group.end();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& status : ended) {
    if (!status.ok()) return status;
  }
  return run_to_end(std::nullopt);
}

}  // namespace rfm
